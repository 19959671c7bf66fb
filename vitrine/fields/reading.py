"""Raw values become a product: one reader per field type, every fault of a row told at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from vitrine.errors import FieldError, InvalidProduct
from vitrine.fields.colors import BUILT_IN_WORDS, ColorWords
from vitrine.fields.currencies import currency_code
from vitrine.fields.markup import plain_text
from vitrine.fields.money import Money, parse_money
from vitrine.fields.numbers import DecimalMark, parse_number, shown
from vitrine.fields.scalars import (
    is_empty,
    means_nothing,
    parse_bool,
    parse_datetime,
    parse_keywords,
    parse_paths,
    parse_text,
    split_cell,
)
from vitrine.fields.schema import BUILT_IN_FIELDS, Field, FieldType
from vitrine.fields.stock import parse_stock
from vitrine.products import Product, Value

__all__ = ["FieldReader", "FieldRule", "FieldWarning"]

_MAX_ID = 512
"""Characters of a product id."""
_UNSEEN = re.compile(r"[\x80-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Controls of terminals, of lines and of the direction of writing (Unicode, UAX 9): an id with one
reads as another."""

_READERS: Mapping[FieldType, Callable[[object], Value]] = {
    FieldType.KEYWORD: parse_keywords,
    FieldType.COLOR: parse_keywords,
    FieldType.PATH: parse_paths,
    FieldType.BOOL: parse_bool,
    FieldType.DATETIME: parse_datetime,
    FieldType.TEXT: parse_text,
}
_SINGLE = frozenset(("id", "brand", "group_id", "currency"))
"""Keywords of which a product has one."""
_EXACT = frozenset(("id", "group_id", "codes", "url", "currency"))
"""Fields whose text is an identifier: nothing in it is taken for a tag or an entity."""
_SCIENTIFIC = re.compile(r"\d[.,]\d+E\+\d+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FieldWarning(FieldError):
    """A harmless oddity of a field that is reported; `reason` is a code for programs."""

    reason: str = "unreadable_value"


@dataclass(frozen=True, slots=True)
class FieldRule:
    """What a mapping says of one field besides its columns; `refuse`: a fault costs the product."""

    split: str | None = None
    values: Mapping[str, str | bool | int | float] = field(default_factory=dict)
    html: bool | None = None
    factor: float | None = None
    mark: DecimalMark | None = None
    refuse: bool = True


_NO_RULE = FieldRule()
_COLORS = 256
"""Colors as products have them whose families are remembered: a catalogue repeats few."""


class FieldReader:
    """Reads the values of a catalogue's fields; `currency` and `mark` as for `parse_money`."""

    def __init__(
        self,
        *,
        currency: str | None = None,
        mark: DecimalMark | None = None,
        rules: Mapping[str, FieldRule] | None = None,
        color_words: ColorWords = BUILT_IN_WORDS,
    ) -> None:
        self._currency = currency
        self._mark = mark
        self._rules = rules or {}
        self._families = lru_cache(_COLORS)(color_words.families)

    def read(self, field: Field, raw: object) -> Value | None:
        """The field's value, None when it is empty; `ValueError` says what is wrong."""
        rule = self._rules.get(field.name, _NO_RULE)
        raw = _translated(_unwrapped(raw, field), rule)
        if is_empty(raw):
            return None
        if field.type is FieldType.MONEY:
            return None if means_nothing(raw) else self._money(raw, None, rule).amount
        if field.type is FieldType.NUMBER:
            return _scaled(parse_number(raw, mark=rule.mark or self._mark), rule.factor)
        if field.name == "in_stock":
            return parse_stock(raw)
        if rule.split is not None:
            raw = split_cell(raw, rule.split)
            if isinstance(raw, list):
                raw = _translated(raw, rule)  # of a cell with several values each is a word
            if not field.type.multiple or field.name in _SINGLE:
                raw = raw[0] if isinstance(raw, list) and raw else raw
        if field.name in _SINGLE:
            return _identifier(field.name, _without_markup(raw, field, rule))
        value = _READERS[field.type](_without_markup(raw, field, rule))
        if field.name == "codes" and isinstance(value, tuple):
            value = tuple(code.lstrip("'") for code in value)  # spreadsheets' mark of text
        return None if value in ((), "") else value

    def product(self, fields: Mapping[Field, object]) -> Product:
        """The product of raw values; `InvalidProduct` with every fault."""
        values, errors = self._values(fields)
        if errors:
            raise InvalidProduct(errors)
        return self._product(values)

    def lenient(self, fields: Mapping[Field, object]) -> tuple[Product, tuple[FieldWarning, ...]]:
        """The product of a catalogue's row, with faults of fields that may be empty as warnings.

        `InvalidProduct` with every fault that costs the product.
        """
        values, errors = self._values(fields)
        refused = [error for error in errors if self._refuses(error.field)]
        if refused:
            raise InvalidProduct(refused)
        product = self._product(values)
        left_empty = (FieldWarning(error.field, error.message) for error in errors)
        return product, (*left_empty, *self._remarks(product))

    def _values(
        self, fields: Mapping[Field, object]
    ) -> tuple[dict[str, Value | None], list[FieldError]]:
        values: dict[str, Value | None] = {}
        errors: list[FieldError] = []
        for field_, raw in fields.items():
            if field_.name == "price":
                continue
            try:
                values[field_.name] = self.read(field_, raw)
            except ValueError as error:
                errors.append(FieldError(field_.name, str(error)))
        errors += self._price(fields, values)
        errors += [
            FieldError(name, "is missing")
            for name in ("id", "title")
            if not values.get(name) and not _names(errors, name)
        ]
        return values, errors

    def _refuses(self, name: str) -> bool:
        return self._rules.get(name, _NO_RULE).refuse or name in ("id", "title")

    def _price(
        self, fields: Mapping[Field, object], values: dict[str, Value | None]
    ) -> list[FieldError]:
        """Read the price together with the currency that the row names beside it."""
        price = next((field_ for field_ in fields if field_.name == "price"), None)
        if price is None:
            return []
        rule = self._rules.get("price", _NO_RULE)
        raw = _translated(_unwrapped(fields[price], price), rule)
        if is_empty(raw) or (self._rules and means_nothing(raw)):
            return []
        beside = values.get("currency")
        try:
            money = self._money(raw, str(beside) if beside else None, rule)
        except ValueError as error:
            return [FieldError("price", str(error))]
        values["price"], values["currency"] = money.amount, money.currency
        return []

    def _money(self, raw: object, currency: str | None, rule: FieldRule) -> Money:
        return parse_money(
            raw,
            currency=currency or self._currency,
            mark=rule.mark or self._mark,
            factor=rule.factor,
        )

    def _product(self, values: Mapping[str, Value | None]) -> Product:
        filled: dict[str, Any] = {name: v for name, v in values.items() if v is not None}
        attributes = {name: filled.pop(name) for name in list(filled) if name not in _BUILT_IN}
        before = filled.get("compare_at_price")
        if before is not None and before <= filled.get("price", 0.0):
            del filled["compare_at_price"]  # nothing is reduced
        colors = self._families(filled.get("color", ()))
        return Product(**filled, colors=colors, attributes=MappingProxyType(attributes))

    def _remarks(self, product: Product) -> Iterable[FieldWarning]:
        """What was taken but looks wrong."""
        if product.color and not product.colors:
            words = ", ".join(product.color)
            yield FieldWarning(
                "color",
                f"{shown(words)} names no color that is known; "
                "add it under [colors] in the mapping, such as "
                f'"{product.color[0].casefold()}" = "red"',
                "unknown_color",
            )
        if _SCIENTIFIC.fullmatch(product.id):
            yield FieldWarning(
                "id",
                f"{product.id!r} looks like a number that a spreadsheet has cut; "
                "format the column as text and export it again",
                "cut_number",
            )


_BUILT_IN = frozenset(BUILT_IN_FIELDS)


def _unwrapped(raw: object, field_: Field) -> object:
    """The value within an object of XML; of a list, for a field with one value, its first."""
    if isinstance(raw, str):
        return raw
    if isinstance(raw, Mapping) and "#text" in raw:
        return raw["#text"]
    if isinstance(raw, list | tuple):
        values = [_unwrapped(value, field_) for value in raw if not is_empty(value)]
        if field_.type.multiple and field_.name not in _SINGLE:
            return values
        return values[0] if values else None
    return raw


def _translated(raw: object, rule: FieldRule) -> object:
    """The value for which the mapping gives another one."""
    if not rule.values:
        return raw
    if isinstance(raw, list | tuple):
        return [_translated(value, rule) for value in raw]
    key = str(raw).strip().casefold() if raw is not None else ""
    return rule.values.get(key, raw)


def _without_markup(raw: object, field_: Field, rule: FieldRule) -> object:
    if rule.html is False or field_.name in _EXACT:
        return raw
    if isinstance(raw, str):
        return plain_text(raw)
    if isinstance(raw, list | tuple):
        return [_without_markup(value, field_, rule) for value in raw]
    return raw


def _scaled(number: float, factor: float | None) -> float:
    return number if factor is None else float(f"{number * factor:.12g}")


def _identifier(name: str, raw: object) -> str | None:
    if name == "currency":
        return currency_code(raw)
    if name == "brand":
        raw = parse_keywords(raw)
        return None if not raw else _short(str(raw[0]))
    text = parse_text(raw).removeprefix("'")  # a spreadsheet's mark of text, which keeps zeros
    if not text.isprintable():
        _check_visible(name, text)
    return _short(text) or None


def _check_visible(name: str, text: str) -> None:
    if any(c in text for c in "\n\r\t"):
        raise ValueError("must stand on one line")
    odd = _UNSEEN.search(text) if name == "id" else None
    if odd is not None:
        raise ValueError(f"contains the invisible character U+{ord(odd[0]):04X}; remove it")


def _short(text: str) -> str:
    if len(text) > _MAX_ID:
        raise ValueError(f"has {len(text)} characters; at most {_MAX_ID} are allowed")
    return text


def _names(errors: list[FieldError], name: str) -> bool:
    return any(error.field == name for error in errors)
