"""What every backend refuses before it writes or searches, so that all refuse the same with the
same words."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from operator import attrgetter

import numpy as np

from vitrine.errors import (
    FieldError,
    InvalidFilter,
    InvalidProduct,
    InvalidQuery,
    ModelMismatch,
)
from vitrine.fields.schema import FieldType, Schema
from vitrine.filters import Condition, Filter, Not
from vitrine.index.ports import IndexQuery, VersionInfo
from vitrine.products import Product, Record, Vector

__all__ = [
    "check_facets",
    "check_filter",
    "check_product",
    "check_query",
    "check_record",
]

NORM_TOLERANCE = 1e-2
"""How far from 1 the length of a vector may be; a model's rounding (fp16, bf16) stays far below."""


def _check_vector(vector: Vector, dimension: int) -> None:
    """`ModelMismatch` for another dimension, `InvalidQuery` for a row that is not of unit
    length."""
    if vector.shape != (dimension,):
        raise ModelMismatch(
            f"a vector has shape {vector.shape}, but this index holds vectors of {dimension}"
            " numbers"
        )
    components = vector.astype(np.float64)
    length = math.sqrt(components.dot(components))
    if not abs(length - 1) <= NORM_TOLERANCE:
        raise InvalidQuery.of("vector", f"has length {length:g}; vectors have length 1")


def check_record(record: Record, info: VersionInfo) -> None:
    """`InvalidProduct` or `ModelMismatch` when the version cannot keep the record."""
    check_product(record.product, info.schema)
    count = len(record.image_keys)
    if not 1 <= count <= info.max_images:
        raise InvalidProduct.of("images", f"has {count} pictures; allowed: 1 to {info.max_images}")
    if len(record.vectors) != count:
        raise InvalidProduct.of("images", f"{len(record.vectors)} vectors of {count} pictures")
    if (record.text_vector is not None) != info.text_vectors:
        raise InvalidProduct.of(
            "text_vector", "is required" if info.text_vectors else "is not kept by this version"
        )
    try:
        for vector in record.vectors:
            _check_vector(vector, info.dimension)
        if record.text_vector is not None:
            _check_vector(record.text_vector, info.dimension)
    except InvalidQuery as error:
        raise InvalidProduct(error.errors) from None


def check_product(product: Product, schema: Schema) -> None:
    """`InvalidProduct` with every field whose value is not of its type.

    Text must be valid Unicode.
    """
    faults = [
        FieldError(field.name, f"{value!r} is not a {field.type} value")
        for field in schema.fields
        if (value := product.value(field.name)) is not None and not _FITS[field.type](value)
    ]
    if not product.id:
        faults.append(FieldError("id", "is missing"))
    faults += [
        FieldError("", f"there is no field {n!r}; the catalogue has {schema.names()}")
        for n in product.attributes
        if n not in schema
    ]
    texts = _texts(product)
    if not _encodable("".join(texts)):
        faults += [
            FieldError("", f"{text!r} is not valid Unicode text")
            for text in texts
            if not _encodable(text)
        ]
    if faults:
        raise InvalidProduct(faults)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_words(value: object) -> bool:
    return isinstance(value, str) or (
        isinstance(value, tuple) and not [v for v in value if not isinstance(v, str)]
    )


_FITS: Mapping[FieldType, Callable[[object], bool]] = {
    FieldType.NUMBER: _is_number,
    FieldType.MONEY: _is_number,
    FieldType.BOOL: lambda value: isinstance(value, bool),
    FieldType.DATETIME: lambda value: isinstance(value, datetime) and value.tzinfo is not None,
    FieldType.TEXT: lambda value: isinstance(value, str),
    FieldType.KEYWORD: _is_words,
    FieldType.COLOR: _is_words,
    FieldType.PATH: _is_words,
}

_built_in_values = attrgetter(*(n for n in Product.__dataclass_fields__ if n != "attributes"))


def _texts(product: Product) -> list[str]:
    texts: list[str] = []
    for value in (*_built_in_values(product), *product.attributes.values()):
        if isinstance(value, str):
            texts.append(value)
        elif value and isinstance(value, tuple):
            texts += [word for word in value if isinstance(word, str)]
    return texts


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_filter(tree: Filter, schema: Schema) -> None:
    """`InvalidFilter` for a condition on a field that the schema lacks or types otherwise."""
    if isinstance(tree, Condition):
        if schema.require(tree.field.name, wrong=InvalidFilter) != tree.field:
            raise InvalidFilter.of(
                tree.field.name, f"is not a {tree.field.type} field in this catalogue"
            )
    elif isinstance(tree, Not):
        check_filter(tree.part, schema)
    else:
        for part in tree.parts:
            check_filter(part, schema)


def check_facets(fields: Iterable[str], schema: Schema) -> None:
    """`InvalidQuery` for a field that does not exist or cannot be counted."""
    for name in fields:
        if not schema.require(name, wrong=InvalidQuery, where="facets").facet:
            raise InvalidQuery.of(
                "facets", f"{name!r} cannot be counted; allowed: {', '.join(schema.facets)}"
            )


def check_query(query: IndexQuery, *, dimension: int, schema: Schema) -> None:
    """`InvalidFilter`, `InvalidQuery` or `ModelMismatch` when the query does not fit the index."""
    check_filter(query.filter, schema)
    check_facets(query.facets, schema)
    if query.vector is not None:
        _check_vector(query.vector, dimension)
    for key in query.sort.keys:
        if key.field is not None and key.field not in schema.sorts:
            allowed = ", ".join(["relevance", *(f"{name}, -{name}" for name in schema.sorts)])
            raise InvalidQuery.of("sort", f"cannot sort by {key.field!r}; allowed: {allowed}")
    if (
        query.collapse is not None
        and schema.require(query.collapse, wrong=InvalidQuery, where="collapse").type
        is not FieldType.KEYWORD
    ):
        raise InvalidQuery.of("collapse", f"{query.collapse!r} must be a keyword field")
    if query.fusion is not None and query.min_score is not None:
        raise InvalidQuery.of("min_score", "belongs to ranking by the vector alone")
    if query.limit < 1 or query.candidates < 1:
        raise InvalidQuery.of("limit" if query.limit < 1 else "candidates", "must be at least 1")
