"""A picture inside JSON."""

from __future__ import annotations

from typing import Self

from pydantic import ConfigDict, Field, model_validator

from service.models.base import Body, Text

__all__ = ["TINY_PNG", "Box", "ImageSource", "QueryImage", "StoredImage"]

TINY_PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEU"
    "lEQVR42mM4oaGBFTEMLQkAgl1GARdiiXUAAAAASUVORK5CYII="
)
"""A picture of 8 x 8 pixels in base64, for examples that can be tried."""


class StoredImage(Body):
    """A picture that the image store has already."""

    key: Text = Field(
        pattern="^[0-9a-f]{64}$", description="SHA-256 of the picture's bytes, in hexadecimal"
    )


class ImageSource(Body):
    """A picture: its bytes in base64, where the service may fetch it, or the key of a photo."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    base64: Text | None = Field(
        default=None, description="the bytes of the file; a data: URL is accepted as well"
    )
    url: Text | None = Field(
        default=None, description="an http or https address, where the service's settings allow it"
    )

    key: Text | None = Field(
        default=None, description="the key that POST /v1/pictures returned for a photo"
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if [self.base64, self.url, self.key].count(None) != 2:
            raise ValueError("must have either base64 or url, or a photo's key")
        return self


class Box(Body):
    """A part of a picture: its edges in pixels of the upright picture."""

    xmin: float = Field(ge=0, allow_inf_nan=False)
    ymin: float = Field(ge=0, allow_inf_nan=False)
    xmax: float = Field(gt=0, allow_inf_nan=False)
    ymax: float = Field(gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _has_area(self) -> Self:
        if self.xmin >= self.xmax or self.ymin >= self.ymax:
            raise ValueError("xmin must be below xmax, and ymin below ymax")
        return self


class QueryImage(ImageSource):
    """A picture to look for, or a part of one, and how much it pulls."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 3})

    box: Box | None = Field(default=None, description="the part of the picture to look at")
    weight: float = Field(
        default=1.0,
        ge=-100,
        le=100,
        allow_inf_nan=False,
        description="a negative weight pushes away",
    )
