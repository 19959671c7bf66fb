"""What can be recognized in one picture."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from service.models.base import Answer, Body, SomeTexts, Text
from service.models.picture import TINY_PNG, ImageSource
from service.models.search_answer import SearchAnswer
from vitrine.recognition import DEFAULT_TEMPLATE, DEFAULT_THRESHOLD

__all__ = [
    "BoxAnswer",
    "ClassifyAnswer",
    "ClassifyRequest",
    "DetectAnswer",
    "DetectRequest",
    "LabelAnswer",
    "ObjectAnswer",
    "SimilarityAnswer",
    "SimilarityRequest",
    "TextSimilarity",
]


class SimilarityRequest(Body):
    """Texts to compare a picture with."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"image": {"base64": TINY_PNG}, "texts": ["a red dress", "a mug"]}
        }
    )

    image: ImageSource | None = None
    texts: list[Text] = Field(min_length=1)


class TextSimilarity(Answer):
    """The cosine of the picture with one text."""

    text: str
    cosine: float


class SimilarityAnswer(Answer):
    """Cosines in the order of the texts."""

    similarities: list[TextSimilarity]


class ClassifyRequest(Body):
    """Labels that share the probability among them."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"image": {"base64": TINY_PNG}, "labels": ["dress", "mug", "sofa"]}
        }
    )

    image: ImageSource | None = None
    labels: list[Text] = Field(min_length=1)
    template: SomeTexts = Field(
        default=DEFAULT_TEMPLATE,
        description="text around a label, {} marks its place; a list is averaged",
    )


class LabelAnswer(Answer):
    """A label and its share in the softmax over all labels."""

    label: str
    probability: float


class ClassifyAnswer(Answer):
    """Labels, most probable first."""

    labels: list[LabelAnswer]


class DetectRequest(Body):
    """Labels of the objects to look for."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"image": {"base64": TINY_PNG}, "labels": ["dress", "mug"], "threshold": 0.1}
        }
    )

    image: ImageSource | None = None
    labels: Annotated[list[Text], Field(min_length=1)] | None = Field(
        default=None,
        description="what to look for; left out, the last levels of the catalogue's categories, "
        "as many as a facet lists",
    )
    threshold: float = Field(
        default=DEFAULT_THRESHOLD, ge=0, le=1, description="minimum score of an object"
    )
    distinct: bool = Field(
        default=False,
        description="of boxes that cover each other by half, whatever their labels, only the best",
    )
    search: bool = Field(
        default=False, description="add the products that look like what is in each box"
    )
    filter: dict[str, Any] = Field(default={}, description="which products, as in a search")
    limit: int = Field(default=5, ge=1, description="products for each box")


class BoxAnswer(Answer):
    """Edges in pixels of the upright picture."""

    xmin: float
    ymin: float
    xmax: float
    ymax: float


class ObjectAnswer(Answer):
    """An object that was found."""

    label: str
    score: float
    box: BoxAnswer
    products: SearchAnswer | None = Field(
        default=None,
        description="products that look like it, where a search was requested",
        exclude_if=lambda value: value is None,
    )


class DetectAnswer(Answer):
    """Objects, best first."""

    model_config = ConfigDict(
        frozen=True,
        openapi_extra={  # type: ignore[typeddict-unknown-key]  # read by flask-openapi3
            "description": "The objects, or the picture with their boxes drawn",
            "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
        },
    )

    objects: list[ObjectAnswer]
