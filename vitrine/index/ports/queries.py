"""What an index is asked and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vitrine.filters import MATCH_ALL, Filter
from vitrine.index.fusion import Fusion
from vitrine.products import Vector
from vitrine.queries import RELEVANCE, Sort, SortValue
from vitrine.results import Facet, Hit

__all__ = [
    "SCORE_DECIMALS",
    "IndexAnswer",
    "IndexQuery",
    "PageToken",
]

SCORE_DECIMALS = 6
"""Scores are rounded to this many decimals before they are compared, so that float noise cannot
reorder pages."""


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
