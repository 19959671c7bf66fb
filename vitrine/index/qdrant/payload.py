"""What a point holds: the product as it is, and the terms that it is filtered and ordered by.

```
id, title, price, ...  the fields of Product; empty ones are left out
attributes      {name: value} of the mapping's further fields
_words          {text field: its casefolded words, each once, parted by spaces}
_terms          {color field: families and colors as written, casefolded; path field: every prefix}
_folded         {keyword, color or path field: folded, for conditions and the counts of facets}
_id0, _id1 ...  six bytes of the id each, as a number that Qdrant can order by; _title0 ... of the
                folded title
_exact          {number field: its digits as text}, for numbers with more digits than `number` keeps
_keys           what the product is found by exactly (`vitrine.words.exact`)
_seq            when it was written (`clock`)
_image_keys     of its pictures, in their order; where a version keeps one picture, `_image_key`
_hash
```
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from vitrine.fields.colors import families
from vitrine.fields.schema import BUILT_IN_FIELDS, Field, FieldType, Schema
from vitrine.filters import folded_value, folded_words, is_folded, words
from vitrine.index.ports import Stamp, VersionInfo
from vitrine.index.product_json import product_hash
from vitrine.index.qdrant.point import Point
from vitrine.index.qdrant.sortable_text import depth, prefix_keys
from vitrine.index.qdrant.vectors import VectorLayout
from vitrine.products import TUPLE_FIELDS, Product, Record, Value

__all__ = [
    "DERIVED_KEYS",
    "ID",
    "KEYS",
    "SEQ",
    "STAMP_KEYS",
    "exact_number",
    "facet_key",
    "facet_keys",
    "filter_key",
    "folded_key",
    "group_of",
    "groups_of",
    "image_keys",
    "image_keys_payload",
    "number",
    "number_keys",
    "payload_of",
    "point_id",
    "product_of",
    "product_payload",
    "record_of",
    "searchable",
    "stamp_of",
    "terms",
    "value_at",
    "value_key",
]

ID = "id"
SEQ = "_seq"
KEYS = "_keys"
_IMAGE_KEYS = ["_image_keys", "_image_key"]
DERIVED_KEYS = [
    "_words",
    "_terms",
    "_folded",
    *(f"{stem}{i}" for stem in ("_id", "_title") for i in range(depth(stem))),
]
"""What follows from the product and is there for conditions and orders alone."""
STAMP_KEYS = [ID, *_IMAGE_KEYS, "_hash"]

_POINTS = uuid.UUID("6f0d7a86-5c0b-5a55-9a8e-3b6f4a1a1d21")
_DERIVED_KEYS = {FieldType.TEXT: "_words", FieldType.COLOR: "_terms", FieldType.PATH: "_terms"}


def point_id(product_id: str) -> str:
    """The id of a product's point: the same in every process and every version."""
    return str(uuid.uuid5(_POINTS, product_id))


def value_key(field: Field) -> str:
    """Payload path of the field's own value."""
    return field.name if field.name in BUILT_IN_FIELDS else f"attributes.{field.name}"


def filter_key(field: Field) -> str:
    """Payload path that conditions on the field look at."""
    derived = _DERIVED_KEYS.get(field.type)
    return value_key(field) if derived is None else f"{derived}.{field.name}"


def folded_key(field: Field) -> str:
    """Payload path whose values are compared with folded ones, where `is_folded`."""
    return f"_folded.{field.name}"


def facet_key(field: Field) -> str:
    """Payload path whose values are counted: families of colors, every prefix of paths."""
    return "colors" if field.name == "color" else filter_key(field)


def value_at(payload: Mapping[str, Any], path: str) -> Any:
    """The value under a payload path; None where there is none."""
    value: Any = payload
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def group_of(payload: Mapping[str, Any], key: str) -> str | None:
    """The value (the first, where there are several) that products are collapsed by."""
    value = value_at(payload, key)
    if isinstance(value, list):
        return str(value[0]) if value else None
    return None if value is None else str(value)


def groups_of(payloads: Sequence[Mapping[str, Any]], key: str) -> list[Hashable]:
    """The group of each product; one without a group is a group of its own."""
    groups = (group_of(payload, key) for payload in payloads)
    return [number if group is None else group for number, group in enumerate(groups)]


def facet_keys(field: Field) -> list[str]:
    """Payload paths that counting the field's values here, rather than in Qdrant, looks at."""
    return number_keys(field) if field.type.numeric else [facet_key(field)]


def payload_of(record: Record, info: VersionInfo, *, seq: int) -> dict[str, Any]:
    """The payload of a record's point; see the module's table."""
    images = image_keys_payload(record.image_keys, info)
    return product_payload(record.product, info) | images | {SEQ: seq}


def image_keys_payload(keys: Sequence[str], info: VersionInfo) -> dict[str, Any]:
    """The part of the payload that names the pictures."""
    return {"_image_key": keys[0]} if info.max_images == 1 else {"_image_keys": list(keys)}


def image_keys(payload: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys of the pictures of a point that was read with `_IMAGE_KEYS`."""
    keys: Sequence[str] | None = payload.get("_image_keys")
    return (str(payload["_image_key"]),) if keys is None else tuple(keys)


def product_payload(product: Product, info: VersionInfo) -> dict[str, Any]:
    """The part of the payload that follows from the product alone."""
    own = {
        name: _plain(getattr(product, name))
        for name in Product.__dataclass_fields__
        if name != "attributes"
    }
    attributes = {name: _plain(value) for name, value in product.attributes.items()}
    payload: dict[str, Any] = {
        name: value for name, value in own.items() if value is not None and value != []
    }
    derived: dict[str, Any] = {
        "attributes": {n: v for n, v in attributes.items() if v != []},
        "_words": {},
        "_terms": {},
        "_folded": {},
    }
    for field in info.schema:
        if field.type in _DERIVED_KEYS:
            derived[_DERIVED_KEYS[field.type]][field.name] = terms(field, product, info)
        if info.words and is_folded(field):
            derived["_folded"][field.name] = _folded(field, product, info)
    for name in ("_words", "_terms", "_folded"):
        derived[name] = {n: v for n, v in derived[name].items() if v is not None and v != []}
    derived["_exact"] = {
        f.name: json.dumps(v)
        for f in info.schema
        if f.type.numeric and (v := product.value(f.name)) is not None and number(v) != v
    }
    payload |= {name: values for name, values in derived.items() if values}
    return (
        payload
        | prefix_keys("_id", product.id)
        | prefix_keys("_title", VectorLayout.of(info).title_form(product.title))
        | {"_hash": product_hash(product)}
    )


def terms(field: Field, product: Product, info: VersionInfo) -> str | list[str] | None:
    """What conditions on a TEXT, COLOR or PATH field compare with.

    A text without any word still has a value, the empty one. Versions made before words were kept
    have those of texts casefolded only.
    """
    value = product.value(field.name)
    if field.type is FieldType.TEXT:
        form = folded_words if info.words else words
        return None if value is None else searchable(form(str(value)))
    values = _several(value)
    if field.type is FieldType.PATH:
        return list(dict.fromkeys(prefix for path in values for prefix in _prefixes(path)))
    known = product.colors if field.name == "color" else families(values)
    return list(dict.fromkeys([*known, *(v.strip().casefold() for v in values)]))


def _folded(field: Field, product: Product, info: VersionInfo) -> list[str]:
    value: Any = product.value(field.name)
    keywords = field.type is FieldType.KEYWORD
    values = _several(value) if keywords else terms(field, product, info) or ()
    return list(dict.fromkeys(folded_value(field, text) for text in values))


def searchable(words_of: Iterable[str]) -> str:
    """Words as the index takes them: whole, parted by single spaces.

    An underscore becomes a letter that looks like it, because the tokenizer of the client's local
    mode would split there.
    """
    return " ".join(dict.fromkeys(word.replace("_", "ˍ") for word in words_of))


def _prefixes(path: str) -> list[str]:
    parts = path.strip("/").split("/")
    return ["/".join(parts[: n + 1]) for n in range(len(parts))]


def _several(value: Value | None) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else () if value is None else (str(value),)


def number(value: Any) -> float:
    """The number to 15 significant digits.

    Qdrant keeps payloads as JSON and reads more digits back with an error in the last place; then a
    filter for a product's own price could miss it. Stored numbers and operands are rounded alike.
    """
    return float(f"{value:.15g}")


def exact_number(payload: Mapping[str, Any], field: Field) -> Any:
    """A NUMBER or MONEY field's value with all its digits; None without one."""
    digits = value_at(payload, f"_exact.{field.name}")
    return value_at(payload, value_key(field)) if digits is None else json.loads(digits)


def number_keys(field: Field) -> list[str]:
    """Payload paths that `exact_number` looks at."""
    return [value_key(field), f"_exact.{field.name}"]


def _plain(value: Value | None) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def product_of(payload: Mapping[str, Any], schema: Schema) -> Product:
    """The product of a point's payload."""
    exact = {n: json.loads(digits) for n, digits in payload.get("_exact", {}).items()}
    own = {
        n: exact.get(n, payload[n])
        for n in Product.__dataclass_fields__
        if n in payload and n != "attributes"
    }
    built_in: dict[str, Any] = {n: tuple(v) if n in TUPLE_FIELDS else v for n, v in own.items()}
    attributes = {
        n: exact.get(n, _typed(v, schema.get(n))) for n, v in payload.get("attributes", {}).items()
    }
    return Product(**built_in, attributes=MappingProxyType(attributes))


def _typed(stored: Any, field: Field | None) -> Value:
    if field is not None and field.type is FieldType.DATETIME:
        return datetime.fromisoformat(stored)
    return tuple(stored) if isinstance(stored, list) else stored


def record_of(point: Point, schema: Schema) -> Record:
    """The record of a point that was read with payload and vectors."""
    return Record(
        product_of(point.payload, schema), point.pictures, image_keys(point.payload), point.text
    )


def stamp_of(payload: Mapping[str, Any]) -> Stamp:
    """The stamp of a point that was read with `STAMP_KEYS`."""
    return Stamp(image_keys(payload), payload["_hash"])
