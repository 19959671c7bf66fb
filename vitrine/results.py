"""What a search gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from vitrine.products import Product
from vitrine.understanding import Understanding

__all__ = [
    "Bucket",
    "Facet",
    "FacetValue",
    "Group",
    "Hit",
    "Note",
    "NoteCode",
    "Page",
    "Plan",
    "RangeFacet",
    "ValueFacet",
]


@dataclass(frozen=True, slots=True)
class Group:
    """The products of a candidate set that a collapsed hit stands for, itself among them.

    `colors` are their families, `ids` the first of them by id. Prices are None where none has one.
    """

    count: int
    lowest_price: float | None
    highest_price: float | None
    colors: tuple[str, ...]
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """A product of the answer.

    `score` is the largest cosine similarity of its pictures to the query (higher is better), and
    `matched_image` the index of that picture in `image_keys`, the first where several are equal;
    both None when browsing.
    """

    product: Product
    score: float | None
    image_keys: tuple[str, ...]
    matched_image: int | None = None
    explain: Mapping[str, float] | None = None
    group: Group | None = None
    """Of a collapsed search, where the product has a value of the field."""


@dataclass(frozen=True, slots=True)
class FacetValue:
    """How many products of the candidate set have this value."""

    value: str | bool
    count: int


@dataclass(frozen=True, slots=True)
class ValueFacet:
    """Counts by value, most frequent first, then by value.

    `distinct` counts the values left out as well.
    """

    values: tuple[FacetValue, ...]
    distinct: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """Products with `start` <= number < `end` (the last bucket includes its end)."""

    start: float
    end: float
    count: int


@dataclass(frozen=True, slots=True)
class RangeFacet:
    """Smallest and largest number of the candidate set and its histogram.

    Both None when no product has the field.
    """

    minimum: float | None
    maximum: float | None
    buckets: tuple[Bucket, ...]


Facet = ValueFacet | RangeFacet


@dataclass(frozen=True, slots=True)
class Plan:
    """How the index answered: `search` is "exact", "rabitq", "hnsw" or "browse".

    `matching` counts the products under the filter.
    """

    search: str
    matching: int
    truncated_text: bool = False


NoteCode: TypeAlias = Literal[
    "unknown_word", "unknown_value", "words_not_learned", "words_not_kept"
]
"""What a note says: no product has that word; no product has that value in the field of a filter;
words did not count because none have been learned; or because the version keeps none."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that the caller should know of an answer; `message` says it in English.

    `value` is the word or the value that no product has, `field` the field of a filter, and
    `nearest` its most similar value that products have.
    """

    code: NoteCode
    message: str
    field: str | None = None
    value: str | None = None
    nearest: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a candidate set; hits, total and facets all come from that set."""

    hits: tuple[Hit, ...]
    total: int
    facets: Mapping[str, Facet]
    next_cursor: str | None
    plan: Plan
    version: str
    model: str
    backend: str
    beyond: int = 0
    """Products under the filter that are left out because they are not close enough."""
    understanding: Understanding | None = None
    """What was read out of the text, where that was wanted."""
    notes: tuple[Note, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
