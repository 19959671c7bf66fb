"""What the tiny checkpoints of this folder were asked: the same pictures and texts in the script
that makes them and in the tests."""

from __future__ import annotations

from pathlib import Path

from tests.checkpoints import photo

FOLDERS = Path(__file__).parent

TEXTS = [
    "a red dress",
    "",
    "Blue  SHIRT with stripes, something to drink coffee from",
    "x " * 200,
    "ein schÃ¶nes Kleid &amp; mehr_davon",
    "wooden chair!",
]
PICTURES = [
    photo(seed, width, height)
    for seed, (width, height) in enumerate([(90, 70), (31, 64), (20, 20), (300, 211), (37, 90)])
]
