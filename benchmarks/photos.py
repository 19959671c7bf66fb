"""Photographs to ingest: a folder's own, or drawn ones of a catalogue's usual size."""

from __future__ import annotations

import random
from pathlib import Path

__all__ = ["photographs"]

SIZE = (1000, 1300)


def photographs(folder: Path | None, made: Path, *, count: int) -> list[Path]:
    """`count` JPEG files: the first of `folder` by name (repeated when there are fewer), or
    drawn ones written to `made`."""
    if folder is not None:
        files = sorted(p for p in folder.iterdir() if p.suffix.lower() in (".jpg", ".jpeg"))
        if not files:
            raise SystemExit(f"{folder} holds no JPEG files")
        return [files[i % len(files)] for i in range(count)]
    return _drawn(made, count)


def _drawn(folder: Path, count: int) -> list[Path]:
    from PIL import Image

    from demo.drawing import draw, random_item

    folder.mkdir(parents=True, exist_ok=True)
    rng, noise = random.Random(5), Image.effect_noise(SIZE, 12).convert("RGB")
    paths = []
    for number in range(count):
        path = folder / f"{number:05d}.jpg"
        picture = draw(random_item(rng), 640).resize(SIZE, Image.Resampling.BICUBIC)
        Image.blend(picture, noise, 0.1).save(
            path, quality=90
        )  # a photograph's grain, or decoding would be too easy
        paths.append(path)
    return paths
