"""The running service of the browser tests: where it is, and what stands behind it."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from PIL import Image
from werkzeug.serving import make_server

from service import create_app
from tests.end_to_end.browser.stock import SCHEMA, STOCK, pictures_of
from tests.fakes import FakeEmbedder
from tests.unit.service.job_engine import FakeJobs
from vitrine.embedding import Detection
from vitrine.products import Record
from vitrine.settings import Settings
from vitrine.wiring import Vitrine

TOKEN = "a-token-of-the-tests"


class CornerDetector:
    """Finds the first label in the left upper quarter, strongly, and the last in the right lower
    one, weakly."""

    name = "corner detector"

    def detect(self, image: Image.Image, labels: list[str], *, threshold: float) -> list[Detection]:
        width, height = image.size
        objects = [
            Detection(labels[0], 0.8, (0.0, 0.0, width / 2, height / 2)),
            Detection(labels[-1], 0.05, (width / 2, height / 2, float(width), float(height))),
        ]
        return [detection for detection in objects if detection.score >= threshold]


@dataclass(frozen=True)
class Site:
    """The running service: where it is, and what stands behind it."""

    url: str
    vitrine: Vitrine
    jobs: FakeJobs


@contextmanager
def running_site(
    folder: Path, mapping: Mapping[str, Any] = MappingProxyType({}), **settings: Any
) -> Iterator[Site]:
    """The service over the embedded backend, on a free port of this machine.

    `mapping` is what the catalogue's mapping says beside the columns.
    """
    embedder = FakeEmbedder()
    vitrine = Vitrine(
        Settings(data_dir=folder, admin_token=TOKEN, model="fake", **settings),
        embedder=lambda _: embedder,
        detector=CornerDetector(),
    )
    _stock(vitrine, embedder, mapping)
    jobs = FakeJobs(vitrine.versions)
    app = create_app(vitrine, admin=jobs)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    thread = threading.Thread(target=server.serve_forever, name="site")
    thread.start()
    yield Site(f"http://127.0.0.1:{server.port}", vitrine, jobs)
    server.shutdown()
    thread.join()
    server.server_close()
    vitrine.close()


def _stock(vitrine: Vitrine, embedder: FakeEmbedder, mapping: Mapping[str, Any]) -> None:
    info = embedder.info
    index = vitrine.versions.create(
        model="fake",
        fingerprint=info.fingerprint,
        dimension=info.dimension,
        schema=SCHEMA,
        mapping=mapping,
    )
    records = []
    for number, product in enumerate(STOCK):
        pictures = pictures_of(number)
        vectors = embedder.embed_images([Image.open(io.BytesIO(data)) for data in pictures])
        keys = tuple(vitrine.images.put(data) for data in pictures)
        records.append(Record(product, vectors, keys))
    index.upsert(records)
    vitrine.versions.complete(index.info.name)
    vitrine.versions.publish(index.info.name)
