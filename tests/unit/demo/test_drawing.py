"""The drawn products: every word draws, the same item gives the same pixels, and the picture
shows what the words say."""

import os
import random
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from demo.drawing import (
    ACCENTS,
    BACKGROUNDS,
    CATEGORIES,
    COLORS,
    MATERIALS,
    PATTERNS,
    SILHOUETTES,
    Item,
    draw,
    draw_cutout,
    random_item,
)
from tests.unit.demo.color_names import oklab, word_for

pytestmark = pytest.mark.slow

SIZE = 64


def _solid_pixels(item: Item) -> np.ndarray:
    pixels = np.asarray(draw_cutout(item, SIZE))
    return pixels[pixels[..., 3] > 200][:, :3].astype(np.float64)


def test_the_vocabulary_is_as_rich_as_the_demo_promises() -> None:
    assert len(CATEGORIES) >= 28
    assert COLORS == (
        "red",
        "orange",
        "yellow",
        "green",
        "blue",
        "purple",
        "pink",
        "brown",
        "black",
        "white",
        "gray",
        "beige",
    )
    assert len(PATTERNS) == 6
    assert len(BACKGROUNDS) >= 5
    assert set(SILHOUETTES) == set(MATERIALS) == set(CATEGORIES)
    assert all(len(shapes) >= 2 for shapes in SILHOUETTES.values())


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_silhouette_material_and_pattern_draws_a_product_that_fits_the_picture(
    category: str,
) -> None:
    rng = random.Random(f"fits {category}")
    words = max(len(SILHOUETTES[category]), len(MATERIALS[category]), len(PATTERNS))
    for i in range(words):
        item = random_item(
            rng,
            category=category,
            silhouette=SILHOUETTES[category][i % len(SILHOUETTES[category])],
            material=MATERIALS[category][i % len(MATERIALS[category])],
            pattern=PATTERNS[i % len(PATTERNS)],
        )
        seen = np.asarray(draw_cutout(item, SIZE))[..., 3] > 128
        edge = np.concatenate([seen[0], seen[-1], seen[:, 0], seen[:, -1]])
        assert not edge.any(), f"cut off at the edge: {item}"
        assert seen.any(axis=0).sum() > SIZE * 0.5 or seen.any(axis=1).sum() > SIZE * 0.5, (
            f"too small: {item}"
        )


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_plain_product_has_the_color_that_its_word_says(category: str) -> None:
    rng = random.Random(f"colour {category}")  # codespell:ignore  # the same products as ever
    wrong = []
    for color in COLORS:
        item = random_item(rng, category=category, color=color, pattern="plain")
        median = np.median(_solid_pixels(item), axis=0)
        if word_for(median) != color:
            wrong.append((item, median, word_for(median)))
    assert len(wrong) <= 1, wrong


def test_the_test_knows_colors_by_a_published_conversion() -> None:
    # The reference value of sRGB red in OKLab, from the specification of CSS Color 4.
    assert np.allclose(
        oklab(np.array([[255.0, 0.0, 0.0]])), [[0.62796, 0.22486, 0.12585]], atol=1e-4
    )
    assert [
        word_for(np.array(rgb)) for rgb in ((255.0, 0, 0), (10.0, 10, 10), (128.0, 128, 128))
    ] == ["red", "black", "gray"]


@pytest.mark.parametrize("pattern", [pattern for pattern in PATTERNS if pattern != "plain"])
def test_a_pattern_shows_its_accent_while_the_base_color_prevails(pattern: str) -> None:
    rng = random.Random(f"pattern {pattern}")
    plain_spread, printed_spread, base_shares = [], [], []
    for category in CATEGORIES:
        item = random_item(rng, category=category, color="blue", accent="yellow", pattern=pattern)
        bluish, yellowish = oklab(np.array([[45.0, 100, 190], [240.0, 210, 50]]))
        printed = oklab(_solid_pixels(item))
        plain = oklab(_solid_pixels(replace(item, pattern="plain")))
        base_shares.append(
            np.mean(
                np.linalg.norm(printed - bluish, axis=1)
                < np.linalg.norm(printed - yellowish, axis=1)
            )
        )
        plain_spread.append(np.mean(plain[:, 2] > 0.03))
        printed_spread.append(np.mean(printed[:, 2] > 0.03))
    assert np.mean(base_shares) > 0.55
    assert np.mean(printed_spread) > np.mean(plain_spread) + 0.1


def test_the_same_item_is_drawn_the_same_in_another_process() -> None:
    rng = random.Random(11)
    items = [random_item(rng) for _ in range(6)]
    code = f"""
from hashlib import sha256
from pathlib import Path
from demo.drawing import Item, draw
print(sha256(b"".join(draw(item, 48).tobytes() for item in {items!r})).hexdigest())
"""
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert (
        answer.stdout.strip()
        == sha256(b"".join(draw(item, 48).tobytes() for item in items)).hexdigest()
    )


def test_what_was_drawn_before_does_not_change_a_picture() -> None:
    rng = random.Random(12)
    items = [random_item(rng) for _ in range(8)]
    forward = [draw(item, SIZE).tobytes() for item in items]
    backward = [draw(item, SIZE).tobytes() for item in reversed(items)]
    assert forward == backward[::-1]


def test_another_seed_varies_the_picture_and_no_word_of_it() -> None:
    item = random_item(random.Random(13), category="mug", color="red", background="white studio")
    other = replace(item, seed=item.seed + 1)
    assert draw(item, SIZE).tobytes() != draw(other, SIZE).tobytes()
    assert replace(other, seed=item.seed) == item


@pytest.mark.parametrize("size", [16, 112, 321])
def test_a_picture_is_a_square_rgb_image_of_the_size_asked_for(size: int) -> None:
    item = random_item(random.Random(14))
    assert (draw(item, size).mode, draw(item, size).size) == ("RGB", (size, size))
    assert (draw_cutout(item, size).mode, draw_cutout(item, size).size) == ("RGBA", (size, size))


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_a_picture_shows_the_cutout_of_its_item_on_the_background(background: str) -> None:
    item = random_item(
        random.Random(f"background {background}"),
        material="ceramic",
        category="vase",
        background=background,
    )
    picture, cutout = (
        np.asarray(draw(item, SIZE)).astype(int),
        np.asarray(draw_cutout(item, SIZE)).astype(int),
    )
    opaque = cutout[..., 3] == 255
    assert opaque.sum() > 200
    assert np.abs(picture[opaque] - cutout[opaque][:, :3]).max() <= 2


@pytest.mark.parametrize(
    ("fixed", "named"),
    [
        ({"category": "spaceship"}, "category: 'spaceship'"),
        ({"color": "mauve"}, "color: 'mauve'"),
        ({"pattern": "tartan"}, "pattern: 'tartan'"),
        ({"category": "mug", "silhouette": "a-line"}, "silhouette: 'a-line'"),
        ({"category": "mug", "material": "plush"}, "material: 'plush'"),
        ({"background": "moon"}, "background: 'moon'"),
    ],
)
def test_an_unknown_word_is_refused_with_the_words_there_are(
    fixed: dict[str, str], named: str
) -> None:
    with pytest.raises(ValueError, match=f"^{named} is none of ") as refusal:
        random_item(random.Random(15), **fixed)
    assert ", " in str(refusal.value)


def test_random_items_take_the_words_that_are_fixed_and_vary_the_others() -> None:
    rng = random.Random(16)
    items = [random_item(rng, category="dress", color="red") for _ in range(200)]
    assert {item.category for item in items} == {"dress"}
    assert {item.color for item in items} == {"red"}
    assert {item.silhouette for item in items} == set(SILHOUETTES["dress"])
    assert {item.pattern for item in items} == set(PATTERNS)
    assert {item.background for item in items} == set(BACKGROUNDS)
    assert {item.accent for item in items} == set(ACCENTS["red"])


def test_an_accent_is_never_the_color_itself() -> None:
    assert all(color not in accents for color, accents in ACCENTS.items())
    assert set(ACCENTS) == set(COLORS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("skia", "remedy"),
    [
        ("raise ImportError('libEGL.so.1: cannot open')", "apt install libegl1 libgl1"),
        ("raise ModuleNotFoundError('skia')", "pip install 'vitrine[demo]'"),
    ],
)
def test_a_machine_that_cannot_draw_is_told_what_to_install(
    tmp_path: Path, skia: str, remedy: str
) -> None:
    (tmp_path / "skia.py").write_text(skia)
    done = subprocess.run(
        [sys.executable, "-c", "from vitrine.cli import main; main()", "demo", "--no-serve"],
        env={**os.environ, "PYTHONPATH": str(tmp_path), "VITRINE_DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    (sentence,) = done.stderr.strip().splitlines()
    assert sentence.startswith("vitrine: the demo catalogue cannot be drawn")
    assert remedy in sentence
