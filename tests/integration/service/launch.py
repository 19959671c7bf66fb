"""Serves the test shop by the service's own way of running.

Started as a process of its own by the tests.

Arguments: how the model behaves (`ready`, `unknown`, `waits` for a file "go" in the data folder,
or `first`: waits for it in all serving processes but one), and, if not that of the service, the
grace in seconds before the least rate of a body holds.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click
from PIL import Image

from service.edge import connection
from service.serving import run
from tests.fakes import COLORS, FakeEmbedder
from tests.unit.service.brute_force import BruteForceVersions
from vitrine.embedding import Embedder
from vitrine.errors import ModelUnavailable, VitrineError
from vitrine.products import Product, Record
from vitrine.settings import Settings, load_settings
from vitrine.wiring import Vitrine


class SlowWords(FakeEmbedder):
    """Takes a second for a text with the word slow, and says so first."""

    def embed_texts(self, texts):
        if any("slow" in text for text in texts):
            print("embedding slowly", file=sys.stderr, flush=True)
            time.sleep(1)
        return super().embed_texts(texts)


def is_first(folder: Path) -> bool:
    try:
        (folder / "first").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def container(settings: Settings, model: str) -> Vitrine:
    embedder = SlowWords()
    pictures = {color: Image.new("RGB", (8, 8), COLORS[color]) for color in COLORS}
    records = [
        Record.of_picture(
            Product(id=color, title=color), embedder.embed_images([picture])[0], "0" * 64
        )
        for color, picture in pictures.items()
    ]

    def load(name: str) -> Embedder:
        if model == "unknown":
            raise ModelUnavailable(
                f"the model {name!r} cannot be found; set VITRINE_MODEL to one that can"
            )
        waits = model == "waits" or (model == "first" and not is_first(settings.data_dir))
        while waits and not (settings.data_dir / "go").exists():
            time.sleep(0.05)
        return embedder

    return Vitrine(settings, embedder=load, versions=BruteForceVersions(records, embedder))


if __name__ == "__main__":
    if len(sys.argv) > 2:
        connection.GRACE_S = float(sys.argv[2])
    try:
        run(container(load_settings(), sys.argv[1]))
    except VitrineError as error:
        click.secho(f"vitrine: {error}", err=True)
        sys.exit(2)
