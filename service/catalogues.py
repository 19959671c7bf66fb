"""`/v1/admin/catalogues`: a catalogue's file is received and previewed; a reindex takes it in."""

from __future__ import annotations

from flask import Response, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from service.auth import require_admin
from service.container import current_admin
from service.models.base import answer
from service.models.catalogues import CatalogueParameters, PreviewAnswer
from vitrine.answers import product_answer

__all__ = ["catalogues"]

catalogues = APIBlueprint(
    "catalogues", __name__, abp_tags=[Tag(name="Admin")], abp_security=[{"admin": []}]
)
catalogues.before_request(require_admin)


@catalogues.post("/v1/admin/catalogues", responses={201: PreviewAnswer})
def receive_catalogue(query: CatalogueParameters) -> Response:
    """Take a catalogue's file as the body, and show what its first rows become; nothing goes in."""
    from ingest.catalogue import MappingChoice  # here: reading catalogues takes libraries

    choice = MappingChoice(query.map, query.currency, query.images, query.language)
    upload = current_admin().receive_catalogue(query.name, request.get_data(), choice)
    preview, note = upload.preview, upload.chosen.note
    rows = [
        {
            "place": row.place,
            "product": None if row.product is None else product_answer(row.product),
            "pictures": row.pictures,
            "problems": [{"field": p.field, "message": p.message} for p in row.problems],
        }
        for row in preview.rows
    ]
    content = {
        "source": upload.source,
        "mapping": upload.chosen.mapping.to_dict(),
        "notes": [*([note] if note else []), *preview.notes],
        "rows": rows,
        "failed": preview.failed,
        "left_out": preview.left_out,
    }
    return answer(content, 201)
