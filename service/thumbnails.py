"""`/v1/products/{id}/image`: the picture of a product, scaled down once and not sent twice."""

from __future__ import annotations

from flask import Response, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import ConfigDict, Field

from service.access import require_visible
from service.container import current_vitrine
from service.models.base import Parameters
from service.products import ProductPath
from vitrine.errors import InvalidImage, NotFound, StorageUnavailable
from vitrine.images.thumbnail import SIZES, Thumbnails
from vitrine.index.ports import MAX_IMAGES

__all__ = ["thumbnails"]

_KEPT_S = 300
"""Seconds a browser may show a picture without asking again; a product's picture may change."""
_LARGEST_ASKED = 4096

thumbnails = APIBlueprint("thumbnails", __name__, abp_tags=[Tag(name="Products")])


class ImageParameters(Parameters):
    """How large the picture shall be.

    Other parameters count for nothing: shops add `v=3` and the like to get past caches.
    """

    model_config = ConfigDict(extra="ignore")

    size: int = Field(
        default=SIZES[-1],
        ge=16,
        le=_LARGEST_ASKED,
        description=f"longest side in pixels, rounded up to one of {', '.join(map(str, SIZES))}",
    )
    n: int = Field(
        default=0, ge=0, le=MAX_IMAGES - 1, description="which of its pictures, 0 is the main one"
    )


@thumbnails.get(
    "/v1/products/<id:product_id>/image",
    responses={
        200: {
            "description": "The picture",
            "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
        },
        304: {"description": "The picture that the client holds is still the right one"},
    },
)
def image(path: ProductPath, query: ImageParameters) -> Response:
    """Show a product's picture as JPEG, upright and on white, never enlarged; has an ETag."""
    require_visible(path.product_id)
    vitrine = current_vitrine()
    keys = vitrine.engine.product(path.product_id).image_keys
    if query.n >= len(keys):
        last = len(keys) - 1
        raise NotFound(f"the product has no picture {query.n}; the last is {last}")
    key = keys[query.n]
    tag = Thumbnails.etag(key, query.size)
    response = Response(content_type="image/jpeg")
    response.set_etag(tag)
    response.cache_control.public = True
    response.cache_control.max_age = _KEPT_S
    if request.if_none_match.contains_weak(tag):  # as RFC 9110 compares here; proxies weaken tags
        response.status_code = 304
        return response
    try:
        response.set_data(Thumbnails.of(vitrine.images, vitrine.settings).get(key, query.size).data)
    except InvalidImage as error:  # a picture that is kept was sound when it came in
        raise StorageUnavailable(f"the stored picture {key} cannot be read: {error}") from error
    return response
