"""A product as JSON text and back, without loss, and the hash that tells whether it has changed."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from operator import attrgetter
from types import MappingProxyType
from typing import Any

import orjson

from vitrine.products import TUPLE_FIELDS, Product, Value

__all__ = [
    "product_from_json",
    "product_hash",
    "product_to_json",
    "value_from_json",
    "value_to_json",
]

_BUILT_IN = tuple(name for name in Product.__dataclass_fields__ if name != "attributes")
_built_in_values = attrgetter(*_BUILT_IN)


def product_to_json(product: Product) -> bytes:
    """UTF-8 JSON of the fields that have a value."""
    values = zip(_BUILT_IN, _built_in_values(product), strict=True)
    stored = {name: value for name, value in values if value is not None and value != ()}
    if product.attributes:
        stored["attributes"] = {
            name: value_to_json(value) for name, value in product.attributes.items()
        }
    return orjson.dumps(stored)


def product_from_json(text: bytes) -> Product:
    """The product that `product_to_json` wrote."""
    stored = orjson.loads(text)
    for name in TUPLE_FIELDS:
        if name in stored:
            stored[name] = tuple(stored[name])
    attributes = {
        name: value_from_json(value) for name, value in stored.pop("attributes", {}).items()
    }
    return Product(**stored, attributes=MappingProxyType(attributes))


def value_to_json(value: Value | None) -> object:
    """A value of a field as JSON can hold it; a time is an object, which no other value is."""
    return {"at": value.isoformat()} if isinstance(value, datetime) else value


def value_from_json(stored: Any) -> Any:
    """The value that `value_to_json` made plain."""
    if isinstance(stored, dict):
        return datetime.fromisoformat(stored["at"])
    return tuple(stored) if isinstance(stored, list) else stored


def product_hash(product: Product) -> str:
    """SHA-256 (hex) over all fields of the product in canonical JSON.

    Equal products have equal hashes in every process.
    """
    fields = dict(zip(_BUILT_IN, _built_in_values(product), strict=True))
    fields["attributes"] = dict(product.attributes)
    return hashlib.sha256(_JSON.encode(fields).encode("utf-8", "surrogatepass")).hexdigest()


def _canonical(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not a value of a field")


_JSON = json.JSONEncoder(
    sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_canonical
)
