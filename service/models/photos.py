"""What is asked and answered about a shopper's photo."""

from __future__ import annotations

from datetime import datetime

from pydantic import ConfigDict, Field

from service.models.base import Answer, Body, Parameters
from service.models.picture import TINY_PNG, ImageSource
from service.models.recognition import BoxAnswer
from vitrine.recognition import DEFAULT_THRESHOLD

__all__ = [
    "ObjectsRequest",
    "PhotoAnswer",
    "PhotoObjectAnswer",
    "PhotoObjectsAnswer",
    "PhotoPath",
    "PhotoRequest",
]


class PhotoRequest(Body):
    """A photo to be kept for the searches that follow."""

    model_config = ConfigDict(json_schema_extra={"example": {"image": {"base64": TINY_PNG}}})

    image: ImageSource | None = None


class PhotoAnswer(Answer):
    """Where the photo is found."""

    key: str = Field(description="pass it as `image.key`")
    expires: datetime
    objects: bool = Field(
        description="whether the things in it can be found: the detector is on this machine"
    )


class PhotoPath(Parameters):
    """The photo that a path names."""

    key: str = Field(description="key of a photo that was sent before")


class ObjectsRequest(Body):
    """What counts as an object."""

    threshold: float = Field(
        default=DEFAULT_THRESHOLD, ge=0, le=1, description="minimum score of an object"
    )
    limit: int = Field(default=10, ge=1, le=50, description="objects listed")


class PhotoObjectAnswer(Answer):
    """A part of the photo that shows something of the kind that the shop sells."""

    score: float
    box: BoxAnswer


class PhotoObjectsAnswer(Answer):
    """The objects, best first; no two cover each other."""

    objects: list[PhotoObjectAnswer]
