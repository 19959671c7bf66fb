"""What a search asks and answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from service.models.base import (
    OTHER,
    TEXT,
    Answer,
    Body,
    Parameters,
    Text,
    TextOrTexts,
    text_or_other,
)
from service.models.picture import QueryImage
from service.models.products import ProductAnswer

__all__ = [
    "BatchAnswer",
    "BatchRequest",
    "FacetParameters",
    "FacetPath",
    "FacetSearchAnswer",
    "HitAnswer",
    "PageParameters",
    "SearchAnswer",
    "SearchParameters",
    "SearchRequest",
    "SimilarParameters",
    "SuggestAnswer",
    "SuggestParameters",
    "TextPart",
    "Weights",
]


Ranking = Literal["auto", "vector", "words"]


def _one_refusal(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """An invalid cutoff is one error, not one for each form that a cutoff may have."""
    try:
        return handler(value)
    except ValidationError:
        raise PydanticCustomError("cutoff", "must be auto, off, or a number from 0 to 1") from None


Cutoff = Annotated[
    Literal["auto", "off"] | Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)],
    WrapValidator(_one_refusal),
]
RANKING = "auto: words and pictures together; vector: the plain cosine; words: words alone"
CUTOFF = "minimum relevance of a hit: auto (close ones), off, or a number from 0 to 1"
SORT = (
    "relevance or a field, `-` before it sorts from high to low (true before false); or several, of"
    " which each orders what is equal in those before"
)
UNDERSTAND = "whether prices, negations and the like in the text become filters"


class TextPart(Body):
    """A text and how much it pulls; below zero it pushes away."""

    text: Text
    weight: float = Field(default=1.0, ge=-100, le=100, allow_inf_nan=False)


class Weights(Body):
    """How much the texts and the picture count in a mix."""

    text: float = Field(default=1.0, ge=-100, le=100, allow_inf_nan=False)
    image: float = Field(default=1.0, ge=-100, le=100, allow_inf_nan=False)


OneOrManyTexts = Annotated[
    Annotated[Text, Tag(TEXT)] | Annotated[list[TextPart], Tag(OTHER)],
    Discriminator(
        text_or_other,
        custom_error_type="text_type",
        custom_error_message="must be a text, or a list of objects with text and weight",
    ),
]


ONE, MANY = "<one>", "<many>"
"""Tags of one picture and several."""


def _one_or_many(value: Any) -> str | None:
    if isinstance(value, list):
        return MANY
    return ONE if isinstance(value, dict | QueryImage) else None


OneOrManyImages = Annotated[
    Annotated[QueryImage, Tag(ONE)] | Annotated[list[QueryImage], Field(min_length=1), Tag(MANY)],
    Discriminator(
        _one_or_many,
        custom_error_type="image_type",
        custom_error_message="must be an object with base64, url or key, or a list of such",
    ),
]


class SearchRequest(Body):
    """A search by any mix of texts, a picture and examples, under a filter; or a way to browse."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"text": "red dress", "filter": {"price": {"lt": 50}}, "limit": 24}
        }
    )

    text: OneOrManyTexts | None = Field(default=None, description="what to look for")
    image: OneOrManyImages | None = Field(
        default=None, description="a picture to look for, or several, each with its weight"
    )
    like: list[Text] = Field(
        default=[], description="ids of products that the hits should resemble"
    )
    unlike: list[Text] = Field(
        default=[], description="ids of products that the hits should not resemble"
    )
    weights: Weights = Field(default=Weights())
    filter: dict[str, Any] = Field(
        default={},
        description="fields and the values they must have: a value, a list (any of them), "
        "or an object of operators (in, match, gt, gte, lt, lte, exists); `not` holds a filter, "
        "`or` a list of filters",
    )
    facets: list[Text] = Field(default=[], description="fields to count over all candidates")
    sort: TextOrTexts = Field("relevance", description=SORT)
    limit: int = Field(24, ge=1, description="hits on one page")
    cursor: Text | None = Field(
        default=None, description="`next_cursor` of the previous page of the same query"
    )
    candidates: int = Field(1000, ge=1, description="best products by score that count as found")
    min_score: float | None = Field(
        default=None, ge=-1, le=1, description="minimum cosine similarity of a hit"
    )
    collapse: Text | None = Field(
        default=None,
        description="keyword field of which each value is shown once, such as group_id",
    )
    explain: bool = Field(
        False, description="tell how much each part of the query adds to each score"
    )
    include_examples: bool = Field(
        False, description="whether the products of `like` may be hits themselves"
    )
    ranking: Ranking = Field("auto", description=RANKING)
    cutoff: Cutoff = Field("auto", description=CUTOFF)
    understand: bool = Field(True, description=UNDERSTAND)
    literal: list[Text] = Field(default=[], description="parts of the text to keep as plain words")


class PageParameters(Parameters):
    """Paging and filters of a list of products; other parameters filter on its fields."""

    model_config = ConfigDict(extra="allow")

    sort: Text = Field("relevance", description=f"{SORT}, separated by commas")
    limit: int = Field(24, ge=1, description="hits on one page")
    cursor: Text | None = Field(
        default=None, description="`next_cursor` of the previous page of the same query"
    )
    facets: Text = Field("", description="fields to count over all candidates, separated by commas")
    candidates: int = Field(1000, ge=1, description="best products by score that count as found")
    min_score: float | None = Field(
        default=None,
        ge=-1,
        le=1,
        allow_inf_nan=False,
        description="minimum cosine similarity of a hit",
    )
    collapse: Text | None = Field(
        default=None,
        description="keyword field of which each value is shown once, such as group_id",
    )
    explain: bool = Field(
        False, description="tell how much each part of the query adds to each score"
    )
    ranking: Ranking = Field("auto", description=RANKING)
    cutoff: Cutoff = Field("auto", description=CUTOFF)


class SimilarParameters(PageParameters):
    """What resembles a product; other parameters filter on the catalogue's fields."""

    own_group: bool = Field(
        False, description="whether the product's own variants (its group_id) may be hits"
    )


class SearchParameters(PageParameters):
    """A search by words; every further parameter filters on a field of the catalogue."""

    q: Text | None = Field(
        default=None, description="what to look for; leave it out or empty to browse"
    )
    understand: bool = Field(True, description=UNDERSTAND)
    literal: Text = Field("", description="parts of `q` to keep as plain words, separated by |")


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


class SearchAnswer(Answer):
    """One page of the candidates, and facts about all of them."""

    hits: list[HitAnswer]
    total: int = Field(description="size of the candidate set")
    beyond: int = Field(description="products under the filter that are not close enough")
    facets: dict[str, list[FacetValueAnswer] | RangeFacetAnswer]
    facets_cut: list[str] = Field(description="facets with more values than are listed")
    understanding: UnderstandingAnswer | None
    notes: list[str] = Field(description="notes on this answer, one sentence each")
    next_cursor: str | None
    plan: PlanAnswer
    index: IndexAnswerInfo
    timings_ms: TimingsAnswer


class BatchRequest(Body):
    """Several searches at once; their texts are embedded together."""

    searches: list[SearchRequest] = Field(min_length=1)


class BatchAnswer(Answer):
    """The answers in the order of the searches."""

    answers: list[SearchAnswer]


class FacetParameters(Parameters):
    """Part of a value; other parameters filter on the catalogue's fields."""

    model_config = ConfigDict(extra="allow")

    q: Text = Field("", description="part of the value; case and accents do not count")
    limit: int = Field(50, ge=1, description="values listed")


class FacetPath(Parameters):
    """The field that a path names."""

    field: str = Field(description="a field that can be counted")


class FacetSearchAnswer(Answer):
    """The values of one field that contain the part, the most frequent first."""

    values: list[FacetValueAnswer]
    cut: bool = Field(description="whether more values contain it")


class SuggestParameters(Parameters):
    """What has been typed so far."""

    q: Text = Field(description="the words that are being typed")
    limit: int = Field(8, ge=1, le=50, description="suggestions listed")


class SuggestionAnswer(Answer):
    """A text to search for."""

    text: str
    kind: str = Field(description="words, category, brand or title")
    count: int = Field(description="products that have it")
    value: str | None = Field(
        None,
        description="of a brand or category: the value to filter by",
        exclude_if=lambda value: value is None,
    )


class SuggestAnswer(Answer):
    """What completes the typed words; words first, then what the catalogue calls its things."""

    suggestions: list[SuggestionAnswer]
