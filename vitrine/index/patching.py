"""Changing some fields of a product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from vitrine.errors import FieldError, InvalidProduct
from vitrine.fields.colors import BUILT_IN_WORDS, ColorWords
from vitrine.fields.schema import BUILT_IN_FIELDS, Schema
from vitrine.products import TUPLE_FIELDS, Product, Value

__all__ = ["patched"]


def patched(
    product: Product,
    changes: Mapping[str, Value | None],
    schema: Schema,
    *,
    color_words: ColorWords = BUILT_IN_WORDS,
) -> Product:
    """The product with the changed fields; None empties one, and new colors bring their families.

    `InvalidProduct` for a field the schema lacks, another id, or a title taken away.
    """
    faults = [
        FieldError(n, f"there is no such field; the catalogue has {schema.names()}")
        for n in changes
        if n not in schema
    ]
    if "id" in changes and changes["id"] != product.id:
        faults.append(FieldError("id", "cannot be changed"))
    if "title" in changes and not changes["title"]:
        faults.append(FieldError("title", "is missing; a product must keep a title"))
    if faults:
        raise InvalidProduct(faults)
    built_in: dict[str, Any] = {
        n: _built_in(n, v) for n, v in changes.items() if n in BUILT_IN_FIELDS
    }
    if "color" in built_in:
        built_in["colors"] = color_words.families(built_in["color"])
    attributes = dict(product.attributes) | {
        n: v for n, v in changes.items() if n not in BUILT_IN_FIELDS
    }
    present = {n: v for n, v in attributes.items() if v is not None and v != ()}
    return replace(product, **built_in, attributes=MappingProxyType(present))


def _built_in(name: str, value: Value | None) -> Value | None:
    if name in TUPLE_FIELDS:
        return () if value is None else (value,) if isinstance(value, str) else value
    if isinstance(value, tuple):  # the other built-in fields hold one value
        return value[0] if value else None
    return value
