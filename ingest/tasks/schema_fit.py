"""Whether a write that was accepted under one version's fields fits those of the live version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from vitrine.errors import FieldError, InvalidProduct
from vitrine.fields.schema import BUILT_IN_FIELDS, FieldType, Schema
from vitrine.products import Product, Value

__all__ = ["require_fit"]

_HOLDS: Mapping[FieldType, tuple[type, ...]] = {
    FieldType.KEYWORD: (str, tuple),
    FieldType.COLOR: (str, tuple),
    FieldType.PATH: (str, tuple),
    FieldType.NUMBER: (int, float),
    FieldType.MONEY: (int, float),
    FieldType.BOOL: (bool,),
    FieldType.DATETIME: (datetime,),
    FieldType.TEXT: (str,),
}


def require_fit(content: Product | Mapping[str, Value | None], schema: Schema) -> None:
    """`InvalidProduct` for a field that the schema lacks or gives another type.

    It happens when another version went live after the write had been accepted.
    """
    values = _values(content) if isinstance(content, Product) else content.items()
    faults = [fault for name, value in values for fault in _faults(name, value, schema)]
    if faults:
        raise InvalidProduct(faults)


def _values(product: Product) -> Iterator[tuple[str, Value | None]]:
    yield from ((name, product.value(name)) for name in BUILT_IN_FIELDS)
    yield from product.attributes.items()


def _faults(name: str, value: Value | None, schema: Schema) -> Iterator[FieldError]:
    field = schema.get(name)
    if value is None or (field is None and name in BUILT_IN_FIELDS):
        return
    if field is None:
        message = f"there is no such field in the live version; it has {schema.names()}"
        yield FieldError(name, message)
    elif not isinstance(value, _HOLDS[field.type]):
        yield FieldError(name, f"must be a {field.type} value in the live version; send it again")
