"""A small drawn catalogue on disk, and everything that ingests it in memory."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from ingest.pipeline import RunControl, Summary
from ingest.sources import open_source
from ingest.tasks.bulk_ingest import IngestMode, IngestOptions, run
from tests.fakes import COLORS, FakeEmbedder
from tests.unit.ingest.memory import MemoryImages, MemoryVersions
from vitrine.fields import Mapping as CatalogueMapping
from vitrine.settings import Settings
from vitrine.wiring import Vitrine

MAPPING = CatalogueMapping.from_dict(
    {
        "product": {
            "id": "id",
            "title": "name",
            "image": "image",
            "price": "price",
            "color": "color",
            "category": "category",
        }
    }
)


def picture(color: str = "red", *, size: tuple[int, int] = (40, 48), number: int = 0) -> bytes:
    """A PNG of one color; `number` makes pictures differ."""
    image = Image.new("RGB", size, COLORS[color])
    image.putpixel((number % size[0], number // size[0] % size[1]), (number % 256, 99, 99))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


class Shop:
    """A folder with pictures and a JSONL catalogue, and a Vitrine in memory."""

    def __init__(self, root: Path, **settings: Any) -> None:
        self.root = root
        self.embedder = FakeEmbedder()
        self.versions = MemoryVersions()
        self.images = MemoryImages()
        self.settings = Settings(
            data_dir=root / "data", decode_threads=3, decode_processes=0, **settings
        )
        self.rows: list[Mapping[str, Any]] = []
        (root / "pictures").mkdir(parents=True, exist_ok=True)

    def product(self, number: int, **changes: Any) -> dict[str, Any]:
        """A row with its picture on disk."""
        color = list(COLORS)[number % len(COLORS)]
        (self.root / f"pictures/{number}.png").write_bytes(picture(color, number=number))
        row = {
            "id": f"p{number}",
            "name": f"{color} thing {number}",
            "image": f"pictures/{number}.png",
            "price": f"{number}.50",
            "color": color,
        }
        return {**row, "category": "Things", **changes}

    def fill_index(self, count: int) -> None:
        """The catalogue of products 0 to count - 1."""
        self.rows = [self.product(number) for number in range(count)]

    @property
    def catalogue(self) -> Path:
        return self.root / "products.jsonl"

    def write(self) -> None:
        self.catalogue.write_text(
            "".join(json.dumps(row) + "\n" for row in self.rows), encoding="utf-8"
        )

    def vitrine(self, embedder: FakeEmbedder | None = None) -> Vitrine:
        made: Callable[[str], Any] = lambda _: embedder or self.embedder  # noqa: E731 -- a Callable for the container
        return Vitrine(self.settings, embedder=made, versions=self.versions, images=self.images)  # type: ignore[arg-type]

    def ingest(
        self,
        mapping: CatalogueMapping = MAPPING,
        *,
        control: RunControl | None = None,
        replace: bool = False,
        sync: bool = False,
        allow_shrink: bool = False,
    ) -> Summary:
        """Write the catalogue and ingest it."""
        self.write()
        source = open_source(str(self.catalogue), self.settings)
        mode = IngestMode.REPLACE if replace else IngestMode.SYNC if sync else IngestMode.UPDATE
        options = IngestOptions(mode, allow_shrink)
        return run(self.vitrine(), source, mapping, control=control, options=options)

    @property
    def records(self) -> dict[str, Any]:
        return self.versions.live().records
