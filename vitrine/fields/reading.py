"""Raw values become a product: one reader per field type, every fault of a row told at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from vitrine.errors import FieldError, InvalidProduct
from vitrine.fields.colors import families
from vitrine.fields.currencies import currency_code
from vitrine.fields.money import Money, parse_money
from vitrine.fields.numbers import DecimalMark, parse_number
from vitrine.fields.scalars import (
    is_empty,
    parse_bool,
    parse_datetime,
    parse_keywords,
    parse_paths,
    parse_stock,
    parse_text,
)
from vitrine.fields.schema import BUILT_IN_FIELDS, Field, FieldType
from vitrine.products import Product, Value

__all__ = ["MAX_ID", "FieldReader"]

MAX_ID = 512
"""Characters of a product id."""

_READERS: Mapping[FieldType, Callable[[object], Value]] = {
    FieldType.KEYWORD: parse_keywords,
    FieldType.COLOR: parse_keywords,
    FieldType.PATH: parse_paths,
    FieldType.NUMBER: parse_number,
    FieldType.BOOL: parse_bool,
    FieldType.DATETIME: parse_datetime,
    FieldType.TEXT: parse_text,
}


class FieldReader:
    """Reads the values of one catalogue's fields; `currency` and `mark` are as for `parse_money`."""

    def __init__(self, *, currency: str | None = None, mark: DecimalMark | None = None) -> None:
        self._currency = currency
        self._mark = mark

    def read(self, field: Field, raw: object) -> Value | None:
        """The field's value, None when it is empty; `ValueError` says what is wrong."""
        if is_empty(raw):
            return None
        if field.type is FieldType.MONEY:
            return self._money(raw, None).amount
        if field.name == "in_stock":
            return parse_stock(raw)
        if field.name in ("id", "brand", "group_id", "currency"):
            return _identifier(field.name, raw)
        value = _READERS[field.type](raw)
        return None if value in ((), "") else value

    def product(self, fields: Mapping[Field, object]) -> Product:
        """The product of raw values; `InvalidProduct` with every fault."""
        values: dict[str, Value | None] = {}
        errors: list[FieldError] = []
        for field, raw in fields.items():
            if field.name == "price":
                continue
            try:
                values[field.name] = self.read(field, raw)
            except ValueError as error:
                errors.append(FieldError(field.name, str(error)))
        errors += self._price(fields, values)
        errors += [
            FieldError(name, "is missing")
            for name in ("id", "title")
            if not values.get(name) and not _names(errors, name)
        ]
        if errors:
            raise InvalidProduct(errors)
        return _product(values)

    def _price(
        self, fields: Mapping[Field, object], values: dict[str, Value | None]
    ) -> list[FieldError]:
        """Read the price together with the currency that the row names beside it."""
        raw = next((raw for field, raw in fields.items() if field.name == "price"), None)
        beside = values.get("currency")
        if is_empty(raw):
            return []
        try:
            money = self._money(raw, str(beside) if beside else None)
        except ValueError as error:
            return [FieldError("price", str(error))]
        values["price"], values["currency"] = money.amount, money.currency
        return []

    def _money(self, raw: object, currency: str | None) -> Money:
        return parse_money(raw, currency=currency or self._currency, mark=self._mark)


def _identifier(name: str, raw: object) -> str | None:
    if name == "currency":
        return currency_code(raw)
    text = parse_text(raw)
    if len(text) > MAX_ID:
        raise ValueError(f"has {len(text)} characters; at most {MAX_ID} are allowed")
    if any(c in text for c in "\n\r\t"):
        raise ValueError("must stand on one line")
    return text or None


def _names(errors: list[FieldError], name: str) -> bool:
    return any(error.field == name for error in errors)


def _product(values: Mapping[str, Value | None]) -> Product:
    given: dict[str, Any] = {name: value for name, value in values.items() if value is not None}
    attributes = {name: given.pop(name) for name in list(given) if name not in BUILT_IN_FIELDS}
    return Product(
        **given, colors=families(given.get("color", ())), attributes=MappingProxyType(attributes)
    )
