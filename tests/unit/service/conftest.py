"""A small shop behind the service: twelve products, a stand-in for the model and one for the
index."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image

from service import create_app
from tests.fakes import COLORS, FakeEmbedder
from tests.unit.service.brute_force import BruteForceVersions
from tests.unit.service.checking import CheckingClient
from tests.unit.service.job_engine import FakeJobs
from vitrine.embedding import Detection
from vitrine.images.store import FileSystemStore
from vitrine.products import Product, Record
from vitrine.settings import Settings
from vitrine.wiring import Vitrine

TOKEN = "a-token-of-the-tests"


class FakeDetector:
    """Finds every label in the left half of the picture."""

    name = "fake detector"

    def detect(self, image: Image.Image, labels: list[str], *, threshold: float) -> list[Detection]:
        return [
            Detection(label, 0.5, (0.0, 0.0, image.width / 2, float(image.height)))
            for label in labels
            if threshold <= 0.5
        ]


@dataclass
class Shop:
    """Everything behind one app, to look at and to break."""

    vitrine: Vitrine
    versions: BruteForceVersions
    embedder: FakeEmbedder
    jobs: FakeJobs
    app: Flask
    client: CheckingClient


def picture(color: str, size: tuple[int, int] = (60, 40), form: str = "PNG") -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, COLORS[color]).save(written, form)
    return written.getvalue()


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _records(embedder: FakeEmbedder, store: FileSystemStore) -> list[Record]:
    found = []
    for number, color in enumerate([*COLORS, *COLORS]):
        data = picture(color, (60 + number, 40))
        product = Product(
            id=f"{'dresses' if number < 6 else 'mugs'}/{number}",
            title=f"{color} {'dress' if number < 6 else 'mug'} № {number}",
            price=None if number == 5 else 10.0 * number,
            currency="EUR",
            color=(color,),
            colors=(color,),
            category=("Dresses",) if number < 6 else ("Kitchen/Mugs",),
            in_stock=number % 2 == 0,
            group_id=f"g{number % 6}",
            attributes={"pattern": ("plain",)},
        )
        found.append(
            Record.of_picture(
                product, embedder.embed_images([Image.open(io.BytesIO(data))])[0], store.put(data)
            )
        )
    return found


@pytest.fixture(scope="session")
def stocked(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[FakeEmbedder, FileSystemStore, list[Record]]:
    embedder, store = FakeEmbedder(), FileSystemStore(str(tmp_path_factory.mktemp("pictures")))
    return embedder, store, _records(embedder, store)


def shop_in(folder: Path, stocked, **changed: object) -> Shop:
    """A shop of its own over the stocked products, with some settings changed."""
    embedder, store, records = stocked
    settings = Settings(**{"data_dir": folder, "admin_token": TOKEN, "model": "fake", **changed})
    versions = BruteForceVersions(records, embedder)
    vitrine = Vitrine(
        settings,
        embedder=lambda _: embedder,
        detector=FakeDetector(),
        versions=versions,
        images=store,
    )
    jobs = FakeJobs(versions)
    app = create_app(vitrine, admin=jobs)
    app.test_client_class = CheckingClient
    client = app.test_client()
    client.read_description()
    return Shop(vitrine, versions, embedder, jobs, app, client)


@pytest.fixture
def open_shop(stocked, tmp_path):
    """Open a shop with some settings changed."""
    return partial(shop_in, tmp_path, stocked)


@pytest.fixture
def shop(open_shop) -> Shop:
    """A shop of the test's own, to look into and to change."""
    return open_shop()


@pytest.fixture(scope="module")
def unchanged(stocked, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """One shop for all tests of a file that change nothing of it."""
    return shop_in(tmp_path_factory.mktemp("unchanged"), stocked)


@pytest.fixture
def client(unchanged: Shop) -> CheckingClient:
    """A client of the shop that nobody changes."""
    return unchanged.client
