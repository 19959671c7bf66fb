"""`/v1/products`: all of them, one, and what resembles it; `/v1/fields`: the catalogue's fields."""

from __future__ import annotations

from typing import Annotated

from flask import Response, g
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import AfterValidator, Field

from service.access import require_visible
from service.container import current_vitrine
from service.models.base import Parameters, answer
from service.models.products import FieldAnswer, FieldsAnswer, StoredProductAnswer
from service.models.search_answer import SearchAnswer
from service.models.search_request import PageParameters, SimilarParameters
from service.search import answered, query_of_parameters
from vitrine.answers import stored_product_answer
from vitrine.fields.columns import label_of
from vitrine.fields.scalars import parse_text

__all__ = ["ProductPath", "products"]

products = APIBlueprint("products", __name__, abp_tags=[Tag(name="Products")])


class ProductPath(Parameters):
    """The product that a path names; a slash in its id may be written as it is."""

    product_id: Annotated[str, AfterValidator(parse_text)] = Field(
        description="id of the product; `/image` or `/similar` at its end has to be percent-encoded"
    )


@products.get("/v1/fields", responses={200: FieldsAnswer})
def fields() -> Response:
    """List the fields of the live catalogue: what filters, what can be counted and what sorts."""
    vitrine = current_vitrine()
    index = vitrine.live.current().index
    mapping = index.info.mapping
    listed = [
        FieldAnswer(
            name=f.name,
            label=label_of(f.name, mapping),
            type=f.type.value,
            facet=f.facet,
            sortable=f.sortable,
        )
        for f in index.info.schema
    ]
    return answer(
        FieldsAnswer(
            version=index.info.name,
            language=mapping.get("language"),
            fields=listed,
            products=index.count(),
            max_candidates=vitrine.settings.max_candidates,
        )
    )


@products.get("/v1/products", responses={200: SearchAnswer})
def list_products(query: PageParameters) -> Response:
    """List the products of the live version, page by page; further parameters filter."""
    return answered(
        lambda version: version.search(query_of_parameters(query, version.schema)),
        cursor=query.cursor,
    )


@products.get("/v1/products/<id:product_id>", responses={200: StoredProductAnswer})
def product(path: ProductPath) -> Response:
    """Show one product of the live version."""
    require_visible(path.product_id)
    record = current_vitrine().engine.product(path.product_id)
    return answer(stored_product_answer(record.product, record.image_keys, g.base))


@products.get("/v1/products/<id:product_id>/similar", responses={200: SearchAnswer})
def similar(path: ProductPath, query: SimilarParameters) -> Response:
    """List products that look like this one; further parameters filter as in a search."""
    require_visible(path.product_id)
    return answered(
        lambda version: version.similar(
            path.product_id, query_of_parameters(query, version.schema)
        ),
        cursor=query.cursor,
    )
