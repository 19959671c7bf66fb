"""Serves three products by several processes, whose embedder runs `launch_embedder`.

With the argument `refused` it runs a program that ends with a sentence.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click
from PIL import Image

from service.embedding import child
from service.serving import run
from tests.fakes import COLORS
from tests.unit.service.brute_force import BruteForceVersions
from tests.unit.service.test_embedder import Model
from vitrine.errors import VitrineError
from vitrine.products import Product, Record
from vitrine.settings import load_settings
from vitrine.wiring import Vitrine

REFUSAL = "import sys; print('no such model', file=sys.stderr); sys.exit(2)"

if __name__ == "__main__":
    refused = sys.argv[1:] == ["refused"]
    child.COMMAND = (
        ("-c", REFUSAL) if refused else (str(Path(__file__).with_name("launch_embedder.py")),)
    )
    model = Model()
    records = [
        Record.of_picture(
            Product(id=color, title=color),
            model.embed_images([Image.new("RGB", (8, 8), COLORS[color])])[0],
            "0" * 64,
        )
        for color in COLORS
    ]
    try:
        run(Vitrine(load_settings(), versions=BruteForceVersions(records, model)))
    except VitrineError as error:
        click.secho(f"vitrine: {error}", err=True)
        sys.exit(2)
