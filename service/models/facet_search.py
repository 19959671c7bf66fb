"""A search among the values of one field."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from service.models.base import Answer, Parameters, Text
from service.models.search_answer import FacetValueAnswer

__all__ = [
    "FacetParameters",
    "FacetPath",
    "FacetSearchAnswer",
]


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
