"""What a model sees is resized as Pillow resizes it, to within a level or two."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vitrine.embedding import resizing
from vitrine.embedding.resizing import resized

Resampling = Image.Resampling
FILTERS = (Resampling.BILINEAR, Resampling.BICUBIC, Resampling.LANCZOS)

sides = st.integers(1, 160)
shares = st.floats(0, 1)


@cache
def noise(width: int, height: int) -> Image.Image:
    rng = np.random.default_rng(width * 1000 + height)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def differences(
    image: Image.Image, size: tuple[int, int], resample: Resampling, box: resizing.Box
) -> np.ndarray:
    """From Pillow's result in levels, of whichever direction Pillow takes first the nearer one."""
    (width, height), (left, top, right, bottom) = size, box
    rows_first = image.resize((width, image.height), resample, (left, 0, right, image.height))
    columns_first = image.resize((image.width, height), resample, (0, top, image.width, bottom))
    result = resized(image, size, resample, box).astype(int)
    assert result.shape == (height, width, 3)
    return min(
        np.abs(result - np.asarray(rows_first.resize(size, resample, (0, top, width, bottom)))),
        np.abs(result - np.asarray(columns_first.resize(size, resample, (left, 0, right, height)))),
        key=np.sum,
    )


@given(sides, sides, st.tuples(*[st.integers(1, 60)] * 2), st.tuples(*[shares] * 4), st.data())
def test_any_part_of_any_picture_is_as_pillow_resizes_it(
    width: int,
    height: int,
    size: tuple[int, int],
    part: tuple[float, float, float, float],
    data: st.DataObject,
) -> None:
    resample = data.draw(st.sampled_from(list(FILTERS)))
    left, top = part[0] * (width - 1), part[1] * (height - 1)
    right, bottom = left + 1 + part[2] * (width - 1 - left), top + 1 + part[3] * (height - 1 - top)
    box = (left, top, min(right, width), min(bottom, height))
    image = noise(width, height)
    difference = differences(image, size, resample, box)
    assert difference.max() <= 2
    assert difference.mean() <= 0.5


@pytest.mark.parametrize("resample", FILTERS)
@pytest.mark.parametrize("size", [(37, 29), (150, 40), (20, 120), (200, 300)])
def test_most_values_are_pillows_own(resample: Resampling, size: tuple[int, int]) -> None:
    """Also of noise, the worst there is."""
    for image in (noise(131, 97), noise(97, 310)):
        box = (3.2, 0.0, image.width - 0.3, image.height - 1.0)
        difference = differences(image, size, resample, box)
        assert difference.max() <= 2
        assert difference.mean() < 0.02


def test_enlarging_reads_nothing_outside_the_picture() -> None:
    """With this part cykooz_resizer 4.0.1 crashes when asked for both directions at once: weights
    of 0 lie beside the first result."""
    for size in [(20, 20), (20, 5), (5, 20)]:
        box = (1.25, 1.25, 11.25, 11.25)
        assert differences(noise(40, 40), size, Resampling.BICUBIC, box).max() <= 1


@pytest.mark.parametrize("size", [(30_000, 3), (3, 30_000), (2500, 1700), (1, 1)])
def test_very_long_large_and_small_pictures(size: tuple[int, int]) -> None:
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    expected = image.resize((32, 24), Resampling.BICUBIC)
    result = resized(image, (32, 24), Resampling.BICUBIC, (0.0, 0.0, *map(float, size)))
    assert np.abs(result.astype(int) - np.asarray(expected)).max() <= 1


@pytest.mark.parametrize("resample", FILTERS)
def test_every_instruction_set_gives_the_same_bytes(
    resample: Resampling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So versions do not depend on the machine that embedded them."""
    library = pytest.importorskip("cykooz_resizer", reason="has wheels for x86-64 alone")
    seen, ordinary = set(), library.Resizer.resize
    sets = library.CpuExtensions
    for extensions in {sets.none, sets.sse4_1, library.Resizer().cpu_extensions}:

        def resize(self: Any, *arguments: Any, chosen: Any = extensions) -> None:
            self.cpu_extensions = chosen
            ordinary(self, *arguments)

        monkeypatch.setattr(library.Resizer, "resize", resize)
        seen.add(resized(noise(131, 97), (37, 29), resample, (3.2, 0.0, 130.7, 96.9)).tobytes())
    assert len(seen) == 1
