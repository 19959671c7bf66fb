"""`/v1/products/{id}/image`: the picture of a product, scaled down and kept in memory."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict

from flask import Flask, Response, current_app, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from PIL import Image
from pydantic import Field

from service.container import current_vitrine
from service.metrics import current_metrics
from service.models.base import Parameters
from service.products import ProductPath
from vitrine.errors import InvalidImage, StorageUnavailable
from vitrine.images.decode import ImageLimits, decode
from vitrine.wiring import Vitrine

__all__ = ["ThumbnailCache", "register_thumbnails", "thumbnails"]

LARGEST = 2048
_QUALITY = 85
_KEPT_S = 300
"""Seconds a browser may show a picture without asking again; a product's picture may change."""
_KEY = "vitrine_thumbnails"

thumbnails = APIBlueprint("thumbnails", __name__, abp_tags=[Tag(name="Products")])


class ThumbnailCache:
    """The most recently used thumbnails, at most `max_bytes` of them; safe to use from several threads."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, key: str) -> bytes | None:
        """The bytes of the key, or None when they are not kept."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: str, data: bytes) -> None:
        """Keep the bytes, and let go what was not used for longest."""
        with self._lock:
            if key in self._kept or len(data) > self.max_bytes:
                return
            self._kept[key] = data
            self._size += len(data)
            while self._size > self.max_bytes:
                self._size -= len(self._kept.popitem(last=False)[1])


class ImageParameters(Parameters):
    """How large the picture shall be."""

    size: int | None = Field(default=None, ge=16, le=LARGEST, description="longest side in pixels; without it the picture in its own size")


def register_thumbnails(app: Flask, max_bytes: int) -> None:
    """Give the app its cache."""
    app.extensions[_KEY] = ThumbnailCache(max_bytes)


@thumbnails.get(
    "/v1/products/<id:product_id>/image",
    responses={
        200: {"description": "The picture", "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}},
        304: {"description": "The picture that the client holds is still the right one"},
    },
)
def image(path: ProductPath, query: ImageParameters) -> Response:
    """Show a product's picture as JPEG, upright and on white, its longest side at most `size`; answers If-None-Match."""
    vitrine = current_vitrine()
    key = vitrine.engine.product(path.product_id).image_key
    response = Response(content_type="image/jpeg")
    response.set_etag(f"{key[:32]}-{query.size or 'full'}")
    response.cache_control.public = True
    response.cache_control.max_age = _KEPT_S
    if request.if_none_match.contains(response.get_etag()[0] or ""):
        response.status_code = 304
        return response
    response.set_data(_cached(vitrine, key, query.size))
    return response


def _cached(vitrine: Vitrine, key: str, size: int | None) -> bytes:
    """The scaled picture; two threads may make the same one at once."""
    cache: ThumbnailCache = current_app.extensions[_KEY]
    found = cache.get(f"{key}-{size}")
    current_metrics().cached("thumbnails", hits=int(found is not None), misses=int(found is None))
    if found is None:
        found = _scaled(vitrine, key, size)
        cache.put(f"{key}-{size}", found)
    return found


def _scaled(vitrine: Vitrine, key: str, size: int | None) -> bytes:
    """The kept picture as JPEG, never larger than it is."""
    try:
        picture = decode(vitrine.images.get(key), ImageLimits.of(vitrine.settings), at_least=size)
    except InvalidImage as error:
        raise StorageUnavailable(f"the kept picture {key} cannot be read: {error}") from error
    if size is not None:
        picture.thumbnail((size, size), Image.Resampling.LANCZOS)
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=_QUALITY, optimize=True)
    return written.getvalue()
