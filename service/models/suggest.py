"""What completes words while they are typed."""

from __future__ import annotations

from pydantic import Field

from service.models.base import Answer, Parameters, Text

__all__ = [
    "SuggestAnswer",
    "SuggestParameters",
]


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
