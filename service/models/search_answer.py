"""What a search answers."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from service.models.base import Answer
from service.models.products import ProductAnswer

__all__ = [
    "BatchAnswer",
    "FacetValueAnswer",
    "HitAnswer",
    "SearchAnswer",
]


class PriceRangeAnswer(Answer):
    """The span of the prices; null where no product has one."""

    minimum: float | None = Field(serialization_alias="min")
    maximum: float | None = Field(serialization_alias="max")


class GroupAnswer(Answer):
    """The candidates that a hit of a collapsed search stands for, itself among them."""

    count: int
    price: PriceRangeAnswer
    colors: list[str] = Field(description="the families of all of them")
    ids: list[str] = Field(description="of the first 50, by id")


class HitAnswer(Answer):
    """A found product; `score` is its cosine similarity to the query, null when browsing."""

    id: str
    score: float | None
    product: ProductAnswer
    image_url: str = Field(
        description="of the picture that matched, of the main one when browsing; takes `size` as a "
        "further parameter for a thumbnail"
    )
    images: list[str] = Field(description="of all its pictures, the main one first")
    matched_image: int | None = Field(
        description="which of `images` is most like the query; null where nothing was compared"
    )
    group: GroupAnswer | None = Field(
        None,
        description="of a collapsed search: what shares the product's value",
        exclude_if=lambda value: value is None,
    )
    explain: dict[str, float] | None = Field(
        None,
        description="what each part of the query adds to the score",
        exclude_if=lambda value: value is None,
    )


class FacetValueAnswer(Answer):
    """How many candidates have a value."""

    value: str | bool
    count: int


class BucketAnswer(Answer):
    """How many candidates lie from `from` (included) to `to` (excluded but in the last bucket)."""

    start: float = Field(serialization_alias="from")
    end: float = Field(serialization_alias="to")
    count: int


class RangeFacetAnswer(Answer):
    """The span of a number over all candidates and its histogram."""

    minimum: float | None = Field(serialization_alias="min")
    maximum: float | None = Field(serialization_alias="max")
    buckets: list[BucketAnswer]


class PlanAnswer(Answer):
    """How the index answered."""

    search: str = Field(
        description="exact: all products under the filter were compared; rabitq: the best were"
        " found by one-bit codes, which miss few; hnsw: by a graph; browse ..."
    )
    matching: int = Field(description="products under the filter")
    truncated_text: bool = Field(description="whether a text was longer than the model reads")


class IndexAnswerInfo(Answer):
    """Which index answered."""

    version: str
    model: str
    backend: str


class TimingsAnswer(Answer):
    """Milliseconds by stage."""

    model_config = ConfigDict(extra="allow")

    total: float


class AppliedAnswer(Answer):
    """A part of the text that was taken out of its words."""

    text: str = Field(description="as it was typed; pass it as `literal` to reject this reading")
    kind: str = Field(description="price, stock, negation or value")
    effect: str = Field(description="filter, negative, or ignored because of a filter of yours")
    filter: dict[str, Any]


class CorrectionAnswer(Answer):
    """A word that the catalogue does not have, and what it was read as."""

    original: str = Field(serialization_alias="from")
    replacement: str = Field(serialization_alias="to")


class UnderstandingAnswer(Answer):
    """What was read out of the text."""

    words: str = Field(description="what is left to look for")
    applied: list[AppliedAnswer]
    corrected: list[CorrectionAnswer]


class NoteAnswer(Answer):
    """Something to know of an answer."""

    code: str = Field(
        description="unknown_word, unknown_value, words_not_learned or words_not_kept"
    )
    message: str = Field(description="the same in English")
    field: str | None = Field(
        None,
        description="of unknown_value: the field that the filter is on",
        exclude_if=lambda value: value is None,
    )
    value: str | None = Field(
        None,
        description="the word or the value that no product has",
        exclude_if=lambda value: value is None,
    )
    nearest: str | None = Field(
        None,
        description="of unknown_value: the most similar value that products have, if any is",
        exclude_if=lambda value: value is None,
    )


class SearchAnswer(Answer):
    """One page of the candidates, and facts about all of them."""

    hits: list[HitAnswer]
    total: int = Field(description="size of the candidate set")
    beyond: int = Field(description="products under the filter that are not close enough")
    facets: dict[str, list[FacetValueAnswer] | RangeFacetAnswer]
    facets_cut: list[str] = Field(description="facets with more values than are listed")
    understanding: UnderstandingAnswer | None
    notes: list[NoteAnswer] = Field(description="what to know of this answer")
    next_cursor: str | None
    plan: PlanAnswer
    index: IndexAnswerInfo
    timings_ms: TimingsAnswer


class BatchAnswer(Answer):
    """The answers in the order of the searches."""

    answers: list[SearchAnswer]
