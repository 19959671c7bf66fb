"""The picture of a request, from whichever part it came in."""

from __future__ import annotations

import base64
import binascii
from typing import cast

from flask import request
from PIL.Image import Image

from service.incoming import PICTURE_PART, StrictRequest
from service.models.picture import ImageSource
from vitrine.errors import InvalidImage, InvalidQuery
from vitrine.images.decode import ImageLimits, decode
from vitrine.images.fetch import fetch
from vitrine.settings import Settings

__all__ = ["optional_picture", "plain_base64", "required_picture"]


def required_picture(
    source: ImageSource | None, settings: Settings, *, at_least: int | None = None
) -> Image:
    """The one picture of the present request; `InvalidQuery` when there is none or more than one."""
    found = optional_picture(source, settings, at_least=at_least)
    if found is None:
        raise InvalidQuery.of(
            PICTURE_PART, "is missing; send a file part of that name, or base64 or url in the JSON"
        )
    return found


def optional_picture(
    source: ImageSource | None, settings: Settings, *, at_least: int | None = None
) -> Image | None:
    """The picture of the present request, if there is one; `InvalidImage` says why it is refused.

    `at_least` is the side in pixels that a model looks at: a photo need not be decoded much larger.
    """
    uploaded = cast(StrictRequest, request).pictures()
    if len(uploaded) + (source is not None) > 1:
        raise InvalidQuery.of(PICTURE_PART, "is given more than once; send one picture")
    if uploaded:
        data = uploaded[0].read()
    elif source is not None:
        data = _bytes_of(source, settings)
    else:
        return None
    return decode(data, ImageLimits.of(settings), at_least=at_least)


def _bytes_of(source: ImageSource, settings: Settings) -> bytes:
    if source.base64 is not None:
        return _from_base64(source.base64)
    if not settings.fetch_urls:
        raise InvalidImage(
            "urls_not_allowed",
            "this service fetches no URLs (VITRINE_FETCH_URLS); send the file or base64",
            field="image.url",
        )
    return fetch(source.url or "", settings)


def _from_base64(text: str) -> bytes:
    """The bytes of base64 as `plain_base64` takes it."""
    try:
        return base64.b64decode(plain_base64(text, field="image.base64"), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidImage("not_base64", "is not base64", field="image.base64") from None


def plain_base64(text: str, *, field: str) -> str:
    """Base64 in its plain form, from a data: URL, with line breaks, in the URL-safe alphabet or without its padding."""
    if text[:5].lower() == "data:":
        head, comma, text = text.partition(",")
        if not comma or not head.lower().endswith(";base64"):
            raise InvalidImage(
                "not_base64", "the data: URL must end its head with ;base64,", field=field
            )
    packed = "".join(text.split()).rstrip("=").translate(_URL_SAFE)
    return packed + "=" * (-len(packed) % 4)


_URL_SAFE = str.maketrans("-_", "+/")
