"""Drawn scenes made in advance: pictures squashed to the detector's square, and the boxes and
labels in them."""

import json
import random
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from training.scenes import draw_scene
from training.words import Label, label_of

__all__ = ["SCENE_SIZE", "SHAPES", "ScenePool", "Thing", "make_scene_pool", "open_scene_pool"]

SCENE_SIZE = 160
SHAPES = ((256, 256), (320, 240), (240, 320), (352, 208), (208, 352), (288, 240))
"""Widths and heights of the scenes.

The processor squashes whatever shape a picture has, so training does as well.
"""


@dataclass(frozen=True)
class Thing:
    """A product in a scene: what is known of it, and its box (center x, center y, width, height)
    as shares of the picture."""

    label: Label
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class ScenePool:
    """Pictures (N, SCENE_SIZE, SCENE_SIZE, 3) uint8 and what is in each."""

    images: NDArray[np.uint8]
    things: list[tuple[Thing, ...]]

    def __len__(self) -> int:
        return len(self.things)


def open_scene_pool(folder: Path) -> ScenePool:
    """Returns the pool written in the folder, its pictures mapped from disk.

    OSError where there is none.
    """
    rows = json.loads((folder / "things.json").read_text("utf-8"))
    things = [
        tuple(Thing(Label.of_words(*words), tuple(box)) for words, box in row) for row in rows
    ]
    return ScenePool(np.load(folder / "images.npy", mmap_mode="r"), things)


def make_scene_pool(folder: Path, count: int, *, seed: int, workers: int) -> ScenePool:
    """Draws `count` scenes of several shapes and returns the pool."""
    folder.mkdir(parents=True, exist_ok=True)
    images = np.lib.format.open_memmap(
        folder / "images.npy", "w+", np.uint8, (count, SCENE_SIZE, SCENE_SIZE, 3)
    )
    rows = []
    with ProcessPoolExecutor(workers) as pool:
        made = pool.map(_scene, range(seed, seed + count), chunksize=16)
        for index, (picture, things) in enumerate(
            tqdm(made, total=count, desc=folder.name, unit="scene", mininterval=5)
        ):
            images[index] = picture
            rows.append([(thing.label.words, thing.box) for thing in things])
    images.flush()
    (folder / "things.json").write_text(json.dumps(rows), "utf-8")
    return open_scene_pool(folder)


def _scene(seed: int) -> tuple[NDArray[np.uint8], list[Thing]]:
    rng = random.Random(seed)
    width, height = rng.choice(SHAPES)
    scene = draw_scene(rng, width=width, height=height)
    things = []
    for item, (left, top, right, bottom) in scene.objects:
        box = (
            (left + right) / 2 / width,
            (top + bottom) / 2 / height,
            (right - left) / width,
            (bottom - top) / height,
        )
        things.append(Thing(label_of(item), box))
    return np.asarray(
        scene.image.resize((SCENE_SIZE, SCENE_SIZE), Image.Resampling.BICUBIC)
    ), things
