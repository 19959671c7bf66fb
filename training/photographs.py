"""Photographs of clothes: the rows of a folder, and the garments cut out of them."""

import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from training.garments import EDGE, Garment, color_name, cut_out

__all__ = ["Photograph", "read_garments", "read_photographs"]

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Photograph:
    """One row of a folder's products.jsonl: the file, its class, and `train` or `validation`."""

    path: Path
    label: str
    split: str


def read_photographs(folder: Path) -> list[Photograph]:
    """Returns what `folder/products.jsonl` lists (image, category, split).

    OSError, KeyError where it is not such a folder.
    """
    rows = map(json.loads, (folder / "products.jsonl").read_text("utf-8").splitlines())
    return [Photograph(folder / row["image"], row["category"], row["split"]) for row in rows]


def _read(photograph: Photograph, edge: int) -> Picture:
    with Image.open(photograph.path) as file:
        file.draft("RGB", (2 * edge, 2 * edge))
        upright = ImageOps.exif_transpose(file).convert("RGB")
    return np.asarray(upright.resize((edge, edge), Image.Resampling.BICUBIC))


def _read_garment(photograph: Photograph, edge: int) -> Garment:
    cv2.setNumThreads(1)
    image = _read(photograph, edge)
    mask = cut_out(image)
    if mask is None:
        return Garment(image, np.zeros((edge, edge), np.bool_), photograph.label, None)
    return Garment(image, mask, photograph.label, color_name(image[mask]))


def read_garments(photographs: Sequence[Photograph], workers: int) -> list[Garment]:
    """Returns the photographs at EDGE x EDGE with their masks.

    An empty mask where nothing could be cut out.
    """
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(partial(_read_garment, edge=EDGE), photographs, chunksize=32))
