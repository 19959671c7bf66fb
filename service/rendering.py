"""Values of the engine as answers of the API."""

from __future__ import annotations

from urllib.parse import quote

from flask import Response
from pydantic import BaseModel

from service.models.products import ProductAnswer
from service.models.search import (
    BucketAnswer,
    FacetValueAnswer,
    HitAnswer,
    IndexAnswerInfo,
    PlanAnswer,
    RangeFacetAnswer,
    SearchAnswer,
    TimingsAnswer,
)
from vitrine.products import Product
from vitrine.results import Facet, Hit, Page, RangeFacet

__all__ = ["answer", "image_url", "page_answer", "product_answer"]


def answer(model: BaseModel, status: int = 200) -> Response:
    """The model as a JSON response."""
    return Response(model.model_dump_json(by_alias=True), status=status, content_type="application/json")


def image_url(product_id: str) -> str:
    """The path of a product's picture."""
    return f"/v1/products/{quote(product_id, safe='')}/image"


def page_answer(page: Page) -> SearchAnswer:
    """A page of the engine as the API shows it."""
    plan = page.plan
    return SearchAnswer(
        hits=[_hit(hit) for hit in page.hits],
        total=page.total,
        facets={name: _facet(facet) for name, facet in page.facets.items()},
        next_cursor=page.next_cursor,
        plan=PlanAnswer(search=plan.search, matching=plan.matching, truncated_text=plan.truncated_text),
        index=IndexAnswerInfo(version=page.version, model=page.model, backend=page.backend),
        timings_ms=TimingsAnswer(**page.timings_ms),
    )


def product_answer(product: Product) -> ProductAnswer:
    """A product's fields as the API shows them."""
    return ProductAnswer(
        title=product.title,
        price=product.price,
        currency=product.currency,
        color=list(product.color),
        colors=list(product.colors),
        category=list(product.category),
        description=product.description,
        brand=product.brand,
        in_stock=product.in_stock,
        group_id=product.group_id,
        attributes={name: list(value) if isinstance(value, tuple) else value for name, value in product.attributes.items()},
    )


def _hit(hit: Hit) -> HitAnswer:
    return HitAnswer(
        id=hit.product.id,
        score=hit.score,
        product=product_answer(hit.product),
        image_url=image_url(hit.product.id),
        explain=None if hit.explain is None else dict(hit.explain),
    )


def _facet(facet: Facet) -> list[FacetValueAnswer] | RangeFacetAnswer:
    if isinstance(facet, RangeFacet):
        buckets = [BucketAnswer(start=b.start, end=b.end, count=b.count) for b in facet.buckets]
        return RangeFacetAnswer(minimum=facet.minimum, maximum=facet.maximum, buckets=buckets)
    return [FacetValueAnswer(value=v.value, count=v.count) for v in facet.values]
