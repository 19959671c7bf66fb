"""Values of the engine as the API's answers and `vitrine search --json` have them.

Searches are written from plain dictionaries: building models first took a fifth of the time of a
cached answer. The service's models describe them in the API's own document, and the tests hold
every answer against that. `base` is where the service is for whoever asks: its public address, or
the path before its own paths, or empty.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from vitrine.products import Product
from vitrine.results import Facet, Group, Hit, Note, Page, RangeFacet, ValueFacet
from vitrine.understanding import Understanding

__all__ = ["product_answer", "search_answer", "stored_product_answer"]

Json = dict[str, Any]

_PLAIN = re.compile(r"[A-Za-z0-9._~-]*")
"""An id that an address holds as it is (RFC 3986, unreserved); quoting the others takes longer."""


def _image_urls(product_id: str, count: int, base: str) -> list[str]:
    """The addresses of a product's pictures, in their order."""
    quoted = product_id if _PLAIN.fullmatch(product_id) else quote(product_id, safe="")
    first = f"{base}/v1/products/{quoted}/image"
    return [first, *(f"{first}?n={number}" for number in range(1, count))]


def search_answer(page: Page, base: str) -> Json:
    """A page of the engine as `SearchAnswer` describes it."""
    plan = page.plan
    return {
        "hits": [_hit(hit, base) for hit in page.hits],
        "total": page.total,
        "beyond": page.beyond,
        "facets": {name: _facet(facet) for name, facet in page.facets.items()},
        "facets_cut": [name for name, facet in page.facets.items() if _cut(facet)],
        "understanding": _understanding(page.understanding),
        "notes": [_note(note) for note in page.notes],
        "next_cursor": page.next_cursor,
        "plan": {
            "search": plan.search,
            "matching": plan.matching,
            "truncated_text": plan.truncated_text,
        },
        "index": {"version": page.version, "model": page.model, "backend": page.backend},
        "timings_ms": {**page.timings_ms},
    }


def _understanding(understanding: Understanding | None) -> Json | None:
    if understanding is None:
        return None
    return {
        "words": understanding.words,
        "applied": [
            {"text": a.text, "kind": a.kind, "effect": a.effect, "filter": {**a.filter}}
            for a in understanding.applied
        ],
        "corrected": [{"from": c.original, "to": c.replacement} for c in understanding.corrected],
    }


def _note(note: Note) -> Json:
    about = {"field": note.field, "value": note.value, "nearest": note.nearest}
    fields = {name: value for name, value in about.items() if value is not None}
    return {"code": note.code, "message": note.message, **fields}


def _cut(facet: Facet) -> bool:
    return isinstance(facet, ValueFacet) and facet.distinct > len(facet.values)


def stored_product_answer(
    product: Product, image_keys: Sequence[str], base: str, shown: int | None = None
) -> Json:
    """A product and the URLs of its pictures; `shown` is the one that represents it."""
    images = _image_urls(product.id, len(image_keys), base)
    return {
        "id": product.id,
        "product": product_answer(product),
        "image_url": images[shown or 0],
        "images": images,
    }


def product_answer(product: Product) -> Json:
    """A product's fields as `ProductAnswer` describes them."""
    return {
        "title": product.title,
        "price": product.price,
        "compare_at_price": product.compare_at_price,
        "currency": product.currency,
        "url": product.url,
        "color": product.color,
        "colors": product.colors,
        "category": product.category,
        "description": product.description,
        "brand": product.brand,
        "in_stock": product.in_stock,
        "group_id": product.group_id,
        "codes": product.codes,
        "attributes": {**product.attributes},
    }


def _hit(hit: Hit, base: str) -> Json:
    fields = stored_product_answer(hit.product, hit.image_keys, base, hit.matched_image)
    fields |= {"score": hit.score, "matched_image": hit.matched_image}
    if hit.group is not None:
        fields["group"] = _group(hit.group)
    return fields if hit.explain is None else {**fields, "explain": {**hit.explain}}


def _group(group: Group) -> Json:
    return {
        "count": group.count,
        "price": {"min": group.lowest_price, "max": group.highest_price},
        "colors": group.colors,
        "ids": group.ids,
    }


def _facet(facet: Facet) -> list[Json] | Json:
    if isinstance(facet, RangeFacet):
        buckets = [{"from": b.start, "to": b.end, "count": b.count} for b in facet.buckets]
        return {"min": facet.minimum, "max": facet.maximum, "buckets": buckets}
    return [{"value": v.value, "count": v.count} for v in facet.values]
