"""What an admin sends, each parsed once: what goes on from here is typed."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response

from ingest.accepted import AcceptedProduct
from ingest.jobs.models import IngestRequest
from ingest.jobs.work import RemotePicture
from service.models.admin import IngestBody, ProductRow, QueuedAnswer
from service.models.picture import ImageSource
from service.rendering import answer, public_url
from vitrine.errors import FieldError, InvalidProduct, InvalidQuery
from vitrine.fields import Mapping
from vitrine.fields.json_products import product_from_json
from vitrine.fields.schema import Schema
from vitrine.images.base64_text import decode_base64

__all__ = ["accept_products", "ingest_request", "queued"]


def accept_products(rows: Sequence[ProductRow], schema: Schema) -> list[AcceptedProduct]:
    """The products of all rows; `InvalidProduct` with every fault of every row, by its place."""
    accepted: list[AcceptedProduct] = []
    faults: list[FieldError] = []
    for number, row in enumerate(rows):
        try:
            accepted.append(_accept(row, schema))
        except InvalidProduct as error:
            faults += [FieldError(f"[{number}].{f.field}", f.message) for f in error.errors]
    if faults:
        raise InvalidProduct(faults)
    return accepted


def ingest_request(body: IngestBody) -> IngestRequest:
    """What a worker is to ingest; `InvalidMapping` for a mapping that cannot be used."""
    mapping = None if body.mapping is None else Mapping.from_dict(body.mapping)
    if mapping is not None and not (body.currency is None and body.images is None):
        raise InvalidQuery.of("mapping", "says the currency and images itself; leave those out")
    return IngestRequest(
        body.source,
        None if mapping is None else mapping.to_dict(),
        currency=body.currency,
        images=body.images,
        mode=body.mode,
        allow_shrink=body.allow_shrink,
    )


def queued(job_id: str) -> Response:
    """The answer to work that was accepted: 202, and where its job stands."""
    address = public_url(f"/v1/admin/jobs/{job_id}")
    response = answer(QueuedAnswer(job_id=job_id, status_url=address), 202)
    response.headers["Location"] = address
    return response


def _accept(row: ProductRow, schema: Schema) -> AcceptedProduct:
    product = product_from_json(row.model_dump(exclude_unset=True, exclude={"image"}), schema)
    return AcceptedProduct(product, _picture(row.image))


def _picture(image: str | ImageSource | None) -> bytes | RemotePicture | None:
    if image is None or isinstance(image, str):
        return None if image is None else RemotePicture(image)
    if image.base64 is None:
        return RemotePicture(image.url or "")
    try:
        return decode_base64(image.base64)
    except ValueError as error:
        raise InvalidProduct.of("image.base64", str(error)) from None
