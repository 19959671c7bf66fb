"""Measures on photographs: zero-shot classes, and a real catalogue searched by color and by
another view, beside color histograms."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from training.checkpoints import Encoder
from training.photographs import read_photographs
from training.scores import precision_at, recall_at

__all__ = ["measure_classes", "measure_shop"]

_TEMPLATES = ("a photo of a {}", "a photo of {}", "a {}", "a product photo of a {}")
_CLASSES = {
    "t-shirt": "t-shirt", "longsleeve": "long sleeve", "shirt": "shirt", "outwear": "outerwear",
    "dress": "dress",
    "skirt": "skirt", "pants": "pants", "shorts": "shorts", "shoes": "shoes", "hat": "hat",
}  # fmt: skip
_GARMENTS = {
    "Hoodies": "hoodie",
    "Tees": "t-shirt",
    "Pants": "pants",
    "Shorts": "shorts",
    "Jackets": "jacket",
    "Tanks": "tank top",
}
# Reference tones of the histogram baseline, sRGB.
_TONES = {
    "black": (25, 25, 25), "blue": (40, 80, 180), "brown": (105, 70, 45), "gray": (135, 135, 135),
    "green": (60, 140, 70),
    "orange": (240, 120, 40), "purple": (110, 60, 140), "red": (200, 35, 40),
    "white": (245, 245, 245), "yellow": (245, 215, 60),
}  # fmt: skip


def _open(path: Path) -> Image.Image:
    with Image.open(path) as file:
        return ImageOps.exif_transpose(file).convert("RGB")


def measure_classes(encoder: Encoder, folder: Path) -> dict[str, float]:
    """Returns the zero-shot accuracy on the folder's validation photographs, templates averaged,
    and each class's recall."""
    photographs = [photo for photo in read_photographs(folder) if photo.split == "validation"]
    rows = encoder.images((_open(photo.path) for photo in photographs), len(photographs))
    prompts = np.stack(
        [encoder.texts([t.format(name) for t in _TEMPLATES]).mean(0) for name in _CLASSES.values()]
    )
    prompts /= np.linalg.norm(prompts, axis=1, keepdims=True)
    guesses = [list(_CLASSES)[index] for index in (rows @ prompts.T).argmax(1)]
    hits = defaultdict(list)
    for photo, guess in zip(photographs, guesses, strict=True):
        hits[photo.label].append(guess == photo.label)
    every = [hit for group in hits.values() for hit in group]
    return {
        "all classes": float(np.mean(every)),
        **{label: float(np.mean(group)) for label, group in sorted(hits.items())},
    }


@dataclass(frozen=True)
class _Product:
    name: str
    path: Path
    color: str | None
    garment: str | None


def _products(folder: Path) -> list[_Product]:
    rows = map(json.loads, (folder / "products.jsonl").read_text("utf-8").splitlines())
    products = []
    for row in rows:
        garments = [
            name
            for word, name in _GARMENTS.items()
            if any(word in path for path in row["category"])
        ]
        color = row["color"].lower() if row["color"] else None
        products.append(
            _Product(row["id"], folder / row["image"], color, garments[0] if garments else None)
        )
    return products


def _histogram(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A smoothed HSV histogram (16 hues, 6 saturations, 6 values), unit length."""
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)
    counts = np.asarray(
        cv2.calcHist([hsv], [0, 1, 2], None, [16, 6, 6], [0, 180, 0, 256, 0, 256]), np.float32
    )
    for axis, around in ((0, True), (1, False), (2, False)):
        before, after = np.roll(counts, 1, axis), np.roll(counts, -1, axis)
        if not around:
            before[(slice(None),) * axis + (0,)] = 0
            after[(slice(None),) * axis + (-1,)] = 0
        counts = 0.5 * counts + 0.25 * (before + after)
    flat = counts.ravel()
    return np.asarray(flat / np.linalg.norm(flat), np.float32)


def _small(path: Path) -> NDArray[np.uint8]:
    return np.asarray(_open(path).resize((128, 128), Image.Resampling.BILINEAR))


def _middle(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The middle of a picture, where the product is: most of the backdrop is cut away."""
    return np.ascontiguousarray(pixels[26:102, 38:90])


def measure_shop(encoder: Encoder, folder: Path) -> dict[str, dict[str, float]]:
    """Returns for "{color} {garment}" precision@10 by the color field, per color.

    And recall@10 of alternate views.

    The histogram ranks by likeness to a patch of the color (for views, to the query picture); the
    stronger of histograms of the whole picture and of its middle is named by its column.
    """
    products = _products(folder)
    rows = encoder.images((_open(p.path) for p in products), len(products))
    pictures = [_small(p.path) for p in products]
    whole = np.stack([_histogram(picture) for picture in pictures])
    middle = np.stack([_histogram(_middle(picture)) for picture in pictures])
    table: dict[str, dict[str, float]] = {}
    for color in sorted(_TONES):
        table[color] = _color_row(encoder, color, products, (rows, whole, middle))
    table["mean of colors"] = {
        name: float(np.mean([row[name] for row in table.values()]))
        for name in next(iter(table.values()))
    }
    return {
        **table,
        "other views: recall@10": _views_row(encoder, folder, products, (rows, whole, middle)),
    }


Spaces = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


def _color_row(
    encoder: Encoder, color: str, products: Sequence[_Product], spaces: Spaces
) -> dict[str, float]:
    garments = sorted({p.garment for p in products if p.color == color and p.garment})
    rows, whole, middle = spaces

    def is_color(_: int, column: int) -> bool:
        return products[column].color == color

    def is_both(row: int, column: int) -> bool:
        return products[column].color == color and products[column].garment == garments[row]

    text = encoder.texts([f"{color} {garment}" for garment in garments]) @ rows.T
    patch = _histogram(np.full((8, 8, 3), _TONES[color], np.uint8))[None]
    most = np.array(
        [
            min(10, sum(is_both(row, column) for column in range(len(products))))
            for row in range(len(garments))
        ]
    )
    return {
        "model": float(precision_at(10, text, is_color).mean()),
        "histogram": float(precision_at(10, patch @ whole.T, is_color).mean()),
        "histogram of the middle": float(precision_at(10, patch @ middle.T, is_color).mean()),
        "model, color and garment (of the most possible)": float(
            (precision_at(10, text, is_both) * 10 / most).mean()
        ),
        "products": float(sum(p.color == color for p in products)),
    }


def _views_row(
    encoder: Encoder, folder: Path, products: Sequence[_Product], spaces: Spaces
) -> dict[str, float]:
    queries = [
        json.loads(line)
        for line in (folder / "image_queries.jsonl").read_text("utf-8").splitlines()
    ]
    pictures = [_small(folder / query["query_image"]) for query in queries]
    views = encoder.images(
        (_open(folder / query["query_image"]) for query in queries), len(queries)
    )
    rows, whole, middle = spaces

    def is_right(row: int, column: int) -> bool:
        return products[column].name in queries[row]["relevant"]

    return {
        "model": recall_at(10, views @ rows.T, is_right),
        "histogram": recall_at(10, np.stack([_histogram(p) for p in pictures]) @ whole.T, is_right),
        "histogram of the middle": recall_at(
            10, np.stack([_histogram(_middle(p)) for p in pictures]) @ middle.T, is_right
        ),
        "products": float(len(products)),
    }
