"""Training pictures made in advance on every core and kept as memory-mapped arrays, so that
training never waits for drawing."""

import json
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from demo.drawing import BACKGROUNDS, COLORS, Item, draw, draw_cutout, random_item
from training.garment_augmentation import GarmentAugmenter
from training.garments import EDGE, Garment
from training.words import KINDS, PHOTO, Label, label_of

__all__ = ["Pictures", "Pool", "make_drawn_pool", "make_photo_pool", "open_pool"]

Picture = NDArray[np.uint8]
Made = tuple[Picture, Label]

_ON_PHOTO = 0.15
"""The share of drawn pictures whose product is set before a piece of a photograph, where there
are photographs."""


@dataclass(frozen=True)
class Pool:
    """Pictures (N, EDGE, EDGE, 3) uint8 and their labels.

    Pictures 2i and 2i + 1 show the same thing.
    """

    images: NDArray[np.uint8]
    labels: list[Label]

    def __len__(self) -> int:
        return len(self.labels)


class Pictures:
    """The pictures of several arrays, read where they lie, or kept in a GPU's memory where one
    learns."""

    def __init__(self, arrays: Sequence[NDArray[np.uint8]], device: torch.device) -> None:
        """`arrays` hold pictures (N, H, W, 3), all of one size."""
        self.arrays = (
            [torch.from_numpy(np.array(array)).to(device) for array in arrays]
            if device.type == "cuda"
            else arrays
        )

    def take(self, rows: Sequence[Tensor]) -> Tensor:
        """Returns the pictures of the rows of each array, one after another: (B, H, W, 3) uint8."""
        return torch.cat(
            [
                torch.as_tensor(array[chosen])
                for array, chosen in zip(self.arrays, rows, strict=True)
            ]
        )


def open_pool(folder: Path) -> Pool:
    """Returns the pool written in the folder, its pictures mapped from disk.

    OSError where there is none.
    """
    rows = json.loads((folder / "labels.json").read_text("utf-8"))
    return Pool(
        np.load(folder / "images.npy", mmap_mode="r"), [Label.of_words(*row) for row in rows]
    )


_augmenter: GarmentAugmenter | None = None


def _start(garments: Sequence[Garment]) -> None:
    # each worker process is given the garments once, not with every task
    global _augmenter  # noqa: PLW0603
    _augmenter = GarmentAugmenter(garments) if garments else None


def make_drawn_pool(
    folder: Path, pairs: int, *, seed: int, workers: int, garments: Sequence[Garment] = ()
) -> Pool:
    """Draws `pairs` random items twice each, from two seeds, and returns the pool.

    Garments lend pieces of photographs as backgrounds.
    """
    return _make(folder, _drawn_pair, range(seed, seed + pairs), workers, garments)


def make_photo_pool(
    folder: Path, pairs: int, *, seed: int, workers: int, garments: Sequence[Garment]
) -> Pool:
    """Makes `pairs` pictures of random garments, each twice the same (its crops differ later),
    and returns the pool."""
    return _make(folder, _photo_pair, range(seed, seed + pairs), workers, garments)


def _make(  # private: one call above for each kind
    folder: Path,
    make: Callable[[int], tuple[Made, Made]],
    seeds: range,
    workers: int,
    garments: Sequence[Garment],
) -> Pool:
    folder.mkdir(parents=True, exist_ok=True)
    labels: list[tuple[str | None, ...]] = []
    images = np.lib.format.open_memmap(
        folder / "images.npy", "w+", np.uint8, (2 * len(seeds), EDGE, EDGE, 3)
    )
    with ProcessPoolExecutor(workers, initializer=_start, initargs=(garments,)) as pool:
        made = tqdm(
            pool.map(make, seeds, chunksize=64),
            total=len(seeds),
            desc=folder.name,
            unit="pair",
            mininterval=5,
        )
        for index, pair in enumerate(made):
            for view, (picture, label) in enumerate(pair):
                images[2 * index + view] = picture
                labels.append(label.words)
    images.flush()
    (folder / "labels.json").write_text(json.dumps(labels), "utf-8")
    return open_pool(folder)


def _drawn_pair(seed: int) -> tuple[Made, Made]:
    rng = random.Random(seed)
    item = random_item(rng)
    again = replace(item, seed=rng.getrandbits(32))
    if rng.random() < 0.4:
        again = replace(again, background=rng.choice(BACKGROUNDS))
    return (_drawn(item, rng), label_of(item)), (_drawn(again, rng), label_of(again))


def _drawn(item: Item, rng: random.Random) -> Picture:
    if _augmenter is None or rng.random() >= _ON_PHOTO:
        return np.asarray(draw(item, EDGE))
    cutout = np.asarray(draw_cutout(item, EDGE), np.float32)
    opacity = cutout[..., 3:] / 255
    backdrop = _augmenter.backdrop(rng).astype(np.float32)
    return (backdrop + (cutout[..., :3] - backdrop) * opacity).astype(np.uint8)


def _photo_pair(seed: int) -> tuple[Made, Made]:
    if _augmenter is None:
        raise ValueError("a pool of photographs needs garments")
    rng = random.Random(seed)
    picture, color = _augmenter.variant(index := _augmenter.any_index(rng), rng)
    kind = KINDS.index(PHOTO + _augmenter.garments[index].label)
    made = (picture, Label(kind, -1 if color is None else COLORS.index(color)))
    return made, made
