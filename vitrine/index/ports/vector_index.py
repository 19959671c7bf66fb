"""The port of one index version: reads, writes and searches of its products."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from vitrine.filters import MATCH_ALL, Filter
from vitrine.index.fusion import SearchModel
from vitrine.index.ports.queries import IndexAnswer, IndexQuery
from vitrine.index.ports.version_info import VersionInfo
from vitrine.products import Product, Record, Value
from vitrine.results import Facet

__all__ = [
    "Stamp",
    "VectorIndex",
]


@dataclass(frozen=True, slots=True)
class Stamp:
    """What is known of a stored product without reading it whole: decides whether ingest has work
    to do."""

    image_keys: tuple[str, ...]
    product_hash: str
    """`vitrine.index.stamps.product_hash` of the stored product."""


class VectorIndex(Protocol):
    """One index version, open for reading and writing.

    Every write is durable when the call returns and visible to the next read of every process. Safe
    to call from several threads. Errors: `IndexUnavailable` (and subclasses) when the store cannot
    answer in time, `InvalidFilter` for a field the schema lacks, `NotFound` where said.
    """

    @property
    def search_model(self) -> SearchModel | None:
        """What the version has learned of its words and relevance; None before it is completed, and
        where the backend or an older version has none: then `IndexQuery.fusion` is refused."""
        ...

    @property
    def info(self) -> VersionInfo:
        """Name, schema and fingerprint of this version, as it was opened."""
        ...

    def upsert(self, records: Sequence[Record]) -> None:
        """Insert or replace whole records by product id, all or none of one call.

        Of equal ids the last wins.
        """
        ...

    def patch(self, product_id: str, changes: Mapping[str, Value | None]) -> None:
        """Change fields by schema name and keep all vectors; None empties a field, "color" takes
        colors as written.

        `NotFound` for an unknown id.
        """
        ...

    def patch_products(self, products: Sequence[Product]) -> None:
        """Replace all fields of known products and keep their vectors and images.

        `NotFound` names the unknown ids, and nothing is written.
        """
        ...

    def delete(self, product_ids: Sequence[str]) -> int:
        """Remove products; unknown ids are ignored. Returns how many there were."""
        ...

    def get(self, product_ids: Sequence[str]) -> dict[str, Record]:
        """The records of the ids that exist."""
        ...

    def stamps(self, product_ids: Sequence[str]) -> dict[str, Stamp]:
        """The stamps of the ids that exist; cheaper than `get`."""
        ...

    def search(self, query: IndexQuery) -> IndexAnswer:
        """One page of the query's candidate set (see `IndexQuery`)."""
        ...

    def count(self, filter: Filter = MATCH_ALL) -> int:
        """How many products fulfill the filter, exactly."""
        ...

    def facet(
        self, fields: Sequence[str], filter: Filter = MATCH_ALL, *, values: int = 50
    ) -> dict[str, Facet]:
        """Counts over all products under the filter."""
        ...

    def terms_in_use(self, term_ids: Collection[int]) -> frozenset[int]:
        """Those of the term ids (`vitrine.words.term_id`) that the words of some product have.

        Asked for words that the version's search model does not know; none where the backend keeps
        no words.
        """
        ...

    def scan(
        self, *, after: str | None = None, upto: str | None = None, batch: int = 256
    ) -> Iterator[list[Record]]:
        """All records in batches, in the backend's own order of ids, which never changes.

        From the first one behind the id `after` to the id `upto`, inclusive; None is no bound, and
        neither id need exist. So a scan that was interrupted goes on, and ranges between the ids of
        one scan cover every record once. Writes made meanwhile may or may not be seen.
        """
        ...

    def scan_ids(self, *, after: str | None = None, batch: int = 256) -> Iterator[list[str]]:
        """The ids alone, in the order of `scan`."""
        ...

    def mark(self) -> int:
        """A mark in the sequence of writes: those before it are visible to every read after it."""
        ...

    def count_written(self, mark: int) -> int:
        """How many products were last written after a mark."""
        ...

    def written_since(self, mark: int, *, batch: int = 256) -> Iterator[list[Record]]:
        """The records last written after a mark, in batches; some written shortly before it too."""
        ...

    def close(self) -> None:
        """Release files and connections; may be called twice."""
        ...
