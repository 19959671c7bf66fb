"""Parses what an admin sends, once: everything after this is typed."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response, g

from ingest.accepted import AcceptedChanges, AcceptedPicture, AcceptedProduct
from ingest.jobs.models import IngestRequest
from ingest.jobs.work import RemotePicture, StoredPicture
from service.models.base import answer
from service.models.jobs import IngestBody, QueuedAnswer
from service.models.picture import ImageSource, StoredImage
from service.models.product_rows import Changes, ProductRow
from vitrine.errors import FieldError, InvalidProduct, InvalidQuery
from vitrine.fields import Mapping
from vitrine.fields.colors import ColorWords
from vitrine.fields.json_products import changes_from_json, product_from_json
from vitrine.fields.schema import Schema
from vitrine.images.base64_text import decode_base64
from vitrine.index import VersionInfo

__all__ = ["accept_changes", "accept_products", "ingest_request", "queued"]

_PICTURES = {"image", "images"}

_Picture = str | ImageSource | StoredImage


def accept_products(
    rows: Sequence[ProductRow], info: VersionInfo, *, max_images: int
) -> list[AcceptedProduct]:
    """The products of all rows, by the fields of a version and its mapping's words for colors.

    `InvalidProduct` with every fault of every row, by its place.
    """
    words = ColorWords.of_mapping(info.mapping)
    accepted: list[AcceptedProduct] = []
    faults: list[FieldError] = []
    for number, row in enumerate(rows):
        try:
            fields = row.model_dump(exclude_unset=True, exclude=_PICTURES)
            product = product_from_json(fields, info.schema, color_words=words)
            pictures = _pictures(row.images, max_images)
            if row.image is not None:
                pictures = (_picture(row.image, "image"),)
            accepted.append(AcceptedProduct(product, pictures))
        except InvalidProduct as error:
            faults += [FieldError(f"[{number}].{f.field}", f.message) for f in error.errors]
    if faults:
        raise InvalidProduct(faults)
    return accepted


def ingest_request(body: IngestBody) -> IngestRequest:
    """What a worker is to ingest; `InvalidMapping` for a mapping that cannot be used."""
    mapping = None if body.mapping is None else Mapping.from_dict(body.mapping)
    if mapping is not None and {body.currency, body.images, body.language} != {None}:
        raise InvalidQuery.of(
            "mapping", "already states currency, images and language; leave those out"
        )
    return IngestRequest(
        body.source,
        None if mapping is None else mapping.to_dict(),
        currency=body.currency,
        images=body.images,
        language=body.language,
        mode=body.mode,
        allow_shrink=body.allow_shrink,
    )


def queued(job_id: str) -> Response:
    """The answer to work that was accepted: 202, and the address of its job."""
    address = f"{g.base}/v1/admin/jobs/{job_id}"
    response = answer(QueuedAnswer(job_id=job_id, status_url=address), 202)
    response.headers["Location"] = address
    return response


def accept_changes(changes: Changes, schema: Schema, *, max_images: int) -> AcceptedChanges:
    """The changes of one product; `InvalidProduct` with every fault."""
    pictures = _pictures(changes.images, max_images)
    fields = changes.model_dump(exclude_unset=True, exclude={"images"})
    if pictures and not fields:
        return AcceptedChanges({}, pictures)
    return AcceptedChanges(changes_from_json(fields, schema), pictures)


def _pictures(images: Sequence[_Picture] | None, most: int) -> tuple[AcceptedPicture, ...]:
    if images is None:
        return ()
    if len(images) > most:
        raise InvalidProduct.of(
            "images", f"holds {len(images)} pictures; from 1 to {most} are allowed"
        )
    return tuple(_picture(image, f"images[{n}]") for n, image in enumerate(images))


def _picture(image: _Picture, field: str) -> AcceptedPicture:
    if isinstance(image, str):
        return RemotePicture(image)
    if isinstance(image, StoredImage):
        return StoredPicture(image.key)
    if image.base64 is None:
        return RemotePicture(image.url or "")
    try:
        return decode_base64(image.base64)
    except ValueError as error:
        raise InvalidProduct.of(f"{field}.base64", str(error)) from None
