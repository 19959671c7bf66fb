"""The picture of a request, from whichever part it came in."""

from __future__ import annotations

from typing import cast

from flask import request
from PIL.Image import Image

from service.incoming import PICTURE_PART, StrictRequest
from service.models.picture import ImageSource
from vitrine.errors import InvalidImage, InvalidQuery
from vitrine.images.base64_text import decode_base64
from vitrine.images.decode import ImageLimits, decode
from vitrine.images.fetch import fetch
from vitrine.settings import FetchSettings

__all__ = ["optional_picture", "required_picture"]


_WAIT_S = 1.0
"""For other large pictures to be decoded, before the client is asked to try again."""


def required_picture(
    source: ImageSource | None, settings: FetchSettings, *, at_least: int
) -> Image:
    """The picture of the present request; `InvalidQuery` when there is none or several."""
    picture = optional_picture(source, settings, at_least=at_least)
    if picture is None:
        raise InvalidQuery.of(
            PICTURE_PART, "is missing; send a file part of that name, or base64 or url in the JSON"
        )
    return picture


def optional_picture(
    source: ImageSource | None, settings: FetchSettings, *, at_least: int
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
    return decode(data, ImageLimits.of(settings, wait_s=_WAIT_S), at_least=at_least)


def _bytes_of(source: ImageSource, settings: FetchSettings) -> bytes:
    if source.base64 is not None:
        try:
            return decode_base64(source.base64)
        except ValueError as error:
            raise InvalidImage("not_base64", str(error), field="image.base64") from None
    if not settings.fetch_urls:
        raise InvalidImage(
            "urls_not_allowed",
            "this service fetches no URLs (VITRINE_FETCH_URLS); send the file or base64",
            field="image.url",
        )
    return fetch(source.url or "", settings)
