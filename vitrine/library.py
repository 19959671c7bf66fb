"""The library: one object that ingests products and searches them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitrine.errors import VitrineError
from vitrine.filters import parse_filter
from vitrine.products import Product
from vitrine.queries import SearchQuery, Sort, WeightedText
from vitrine.results import Page
from vitrine.settings import Settings
from vitrine.version_search import VersionSearch
from vitrine.wiring import Vitrine

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Shop"]

Row = Mapping[str, Any]


class Shop:
    """A catalogue under one data folder (`vitrine.open`); safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self.vitrine = Vitrine(settings)
        """What the service and the workers stand on, for all that this class does not offer."""

    def ingest(
        self,
        source: str | Path | Iterable[Row],
        *,
        mapping: str | Path | Mapping[str, Any] | None = None,
    ) -> Any:
        """Ingest or update products; only what is new is embedded.

        `source` is what `vitrine ingest` takes, or rows. `mapping` is a mapping file, the name of a
        built-in one, or its plain values. Without it, a known export is recognized by its columns,
        and columns or keys that are the names of the built-in fields (id, title, image, price, ...)
        are taken for these. Returns the run's `Summary`: done,
        unchanged, failed, reasons. Errors: those of `ingest.tasks.bulk_ingest.run`.
        """
        return _registered("ingest")(self.vitrine, source, mapping)

    def search(
        self,
        text: str | Sequence[str] = (),
        *,
        image: Image | None = None,
        filter: Mapping[str, Any] | None = None,
        sort: str | Sequence[str] = "relevance",
        **query: Any,
    ) -> Page:
        """One page of what the words, the image or both ask for; without either, what the filter
        leaves.

        `filter` is the filter of the HTTP API. Further keywords are those of `SearchQuery`: like,
        unlike, facets, limit, cursor, collapse, ... Errors: those of `SearchEngine.search`.
        """
        texts = [text] if isinstance(text, str) else text

        def request(version: VersionSearch) -> Page:
            return version.search(
                SearchQuery(
                    texts=tuple(WeightedText(t) for t in texts if t),
                    image=image,
                    filter=parse_filter(dict(filter or {}), version.schema),
                    sort=Sort.parse(sort),
                    **query,
                )
            )

        return self.vitrine.engine.answer(request, cursor=query.get("cursor"))

    def similar(self, product_id: str, *, limit: int = 24) -> Page:
        """The products that look like one product, never itself; `NotFound` for an unknown id."""
        return self.vitrine.engine.similar(product_id, SearchQuery(limit=limit))

    def product(self, product_id: str) -> Product:
        """One product; `NotFound` for an unknown id."""
        return self.vitrine.engine.product(product_id).product

    def delete(self, product_ids: Sequence[str]) -> int:
        """Remove products from the live version; returns how many there were."""
        return self.vitrine.versions.live().delete(product_ids)

    def close(self) -> None:
        """Release files and connections; may be called twice."""
        self.vitrine.close()

    def __enter__(self) -> Shop:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _registered(name: str) -> Any:
    """What another room registered under `vitrine.library`; this room imports none above it."""
    for entry in entry_points(group="vitrine.library", name=name):
        return entry.load()
    raise VitrineError(f"the package that brings {name!r} is not installed; install vitrine whole")
