"""A small shop for tests of jobs and reindex: drawn squares as pictures, a fake model per name,
any index."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from ingest.accepted import AcceptedProduct
from ingest.jobs.work import RemotePicture
from tests.fakes import COLORS, FakeEmbedder
from vitrine.fields import Mapping
from vitrine.fields.json_products import product_from_json
from vitrine.images.decode import ImageLimits, decode
from vitrine.index import IndexVersions, VectorIndex
from vitrine.products import Product, Record
from vitrine.settings import Settings
from vitrine.wiring import Vitrine

MAPPING = Mapping.from_dict(
    {
        "product": {
            "id": "id",
            "title": "title",
            "image": "image",
            "price": "price",
            "in_stock": "in_stock",
        }
    }
)

OLD, NEW = "old-model", "new-model"


def picture(number: int) -> bytes:
    """A small PNG of one main color with a mark of its own."""
    color = list(COLORS.values())[number % len(COLORS)]
    image = Image.new("RGB", (16, 16), color)
    for bit in range(16):
        image.putpixel((bit, 0), (255 * (number >> bit & 1), 0, 0))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def product(number: int, **fields: Any) -> Product:
    """Product number such-and-such."""
    return Product(
        id=f"p{number:05}",
        **{"title": f"Product {number}", "price": float(number), "in_stock": True, **fields},
    )


def accepted(row: dict[str, Any]) -> AcceptedProduct:
    """A row as the admin API accepts it: `image` is the bytes of a picture, an address, or a list
    of such."""
    image = row.get("image")
    fields = {name: value for name, value in row.items() if name != "image"}
    made = product_from_json(fields, MAPPING.schema())
    images = image if isinstance(image, list) else [] if image is None else [image]
    return AcceptedProduct(
        made, tuple(RemotePicture(each) if isinstance(each, str) else each for each in images)
    )


@dataclass
class Models:
    """Fake models by name, each made once."""

    made: dict[str, FakeEmbedder] = field(default_factory=dict)
    make: Callable[[str], FakeEmbedder] = lambda name: FakeEmbedder(name=name)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, name: str) -> FakeEmbedder:
        with self._lock:
            if name not in self.made:
                self.made[name] = self.make(name)
            return self.made[name]


@dataclass
class Shop:
    """A container with a live version of the model OLD and NEW configured."""

    vitrine: Vitrine
    models: Models

    def embed(self, model: str, data: bytes) -> Any:
        """The vector that a model gives a picture."""
        return self.models(model).embed_images(
            [decode(data, ImageLimits.of(self.vitrine.settings))]
        )[0]

    def publish_first(self, count: int) -> VectorIndex:
        """A live version with products 0 .. count - 1."""
        embedder = self.models(OLD)
        index = self.vitrine.versions.create(
            model=OLD,
            fingerprint=embedder.info.fingerprint,
            dimension=embedder.info.dimension,
            schema=MAPPING.schema(),
            mapping=MAPPING.to_dict(),
        )
        for start in range(0, count, 500):
            numbers = range(start, min(start + 500, count))
            pictures = [picture(n) for n in numbers]
            vectors = embedder.embed_images(
                [decode(p, ImageLimits.of(self.vitrine.settings)) for p in pictures]
            )
            keys = [self.vitrine.images.put(p) for p in pictures]
            index.upsert(
                [
                    Record.of_picture(product(n), vector, key)
                    for n, vector, key in zip(numbers, vectors, keys, strict=True)
                ]
            )
        self.vitrine.versions.complete(index.info.name)
        self.vitrine.versions.publish(index.info.name)
        return index


def open_shop(folder: Path, versions: IndexVersions | None = None, **settings: Any) -> Shop:
    """A shop in a folder, on an index of the test's or the one that the settings name."""
    chosen = {
        "model": NEW,
        "job_lease_s": 2,
        "job_backoff_s": 0.05,
        "chunk_size": 64,
        "decode_threads": 2,
        "decode_processes": 0,
        **settings,
    }
    models = Models()
    return Shop(
        Vitrine(Settings(data_dir=folder, **chosen), embedder=models, versions=versions), models
    )
