"""What a search asks, as a body or as parameters of an address."""

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

from service.models.base import OTHER, TEXT, Body, Parameters, Text, TextOrTexts, text_or_other
from service.models.picture import QueryImage

__all__ = [
    "BatchRequest",
    "PageParameters",
    "SearchParameters",
    "SearchRequest",
    "SimilarParameters",
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


class BatchRequest(Body):
    """Several searches at once; their texts are embedded together."""

    searches: list[SearchRequest] = Field(min_length=1)


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
