"""The pictures of a request, from whichever part they came in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from flask import request
from PIL.Image import Image

from service.container import current_vitrine
from service.incoming import PICTURE_PART, StrictRequest
from service.models.picture import Box, ImageSource, QueryImage
from vitrine.errors import FieldError, InvalidImage, InvalidQuery, NotFound
from vitrine.images.base64_text import decode_base64
from vitrine.images.decode import ImageLimits, decode
from vitrine.images.decoded import scale_of
from vitrine.queries import WeightedImage
from vitrine.recognition import crop
from vitrine.settings import FetchSettings

__all__ = ["decoded", "query_pictures", "required_bytes", "required_picture"]


_WAIT_S = 1.0
"""For other large pictures to be decoded, before the client is asked to try again."""
_CLOSE_UP = 4
"""How much larger than a model looks a picture is decoded of which a part is wanted."""


def required_picture(
    source: ImageSource | None, settings: FetchSettings, *, at_least: int
) -> Image:
    """The picture of the present request; `InvalidQuery` when there is none or several.

    `InvalidImage` says why it is refused. `at_least` is the side in pixels that a model looks at: a
    photo need not be decoded much larger.
    """
    return decoded(required_bytes(source, settings), settings, at_least=at_least)


def required_bytes(source: ImageSource | None, settings: FetchSettings) -> bytes:
    """The file that `required_picture` decodes."""
    uploaded = cast(StrictRequest, request).pictures()
    if len(uploaded) + (source is not None) > 1:
        raise InvalidQuery.of(PICTURE_PART, "is given more than once; send one picture")
    if uploaded:
        data: bytes = uploaded[0].read()
        return data
    if source is not None:
        return _bytes_of(source, settings)
    raise InvalidQuery.of(
        PICTURE_PART, "is missing; send a file part of that name, or base64 or url in the JSON"
    )


def query_pictures(
    sources: QueryImage | Sequence[QueryImage] | None, settings: FetchSettings, *, at_least: int
) -> tuple[WeightedImage, ...]:
    """The pictures of a search, sent as files or named in its JSON, each cut to its box.

    `InvalidQuery` for too many, `InvalidImage` for one that is refused.
    """
    named = [sources] if isinstance(sources, QueryImage) else [*(sources or [])]
    uploaded = cast(StrictRequest, request).pictures()
    if uploaded and named:
        raise InvalidQuery.of(
            PICTURE_PART, "is given more than once; send files, or name pictures in the JSON"
        )
    most = current_vitrine().settings.max_pictures
    if len(uploaded) + len(named) > most:
        raise InvalidQuery.of(PICTURE_PART, f"is given more than {most} times")
    pictures = [
        WeightedImage(decoded(file.read(), settings, at_least=at_least)) for file in uploaded
    ]
    for number, source in enumerate(named):
        field = PICTURE_PART if isinstance(sources, QueryImage) else f"{PICTURE_PART}[{number}]"
        image = _part_of(source, settings, field, at_least=at_least)
        pictures.append(WeightedImage(image, source.weight))
    return tuple(pictures)


def decoded(data: bytes, settings: FetchSettings, *, at_least: int) -> Image:
    """The picture of a file, upright; `InvalidImage` says why it is refused."""
    return decode(data, ImageLimits.of(settings, wait_s=_WAIT_S), at_least=at_least)


def _part_of(source: QueryImage, settings: FetchSettings, field: str, *, at_least: int) -> Image:
    data = _bytes_of(source, settings, field)
    if source.box is None:
        return decoded(data, settings, at_least=at_least)
    picture = decoded(data, settings, at_least=_CLOSE_UP * at_least)
    scale = scale_of(picture)
    width, height = scale.original
    if source.box.xmin >= width or source.box.ymin >= height:
        raise InvalidQuery(
            [FieldError(f"{field}.box", f"lies outside the picture, which has {width} x {height}")]
        )
    return crop(
        picture,
        _scaled(source.box, scale.covered[0] / width, scale.covered[1] / height),
        at_least=at_least,
    )


def _scaled(box: Box, across: float, down: float) -> tuple[float, float, float, float]:
    return (box.xmin * across, box.ymin * down, box.xmax * across, box.ymax * down)


def _bytes_of(source: ImageSource, settings: FetchSettings, field: str = PICTURE_PART) -> bytes:
    if source.base64 is not None:
        try:
            return decode_base64(source.base64)
        except ValueError as error:
            raise InvalidImage("not_base64", str(error), field=f"{field}.base64") from None
    if source.key is not None:
        try:
            return current_vitrine().photos.get(source.key)
        except NotFound as error:
            raise InvalidImage("missing", f"{error}; send it again", field=f"{field}.key") from None
    if not settings.fetch_urls:
        raise InvalidImage(
            "urls_not_allowed",
            "this service does not fetch URLs (VITRINE_FETCH_URLS); send the file or base64",
            field=f"{field}.url",
        )
    # here: its HTTP client takes longer to import than all the models of the API
    from vitrine.images.fetch import fetch

    return fetch(source.url or "", settings)
