"""What a shopper asks for; a query that contradicts itself cannot be built."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from PIL.Image import Image

from vitrine.errors import FieldError, InvalidQuery
from vitrine.filters import MATCH_ALL, Filter

__all__ = [
    "RELEVANCE",
    "Ranking",
    "SearchQuery",
    "Sort",
    "SortValue",
    "WeightedImage",
    "WeightedText",
]


SortValue: TypeAlias = float | str | tuple[float | str | None, ...] | None
"""What a product is ordered by, before its id: a tuple where the order has several keys.

None where it lacks the value.
"""


@dataclass(frozen=True, slots=True)
class Sort:
    """An order of products: by `field`, or by relevance when it is None.

    Those that are equal in it are ordered by `then`, at last by id ascending.
    """

    field: str | None = None
    descending: bool = False
    then: Sort | None = None

    @classmethod
    def parse(cls, text: str | Sequence[str]) -> Sort:
        """Read "relevance", "price", "-in_stock,price" or ["-in_stock", "price"].

        `InvalidQuery` for a field that is named twice.
        """
        names = text.split(",") if isinstance(text, str) else text
        sort: Sort | None = None
        seen = set[str | None]()
        for name in reversed([name.strip() for name in names] or [""]):
            field = None if name in ("", "relevance") else name.removeprefix("-")
            if field in seen:
                raise InvalidQuery.of("sort", f"names {field or 'relevance'!r} more than once")
            seen.add(field)
            sort = cls(field, field is not None and name.startswith("-"), sort)
        return RELEVANCE if sort is None else sort

    @property
    def keys(self) -> tuple[Sort, ...]:
        """Its keys, the one that counts most first, each as an order of its own."""
        key = Sort(self.field, self.descending)
        return (key,) if self.then is None else (key, *self.then.keys)

    def __str__(self) -> str:
        return ",".join(
            "relevance" if key.field is None else f"{'-' if key.descending else ''}{key.field}"
            for key in self.keys
        )


RELEVANCE = Sort()

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
"""What Python reads out of damaged bytes and broken JSON; no encoder and no stemmer takes it."""

Ranking: TypeAlias = Literal["auto", "vector", "words"]


@dataclass(frozen=True, slots=True)
class WeightedText:
    """A text and how much it pulls (or, below zero, pushes away)."""

    text: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class WeightedImage:
    """A picture and how much it pulls (or, below zero, pushes away)."""

    image: Image
    weight: float = 1.0


@dataclass(frozen=True)
class SearchQuery:
    """A search: any mix of texts, pictures and example products, under a filter.

    The combined vector is the weighted sum of unit vectors (texts x `text_weight`, pictures x
    `image_weight`, each liked product +1 and each unliked -1), scaled to unit length. With no part
    at all the query browses: every product under the filter in `sort` order.
    """

    texts: tuple[WeightedText, ...] = ()
    image: Image | None = None
    """A picture of weight 1."""
    images: tuple[WeightedImage, ...] = ()
    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    text_weight: float = 1.0
    image_weight: float = 1.0
    filter: Filter = MATCH_ALL
    facets: tuple[str, ...] = ()
    sort: Sort = RELEVANCE
    limit: int = 24
    cursor: str | None = None
    candidates: int = 1000
    min_score: float | None = None
    collapse: str | None = None
    explain: bool = False
    exclude: tuple[str, ...] = field(default=())
    """Products never found, whatever their score (a product is not similar to itself)."""
    own_group: bool = False
    """Whether `similar` may find variants of the product itself."""
    include_examples: bool = False
    """Whether the liked products may be found themselves."""
    ranking: Ranking = "auto"
    """"auto" fuses words and vectors where the version has learned its words, "words" is by words
    alone, "vector" the plain cosine with the one combined vector."""
    cutoff: float | Literal["auto", "off"] = "auto"
    """The least relevance of a hit of a fused search: "auto" is close, "off" keeps all."""
    understand: bool = True
    """Whether prices, negations and the like are read out of the text."""
    literal: tuple[str, ...] = ()
    """Parts of the text that are words and nothing else."""

    def __post_init__(self) -> None:
        errors = list(self._faults())
        if errors:
            raise InvalidQuery(errors)

    @property
    def browses(self) -> bool:
        """Whether nothing is compared, so that products come in `sort` order (by id where that is
        relevance)."""
        return not (self.texts or self.pictures or self.like or self.unlike)

    @property
    def pictures(self) -> tuple[WeightedImage, ...]:
        """All its pictures."""
        return self.images if self.image is None else (WeightedImage(self.image), *self.images)

    def _faults(self) -> Iterator[FieldError]:
        yield from self._part_faults()
        yield from self._range_faults()
        yield from self._min_score_faults()

    def _part_faults(self) -> Iterator[FieldError]:
        if any(not t.text.strip() for t in self.texts):
            yield FieldError("text", "is empty; leave it out to browse")
        if any(map(_LONE_SURROGATE.search, (*(t.text for t in self.texts), *self.literal))):
            yield FieldError("text", "holds half of a surrogate pair; it must be valid Unicode")
        weights = [("text", t.weight) for t in self.texts]
        weights += [("image", picture.weight) for picture in self.images]
        weights += [("weights.text", self.text_weight), ("weights.image", self.image_weight)]
        for name, weight in weights:
            if not (math.isfinite(weight) and abs(weight) <= 100):
                yield FieldError(name, "weight must be a finite number from -100 to 100")
        if set(self.like) & set(self.unlike):
            yield FieldError("unlike", "names a product that like names as well")

    def _range_faults(self) -> Iterator[FieldError]:
        if self.limit < 1:
            yield FieldError("limit", "must be at least 1")
        if self.candidates < 1:
            yield FieldError("candidates", "must be at least 1")
        if isinstance(self.cutoff, float | int) and not 0 <= self.cutoff <= 1:
            yield FieldError("cutoff", "must be a relevance, between 0 and 1")

    def _min_score_faults(self) -> Iterator[FieldError]:
        if self.min_score is None:
            return
        if not -1 <= self.min_score <= 1:
            yield FieldError("min_score", "must be a cosine, between -1 and 1")
        if self.ranking == "words":
            yield FieldError("min_score", "is a cosine, which ranking by words does not have")
        if self.browses:
            yield FieldError("min_score", "needs a text, an image or an example to compare with")
