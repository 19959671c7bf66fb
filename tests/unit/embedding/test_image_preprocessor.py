"""Pictures are prepared as the checkpoint's own processor prepares them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from transformers import AutoImageProcessor

from tests.checkpoints import photo
from vitrine.embedding import resizing
from vitrine.embedding.image_preprocessor import ImagePreprocessor
from vitrine.errors import ModelUnavailable
from vitrine.images.decode import ImageLimits, decode

pytestmark = pytest.mark.slow  # loads torch

LEVEL = 1 / 255 / 0.26  # one of 256 levels, as a normalized pixel


def processor(folder: Path, **changes: Any) -> Any:
    return AutoImageProcessor.from_pretrained(folder, **changes)


KINDS = ["clip_folder", "siglip_folder", "dual_folder", "owlvit_folder"]


@pytest.mark.usefixtures("pillow_resizes")
@pytest.mark.parametrize("kind", KINDS)
def test_pixels_equal_the_processors(kind: str, request: pytest.FixtureRequest) -> None:
    theirs = processor(request.getfixturevalue(kind))
    rules = ImagePreprocessor.of_processor(theirs, "tiny")
    rng = np.random.default_rng(11)
    for width, height in [
        (32, 32),
        (33, 32),
        (20, 31),
        (400, 391),
        (1, 1),
        (7, 21),
        *rng.integers(5, 300, (12, 2)).tolist(),
    ]:
        if max(width, height) > 3 * min(width, height):
            continue
        image = photo(width, width, height)
        expected = np.asarray(theirs(image)["pixel_values"])[0]
        seen = rules.apply([image])[0]
        if rules.crop is None or width == height:
            assert np.array_equal(seen, expected), (width, height)
        else:  # of a picture that is cropped, only what is kept is resized
            assert np.abs(seen - expected).max() < 1.01 * LEVEL, (width, height)
            assert (seen != expected).mean() < 0.01, (width, height)


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_resized_quickly_are_near_the_processors(
    kind: str, request: pytest.FixtureRequest
) -> None:
    """By one level here and there."""
    theirs = processor(request.getfixturevalue(kind))
    rules = ImagePreprocessor.of_processor(theirs, "tiny")
    images = [
        photo(width, width, height)
        for width, height in [(400, 391), (151, 97), *((80 + 9 * n, 270 - 8 * n) for n in range(9))]
    ]
    expected = np.asarray(theirs(images)["pixel_values"])
    levels = np.abs(rules.apply(images) - expected) / LEVEL
    assert levels.max() < 1.01
    assert (levels.max() > 0) == resizing._INSTALLED, "nothing was resized quickly"
    assert levels.mean(axis=(1, 2, 3)).max() < 0.02


@pytest.mark.usefixtures("pillow_resizes")
def test_a_crop_larger_than_the_picture_is_filled_with_black_as_the_processor_does(
    clip_folder: Path,
) -> None:
    theirs = processor(
        clip_folder, size={"shortest_edge": 25}, crop_size={"height": 40, "width": 31}
    )
    rules = ImagePreprocessor.of_processor(theirs, "tiny")
    for size in [(50, 50), (26, 99), (99, 26), (25, 25)]:
        image = photo(3, *size)
        assert (
            np.abs(rules.apply([image])[0] - np.asarray(theirs(image)["pixel_values"])[0]).max()
            < 1.01 * LEVEL
        ), size


def test_a_very_long_picture_costs_no_more_than_what_is_seen(clip_folder: Path) -> None:
    theirs = processor(clip_folder)
    rules = ImagePreprocessor.of_processor(theirs, "tiny")
    for size in [(900, 40), (40, 900)]:
        image = photo(4, *size)
        assert (
            np.abs(rules.apply([image])[0] - np.asarray(theirs(image)["pixel_values"])[0]).max()
            < 1.01 * LEVEL
        )
    assert rules.apply([Image.new("RGB", (2_000_000, 1), "red")]).shape == (
        1,
        3,
        32,
        32,
    )  # resized whole it would be 6 GB


def test_gray_and_transparent_pictures_are_taken_as_rgb(clip_folder: Path) -> None:
    rules = ImagePreprocessor.of_processor(processor(clip_folder), "tiny")
    gray = photo(5).convert("L")
    assert np.array_equal(rules.apply([gray]), rules.apply([gray.convert("RGB")]))


def test_no_pictures_give_no_rows(clip_folder: Path) -> None:
    assert ImagePreprocessor.of_processor(processor(clip_folder), "tiny").apply([]).shape == (
        0,
        3,
        32,
        32,
    )


def test_a_jpeg_decoded_smaller_stays_aligned(clip_folder: Path) -> None:
    rules = ImagePreprocessor.of_processor(processor(clip_folder), "tiny")
    limits = ImageLimits(10**7, 10**7)
    for size in [(1281, 1027), (1027, 1281), (1029, 1033), (1280, 1040)]:
        packed = io.BytesIO()
        photo(6, *size).save(packed, "JPEG", quality=90)
        small = decode(packed.getvalue(), limits, at_least=rules.shorter_side)
        assert max(small.size) < max(size) / 1.9
        whole = rules.apply([decode(packed.getvalue(), limits)])
        error = np.sqrt(np.mean((rules.apply([small]) - whole) ** 2)) / LEVEL
        shifted = np.sqrt(np.mean((np.roll(whole, 1, axis=3) - whole) ** 2)) / LEVEL
        assert error < 1, (size, error)
        assert shifted > 5 * error, "the picture is too smooth to show a shift"


def test_an_unknown_preparation_is_refused(clip_folder: Path) -> None:
    theirs = processor(clip_folder)
    theirs.do_pad = True
    with pytest.raises(ModelUnavailable, match="tiny"):
        ImagePreprocessor.of_processor(theirs, "tiny")
