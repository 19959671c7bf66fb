"""Products and changes as API callers send them: JSON objects by field name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from vitrine.errors import FieldError, InvalidProduct
from vitrine.fields.colors import BUILT_IN_WORDS, ColorWords
from vitrine.fields.currencies import currency_code
from vitrine.fields.money import parse_money
from vitrine.fields.reading import FieldReader
from vitrine.fields.scalars import is_empty
from vitrine.fields.schema import Field, Schema
from vitrine.products import Product, Value

__all__ = ["changes_from_json", "product_from_json"]


def product_from_json(
    data: object, schema: Schema, *, color_words: ColorWords = BUILT_IN_WORDS
) -> Product:
    """The product of a JSON object such as {"id": "1", "title": "Mug", "price": 4.5}.

    The keys are the schema's fields, the further ones also inside "attributes" as answers have
    them; `image` and `images` are the caller's part and not looked at. Values may be of the field's
    type or in any notation that a catalogue file may use; `color_words` sort its colors into
    families. `InvalidProduct` with every fault.
    """
    values = _object(data)
    errors = _unknown(values, schema, (*(f.name for f in schema), "image", "images"))
    try:
        reader = FieldReader(color_words=color_words)
        product = reader.product({f: values.get(f.name) for f in schema})
    except InvalidProduct as error:
        raise InvalidProduct([*errors, *error.errors]) from None
    if errors:
        raise InvalidProduct(errors)
    return product


def changes_from_json(data: object, schema: Schema) -> dict[str, Value | None]:
    """Changes of a known product by field name, as `VectorIndex.patch` takes them.

    Null empties a field. `InvalidProduct` with every fault: an unknown field, a wrong value, an id,
    an image, or a title taken away.
    """
    values = _object(data)
    allowed = tuple(f.name for f in schema if f.name != "id")
    errors = _unknown(values, schema, allowed)
    if not values:
        errors.append(FieldError("", f"names no field to change; allowed: {', '.join(allowed)}"))
    changes: dict[str, Value | None] = {}
    for field in schema:
        if field.name not in values or field.name == "id":
            continue
        try:
            changes |= _change(field, values, schema)
        except ValueError as error:
            errors.append(FieldError(field.name, str(error)))
    if errors:
        raise InvalidProduct(errors)
    return changes


def _change(field: Field, values: Mapping[str, Any], schema: Schema) -> dict[str, Value | None]:
    raw = values[field.name]
    if field.name == "price" and not is_empty(raw):
        return dict(_price(raw, values.get("currency"), "currency" in schema))
    value = FieldReader().read(field, raw)
    if field.name == "title" and value is None:
        raise ValueError("is missing; a product must keep a title")
    return {field.name: value}


def _price(raw: object, currency: object, has_currency: bool) -> Iterator[tuple[str, Value]]:
    """The amount, and the currency that stands beside it."""
    money = parse_money(raw, currency=None if is_empty(currency) else currency_code(currency))
    yield "price", money.amount
    if has_currency and money.currency:
        yield "currency", money.currency


def _object(data: object) -> Mapping[str, Any]:
    if not isinstance(data, Mapping) or not all(isinstance(key, str) for key in data):
        raise InvalidProduct.of("", f"must be a JSON object of fields, not {type(data).__name__}")
    further = data.get("attributes")
    if not isinstance(further, Mapping):
        return data
    return {**{name: value for name, value in data.items() if name != "attributes"}, **further}


def _unknown(values: Mapping[str, Any], schema: Schema, allowed: Iterable[str]) -> list[FieldError]:
    names = tuple(allowed)
    reasons = {
        "id": "cannot be changed",
        "image": "cannot be changed without a new vector; send images, or the whole product",
        "colors": "is derived from color; leave it out",
    }
    faults = []
    for name in values:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            faults.append(
                FieldError(
                    name,
                    reasons.get(
                        name, f"is not a field of the catalogue{hint}; it has {schema.names()}"
                    ),
                )
            )
    return faults
