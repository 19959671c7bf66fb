"""The ports of the index: what every backend offers, and the values that travel through them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from vitrine.fields.schema import Schema
from vitrine.filters import MATCH_ALL, Filter
from vitrine.index.fusion import Fusion, SearchModel
from vitrine.products import Product, Record, Value, Vector
from vitrine.queries import RELEVANCE, Sort, SortValue
from vitrine.results import Facet, Hit

__all__ = [
    "MAX_IMAGES",
    "SCORE_DECIMALS",
    "IndexAnswer",
    "IndexQuery",
    "IndexVersions",
    "PageToken",
    "Stamp",
    "VectorIndex",
    "VersionInfo",
    "VersionState",
]

SCORE_DECIMALS = 6
"""Scores are rounded to this many decimals before they are compared, so that float noise cannot
reorder pages."""

MAX_IMAGES = 64
"""Pictures of one product at most, whatever the settings allow."""


@dataclass(frozen=True, slots=True)
class PageToken:
    """Where the reading of one candidate set, page by page, stands (search-after paging).

    `as_of` is the last write these pages see: products written later are left out of further pages,
    so no page repeats a product. `lowest_candidate` is the (score, id) of the last candidate of the
    set (None when browsing, or when the set was not cut): nothing below it joins the set.
    `search_after` is what the last hit shown is ordered by, and its id. `total` is the size
    of the set at its first page. A first page by relevance alone may leave `lowest_candidate` to
    the second one: then a candidate that goes before that makes room for the next best.
    """

    as_of: int
    lowest_candidate: tuple[float, str] | None
    search_after: tuple[SortValue, str]
    total: int
    position: int = 0
    """Hits shown so far; a hint where to look, which pages are right without."""
    best_words: tuple[float, ...] = ()
    """At the first page of a fused query: the highest core words score of any product, for the
    query and for each of its negatives."""


@dataclass(frozen=True, slots=True)
class IndexQuery:
    """One question to an index.

    A product's score for a vector is the largest cosine of its pictures' vectors, summed in float64
    and rounded to `SCORE_DECIMALS`. With a `vector` (unit length, (dimension,)) the candidate set
    is: the products under `filter`, not in `exclude`, that score at least `min_score`; of these the
    best `candidates` by (score descending, id ascending). Without one it is all products under
    `filter` and not in `exclude`. With `fusion` the order and the set are those that it describes,
    `min_score` is not allowed, and without a vector only products that match its words are in the
    set. With `collapse` only the first product in `sort` order of each value of that field stays
    (products without a value all stay); `Hit.group` says what of the set shares it. Hits, total and
    facets all come from that set; facets count a group where one of its products in the set before
    the collapse has the value. Order: the keys of `sort` in turn (relevance is score descending;
    when browsing it orders nothing), then id ascending; products without a key's field come last in
    either direction. False is less than true. Titles order by their folded form, ids as they are,
    both by code point.
    """

    vector: Vector | None = None
    fusion: Fusion | None = None
    """Orders by words and vectors together; None: by the vector alone."""
    filter: Filter = MATCH_ALL
    candidates: int = 1000
    min_score: float | None = None
    exclude: frozenset[str] = frozenset()
    sort: Sort = RELEVANCE
    collapse: str | None = None
    facets: tuple[str, ...] = ()
    facet_values: int = 50
    """Values listed per facet at most, of paths on each level, the most frequent first."""
    limit: int = 24
    page_token: PageToken | None = None


@dataclass(frozen=True, slots=True)
class IndexAnswer:
    """One page. `next_token` continues after its last hit, None when that was the last candidate.

    `search` names the plan ("exact", "rabitq", "hnsw", "browse", ...), `matching` counts the
    products under the filter.
    """

    hits: tuple[Hit, ...]
    total: int
    facets: Mapping[str, Facet]
    next_token: PageToken | None
    search: str
    matching: int
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    """Parts worth telling apart, such as "facets"."""
    best_words: float = 0.0
    """The highest core words score of any product of the version, of a fused query."""
    beyond: int = 0
    """Products under the filter and not excluded that a fused query leaves out of its set."""


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


VersionState = str
""""building" | "ready" (complete, not live) | "live" """


@dataclass(frozen=True, slots=True)
class VersionFilling:
    """How an ingest or a reindex made a version's vectors: by which device, in which arithmetic
    (`Compute`), so many pictures at once, and in how many seconds from its start, loading the model
    included. A version that was copied or restored has the values of the one it was made from."""

    device: str
    precision: str
    batch: int
    seconds: float


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """What a version says of itself.

    `mapping` is the catalogue mapping it was built with, as plain values.
    """

    name: str
    backend: str
    model: str
    fingerprint: str
    dimension: int
    schema: Schema
    mapping: Mapping[str, Any]
    created: datetime
    state: VersionState = "building"
    count: int = 0
    text_vectors: bool = False
    """Whether every record has a vector of its product's words."""
    words: bool = True
    """Whether it keeps its products' words, so that it can learn and rank by them."""
    max_images: int = MAX_IMAGES
    """Pictures of one product that the version can keep; older ones in Qdrant keep one."""
    filling: VersionFilling | None = None
    """None where it is not known, as of versions that an earlier release filled."""


class IndexVersions(Protocol):
    """All versions of one catalogue's index and the pointer to the live one."""

    def create(
        self,
        *,
        model: str,
        fingerprint: str,
        dimension: int,
        schema: Schema,
        mapping: Mapping[str, Any],
        text_vectors: bool = False,
    ) -> VectorIndex:
        """A new, empty version in state "building".

        Its name sorts by creation time and names the model. With `text_vectors` every record has
        one, without none has.
        """
        ...

    def open(self, name: str) -> VectorIndex:
        """Open a version by name; `NotFound` when there is none.

        Opening twice in a process may give the same object.
        """
        ...

    def live(self) -> VectorIndex:
        """The version that the pointer names now (cheap: called once per search).

        `NoLiveVersion` before the first publish.
        """
        ...

    def build_index(self, name: str, *, progress: Callable[[float], None] = lambda _: None) -> None:
        """Build what a version that has been filled lacks for fast searches, and wait for it.

        `progress` is told now and then which share is done (0 to 1), and may raise to give up;
        called again, it goes on. `complete` does the same without telling; nothing happens where it
        is done.
        """
        ...

    def complete(self, name: str, filling: VersionFilling | None = None) -> None:
        """Mark a building version as "ready": filled, as `filling` says, fit to be published."""
        ...

    @property
    def fuses(self) -> bool:
        """Whether versions of this backend keep words, so that `learn` and `IndexQuery.fusion`
        work."""
        ...

    def learn(self, name: str, model: SearchModel) -> None:
        """Give a version what was learned of it, in one step; all processes answer with it soon."""
        ...

    def publish(
        self, name: str, *, verify: Callable[[VectorIndex], None] | None = None
    ) -> str | None:
        """Make a ready (or earlier live) version the live one in one atomic step; returns the
        previous live name.

        `Conflict` for a version still building. `verify` runs first; when it raises, nothing
        changes.
        """
        ...

    def discard(self, name: str) -> None:
        """Delete a version and all it stored.

        `Conflict` for the live one, `NotFound` for an unknown one.
        """
        ...

    def list(self) -> list[VersionInfo]:
        """All versions, newest first, with their state and count."""
        ...

    def prune(self, *, keep: int, spare: str | None = None) -> Sequence[str]:
        """Discard ready versions but `keep` besides the live one; returns their names. Building
        ones stay.

        `spare` is kept first, even where `keep` is 0: the version that was live before, which some
        services may still answer with and which one goes back to. Then the newest.
        """
        ...

    def describe(self) -> Iterable[str]:
        """What an operator may want to know of the live version's storage, a line each."""
        ...

    def check(self) -> Iterable[str]:
        """What stands between this backend and an answer, one sentence with its remedy each.

        Empty when all is well.
        """
        ...
