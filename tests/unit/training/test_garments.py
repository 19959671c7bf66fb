"""Garments are cut out, named by color and painted anew."""

import random

import numpy as np
import pytest
from numpy.typing import NDArray

from demo.drawing import COLORS
from demo.drawing.palette import tint
from training.garment_augmentation import GarmentAugmenter
from training.garments import EDGE, Garment, color_name, cut_out, recolored


@pytest.fixture
def rng() -> random.Random:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    return random.Random(seed)


def shirt_on_carpet(
    rng: random.Random, label: str = "t-shirt"
) -> tuple[Garment, NDArray[np.bool_]]:
    """A folded cloth of one color, a little uneven, on a carpet of another."""
    noise = np.random.default_rng(rng.getrandbits(32)).normal(0, 6, (EDGE, EDGE, 3))
    picture = np.full((EDGE, EDGE, 3), (200, 190, 175), np.float64)
    where = np.zeros((EDGE, EDGE), np.bool_)
    where[25:90, 30:84] = True
    picture[where] = (40, 70, 160)
    image = np.clip(picture + noise, 0, 255).astype(np.uint8)
    return Garment(image, where, label, "blue"), where


def test_the_thing_in_the_middle_is_cut_out(rng: random.Random) -> None:
    garment, where = shirt_on_carpet(rng)
    mask = cut_out(garment.image)
    assert mask is not None
    assert (mask & where).sum() / (mask | where).sum() > 0.9


def test_a_picture_of_nothing_has_no_cut_out() -> None:
    assert cut_out(np.full((EDGE, EDGE, 3), 128, np.uint8)) is None


@pytest.mark.parametrize("color", COLORS)
def test_a_tint_is_named_by_its_own_word(color: str, rng: random.Random) -> None:
    names = [
        color_name(np.array([[round(part * 255) for part in tint(color, rng)]], np.uint8))
        for _ in range(20)
    ]
    assert names.count(color) >= 16


def test_pixels_of_many_colors_have_no_name() -> None:
    assert color_name(np.array([[220, 30, 30], [30, 60, 200], [240, 220, 40]], np.uint8)) is None


@pytest.mark.parametrize("color", ["red", "green", "yellow", "purple"])
def test_a_garment_painted_anew_has_the_new_color_and_the_old_surroundings(
    color: str, rng: random.Random
) -> None:
    garment, where = shirt_on_carpet(rng)
    painted = recolored(garment, color, rng)
    assert painted.color == color == color_name(painted.image[where])
    assert np.abs(painted.image[~where].astype(int) - garment.image[~where]).max() <= 2


def test_every_variant_is_a_whole_picture_of_its_garment(rng: random.Random) -> None:
    garments = [shirt_on_carpet(rng, label)[0] for label in ("t-shirt", "pants", "shoes", "skirt")]
    augmenter = GarmentAugmenter(garments)
    for _ in range(40):
        picture, color = augmenter.variant(rng.randrange(4), rng)
        assert picture.shape == (EDGE, EDGE, 3)
        assert picture.dtype == np.uint8
        assert color in COLORS
