"""A picture inside JSON."""

from __future__ import annotations

from typing import Self

from pydantic import ConfigDict, Field, model_validator

from service.models.base import Body, Text

__all__ = ["TINY_PNG", "ImageSource", "StoredImage"]

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
    """A picture: its bytes in base64, or an address where the service may fetch it."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    base64: Text | None = Field(
        default=None, description="the bytes of the file; a data: URL is accepted as well"
    )
    url: Text | None = Field(
        default=None, description="an http or https address, where the service's settings allow it"
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.base64 is None) == (self.url is None):
            raise ValueError("must have either base64 or url")
        return self
