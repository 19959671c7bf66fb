"""Drawn scenes: the boxes are tight around what is seen, whatever the shape of the picture."""

import random

import numpy as np
import pytest

from demo.drawing import Item, draw_cutout
from training.scenes import Box, Scene, draw_scene, tight_box

pytestmark = pytest.mark.slow

SIZES = [(160, 160), (240, 120), (96, 224)]


def _apart(first: Box, second: Box) -> bool:
    return (
        first[2] <= second[0]
        or second[2] <= first[0]
        or first[3] <= second[1]
        or second[3] <= first[1]
    )


def _mismatch(scene: Scene, item: Item, box: Box) -> float:
    """Returns how far the scene inside the box is from the item drawn anew to fill it: the mean
    error of the opaque pixels.

    The item's visible part, by its alpha channel, must be as large as the box; the size it was
    drawn at is sought.
    """
    left, top, right, bottom = map(round, box)
    seen = np.asarray(scene.image)[top:bottom, left:right].astype(int)
    large = np.nonzero(np.asarray(draw_cutout(item, 500))[..., 3] >= 24)
    guess = round(500 * max(seen.shape[:2]) / max(np.ptp(large[0]) + 1, np.ptp(large[1]) + 1))
    errors = [255.0]
    for side in range(guess - 3, guess + 4):
        pixels = np.asarray(draw_cutout(item, side)).astype(int)
        rows, columns = np.nonzero(pixels[..., 3] >= 24)
        part = pixels[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        if part.shape[:2] == seen.shape[:2]:
            opaque = part[..., 3] == 255
            if opaque.any():
                errors.append(float(np.abs(part[opaque][:, :3] - seen[opaque]).mean()))
    return min(errors)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_scene_has_the_size_asked_for_and_boxes_inside_it(width: int, height: int) -> None:
    rng = random.Random(f"size {width} {height}")
    counts = set()
    for _ in range(15):
        scene = draw_scene(rng, width=width, height=height)
        assert (scene.image.mode, scene.image.size) == ("RGB", (width, height))
        counts.add(len(scene.objects))
        for item, (left, top, right, bottom) in scene.objects:
            assert 0 <= left < right <= width, item
            assert 0 <= top < bottom <= height, item
    assert counts <= set(range(1, 7))
    assert len(counts) > 2


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_box_is_filled_by_its_product_to_the_pixel(width: int, height: int) -> None:
    rng = random.Random(f"tight {width} {height}")
    checked = 0
    for _ in range(12):
        scene = draw_scene(rng, width=width, height=height)
        for item, box in scene.objects:
            # Glass shows what is behind it, and a neighbour's shadow falls on the product that was
            # there before.
            near = (box[0] - 8, box[1] - 8, box[2] + 8, box[3] + 8)
            if item.material != "glass" and all(
                other is box or _apart(near, other) for _, other in scene.objects
            ):
                assert _mismatch(scene, item, box) < 1.0, (item, box)
                checked += 1
    assert checked >= 8


def test_the_check_of_boxes_notices_a_box_that_is_one_pixel_off() -> None:
    rng = random.Random(21)
    scene = next(
        scene
        for scene in (draw_scene(rng, width=160, height=160) for _ in range(50))
        if len(scene.objects) == 1
    )
    item, (left, top, right, bottom) = scene.objects[0]
    assert _mismatch(scene, item, (left, top, right, bottom)) < 1.0
    assert _mismatch(scene, item, (left, top, right, bottom + 2)) > 1.0
    shift = 1 if right < 160 else -1
    assert _mismatch(scene, item, (left + shift, top, right + shift, bottom)) > 1.0


def test_a_tight_box_holds_every_true_pixel_and_touches_one_on_each_side() -> None:
    rng = np.random.default_rng(22)
    for _ in range(50):
        mask = rng.random((int(rng.integers(1, 20)), int(rng.integers(1, 30)))) < 0.1
        points = [(x, y) for y in range(mask.shape[0]) for x in range(mask.shape[1]) if mask[y, x]]
        if points:
            xs, ys = zip(*points, strict=True)
            assert tight_box(mask) == (min(xs), min(ys), max(xs) + 1, max(ys) + 1)
        else:
            with pytest.raises(ValueError, match="no pixel"):
                tight_box(mask)


def test_the_same_seed_draws_the_same_scene() -> None:
    first, second = (draw_scene(random.Random(23), width=120, height=90) for _ in range(2))
    assert first.image.tobytes() == second.image.tobytes()
    assert first.objects == second.objects


def test_scenes_that_are_drawn_one_after_another_differ() -> None:
    rng = random.Random(24)
    assert len({draw_scene(rng, width=64, height=64).image.tobytes() for _ in range(5)}) == 5


def test_products_of_a_scene_hardly_cover_each_other() -> None:
    rng = random.Random(25)
    for _ in range(20):
        scene = draw_scene(rng, width=160, height=120)
        for i, (item, box) in enumerate(scene.objects):
            for other_item, other in scene.objects[i + 1 :]:
                across = min(box[2], other[2]) - max(box[0], other[0])
                down = min(box[3], other[3]) - max(box[1], other[1])
                smaller = min((b[2] - b[0]) * (b[3] - b[1]) for b in (box, other))
                assert max(0.0, across) * max(0.0, down) <= 0.2 * smaller, (item, other_item)
