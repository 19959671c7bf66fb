"""What is asked and answered about a catalogue that is sent to the service."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from service.models.base import Answer, Parameters, Text
from service.models.problem import Fault
from service.models.products import ProductAnswer

__all__ = ["CatalogueParameters", "PreviewAnswer", "PreviewRowAnswer"]


class CatalogueParameters(Parameters):
    """What a catalogue's file does not say itself."""

    name: Text = Field(
        min_length=1, max_length=255, description="name of the file, with its extension"
    )
    map: Text | None = Field(
        default=None, description="name of a built-in mapping; recognized by default"
    )
    currency: Text | None = Field(default=None, description="of all prices, such as EUR")
    images: Text | None = Field(default=None, description="address before relative picture names")
    language: Text | None = Field(
        default=None, description="of the texts, such as de; guessed by default"
    )


class PreviewRowAnswer(Answer):
    """A row of a catalogue and the product that it becomes; null where it fails."""

    place: str = Field(description="where the row stands in its file")
    product: ProductAnswer | None
    pictures: list[str] = Field(description="addresses or names; empty for bytes in the catalogue")
    problems: list[Fault]


class PreviewAnswer(Answer):
    """A catalogue that was received: what its first rows become, and what a reindex needs."""

    source: str = Field(description="for `POST /v1/admin/reindex`")
    mapping: dict[str, Any] = Field(description="for `POST /v1/admin/reindex`")
    notes: list[str] = Field(description="what was recognized or guessed")
    rows: list[PreviewRowAnswer]
    failed: int = Field(description="how many of these rows would fail")
    left_out: dict[str, int] = Field(description="rows that the mapping leaves out, by reason")
