"""A first mapping for a catalogue of unknown form, to be looked over by whoever knows the shop."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from ingest.catalogue.language_guess import guess_language
from ingest.catalogue.nested import plain_columns
from ingest.sources import Row, open_source
from vitrine.fields import BUILT_IN_FIELDS, parse_bool, parse_datetime
from vitrine.fields.mapping import RESERVED
from vitrine.fields.money import parse_money
from vitrine.fields.numbers import parse_number
from vitrine.fields.words import word_lists
from vitrine.settings import FetchSettings

__all__ = ["draft_mapping"]

_LOOKED_AT = 200
"""Rows from which types are guessed."""
_SHORT = 60
"""Characters of a keyword; what is longer is prose."""
_NAME = re.compile(r"[^a-z0-9]+")
_PICTURE = re.compile(r"\.(jpe?g|png|webp|gif|avif|heic)\b", re.IGNORECASE)
_FRACTION = re.compile(r"\d([.,])\d{1,2}(?!\d)(?![.,]\d)")
"""A decimal mark that nothing else can be: one or two digits follow, and no other mark."""
_PRICES = 0.9
"""Share of a column's values that are prices with a currency where it holds prices: the others may
be words, such as "on request"."""
_ZERO = re.compile(r"0+([.,]0+)?")
_NAME_PATH = re.compile(r"\[\]\.\w+$")
_NAMED_PATH = re.compile(r"\w+\[(\w[^\]]*)\]")
_NET = re.compile(r"\b(ht|hors taxes?|net|netto|excl|exkl|zzgl|sin iva)\b", re.IGNORECASE)
"""A price without tax; shoppers are shown the other one."""
_SCOPE = re.compile(r"\s*(\(.*\)|\[.*\]|[-_][a-z]{2}_[A-Z]{2}.*|[-_][A-Z]{3})$")


def draft_mapping(
    spec: str,
    settings: FetchSettings,
    *,
    currency: str | None = None,
    images: str | None = None,
    language: str | None = None,
) -> str:
    """TOML of a mapping: guessed columns of the built-in fields, types of the others, examples.

    `currency` of all prices, `images`, where names of pictures begin, and `language` stand in it
    as they are.
    """
    source = open_source(spec, settings)
    columns = dict.fromkeys(source.columns(()))
    rows = [row.values for row in islice(source.rows(), _LOOKED_AT) if isinstance(row, Row)]
    for row in rows:
        columns.update(dict.fromkeys(row))
    values = plain_columns(rows, columns)
    guessed = _product_columns(tuple(values))
    if "images" not in guessed and (pictures := _picture_columns(values)):
        guessed["images"] = pictures
    unknown = [column for column in values if column not in _taken(guessed)]
    priced = [column for column in unknown if _are_prices(values[column])]
    if "price" not in guessed and len(priced) == 1:
        guessed["price"] = priced
    parts = [f"# A draft for {spec}, from its first {len(rows)} rows: check every line."]
    parts += [f"# {note}" for note in source.notes()]
    code = language or guess_language(_texts(guessed, values))
    chosen = '# language = "en"' if code is None else f"language = {_text(code)}"
    parts += ["", f"{chosen}  # of the texts and the queries"]
    parts += _product_table(guessed, values, currency, images)
    taken = _taken(guessed)
    rest = [column for column in values if column not in taken]
    names = _field_names(rest)
    for column, name in zip(rest, names, strict=True):
        parts += _field_table(name, column, values[column])
    return "\n".join(parts) + "\n"


def _taken(guessed: Mapping[str, Sequence[str]]) -> set[str]:
    return {column for several in guessed.values() for column in several}


def _product_columns(columns: Sequence[str]) -> dict[str, list[str]]:
    """Built-in field -> the column that is called so; the price is the first of several."""
    folded: dict[str, str] = {}
    for form in (_without_scope, _folded):  # a name as it is comes before a part of it
        folded.update({form(column): column for column in reversed(columns)})
    guessed: dict[str, list[str]] = {}
    taken: set[str] = set()
    for field, names in word_lists("columns")["any"].items():
        known = dict.fromkeys(folded[name] for name in map(_folded, names) if name in folded)
        if field == "price":
            named = [column for column in known if not _NET.search(column)] or list(known)
        else:
            named = list(known)[:1]
        if named and taken.isdisjoint(named):
            guessed[field] = named
            taken.update(named)
    if "price" not in guessed:
        guessed.pop("currency_from", None)
    return guessed


def _picture_columns(values: Mapping[str, Sequence[Any]]) -> list[str]:
    """The columns most of whose values name a picture."""
    return [
        column
        for column, own in values.items()
        if sum(bool(_PICTURE.search(str(value))) for value in own) * 2 > len(own)
    ]


def _without_scope(column: str) -> str:
    """A column's name without the language, currency or remark at its end, and without "product"
    before it: "name(en-gb)", "name-en_US", "price-EUR", "Product ID [Non Editable]"; of a path
    what it leads to: "categories[].name", "attributes[Color]"."""
    named = _NAMED_PATH.fullmatch(column)
    name = _SCOPE.sub("", named.group(1) if named else _NAME_PATH.sub("", column))
    return _folded(name).removeprefix("product")


def _texts(
    guessed: Mapping[str, Sequence[str]], values: Mapping[str, Sequence[Any]]
) -> Iterator[str]:
    """What tells the catalogue's language."""
    columns = [c for field in ("title", "description", "color") for c in guessed.get(field, ())]
    return (str(value) for column in columns for value in values[column])


def _product_table(
    guessed: dict[str, list[str]],
    values: dict[str, list[Any]],
    currency: str | None,
    images: str | None,
) -> list[str]:
    lines = ["", "[product]"]
    for field in ("id", "title", "images"):
        if field not in guessed:
            instead = ' ("@row" numbers the rows)' if field == "id" else ""
            lines.append(f'{field} = ""  # no column looks like it; name one{instead}')
    for field, columns in guessed.items():
        first = values[columns[0]]
        split = _category_split(first) if field == "category" else None
        lines.append(f"{field} = {_columns_text(columns, first, split)}{_examples(first)}")
    if "price" in guessed and "currency_from" not in guessed:
        chosen = '# currency = "EUR"' if currency is None else f"currency = {_text(currency)}"
        lines.append(f"{chosen}  # of all prices")
    lines += [
        f'# {field} = ""  # no column looks like it'
        for field in ("price", "category")
        if field not in guessed
    ]
    if _decimal_commas(guessed, values):
        lines.append('decimal_mark = ","  # of all numbers: 1,250 is a little more than one')
    pictures = [str(value) for column in guessed.get("images", ()) for value in values[column]]
    if images is not None:
        lines += ["", "[images]", f"base = {_text(images)}"]
    elif pictures and not any("//" in picture for picture in pictures):
        lines += ["", "# [images]", '# base = "photos"  # folder or URL where their names begin']
    return lines


def _decimal_commas(
    guessed: Mapping[str, Sequence[str]], values: Mapping[str, Sequence[Any]]
) -> bool:
    """Whether every fraction of the catalogue's prices and numbers is behind a comma."""
    prices = {
        column for field in ("price", "compare_at_price") for column in guessed.get(field, ())
    }
    rest = values.keys() - _taken(guessed)
    numbers = {column for column in rest if _type_of(values[column])[0] in ("number", "money")}
    marks = {
        match.group(1)
        for column in prices | numbers
        for value in values[column]
        if isinstance(value, str) and (match := _FRACTION.search(value))
    }
    return marks == {","}


def _category_split(values: Sequence[Any]) -> str | None:
    """What separates several categories in one cell. A comma may stand within a name ("Home,
    Kitchen & Dining"): it separates paths, and what it joins without a blank."""
    texts = [str(value) for value in values]
    for mark, joined in (("|", r"\|"), (";", ";"), (",", r",(?=\S)|[/>].*,|,.*[/>]")):
        if sum(bool(re.search(joined, text)) for text in texts) * 3 >= len(texts) > 0:
            return mark
    return None


def _columns_text(columns: Sequence[str], first: Sequence[Any], split: str | None = None) -> str:
    """One column, or several, of which the first counts; not where it is 0, as without a sale."""
    if len(columns) == 1 and split is not None:
        return f"{{ from = {_text(columns[0])}, split = {_text(split)} }}"
    if len(columns) == 1:
        return _text(columns[0])
    listed = f"[{', '.join(map(_text, columns))}]"
    zeros = sorted({str(value) for value in first if _ZERO.fullmatch(str(value))})
    if not zeros:
        return listed
    nothing = ", ".join(f'{_text(zero)} = ""' for zero in zeros)
    return f"{{ from = {listed}, values = {{ {nothing} }} }}"


def _field_names(columns: Sequence[str]) -> list[str]:
    """Names of fields for the columns, each once and none that means something else."""
    names: list[str] = []
    for column in columns:
        plain = unicodedata.normalize("NFKD", column.casefold()).encode("ascii", "ignore").decode()
        name = _NAME.sub("_", plain).strip("_") or "field"
        name = name if name[0].isalpha() else f"field_{name}"
        if name in RESERVED or name in BUILT_IN_FIELDS or name.endswith(("_min", "_max")):
            name = f"{name}_value"
        while name in names:
            name = f"{name}_2"
        names.append(name[:64])
    return names


def _field_table(name: str, column: str, values: list[Any]) -> list[str]:
    if not values:
        return ["", f"# the column {_text(column)} is empty in all rows that were looked at"]
    kind, split = _type_of(values)
    lines = ["", f"[fields.{name}]{_examples(values)}", f"from = {_text(column)}"]
    if _folded(column) != _folded(name):  # the name lost an umlaut, or another script
        lines.append(f"label = {_text(column)}")
    lines.append(f'type = "{kind}"')
    return [*lines, f"split = {_text(split)}"] if split else lines


def _type_of(values: Sequence[Any]) -> tuple[str, str | None]:
    """The type that all values can be read as, and what separates several in one."""
    readers: tuple[tuple[str, Callable[[Any], Any]], ...] = (
        ("bool", parse_bool),
        ("number", _plain_number),
        ("datetime", parse_datetime),
    )
    for kind, reader in readers:
        if all(_can(reader, value) for value in values):
            return kind, None
    if _are_prices(values):
        return "money", None
    texts = [str(value) for value in values]
    if sum(map(len, texts)) > _SHORT * len(texts):
        return "text", None
    counts = Counter(mark for text in texts for mark in (",", ";", "|") if mark in text)
    mark, count = counts.most_common(1)[0] if counts else ("", 0)
    return "keyword", mark if count * 3 >= len(texts) else None


def _are_prices(values: Sequence[Any]) -> bool:
    """Whether nearly all values are amounts with a currency."""
    return sum(_can(_price, value) for value in values) > _PRICES * len(values)


def _price(value: Any) -> float:
    money = parse_money(value)
    if money.currency is None:
        raise ValueError("an amount of something else")
    return money.amount


def _plain_number(value: Any) -> float:
    """A number that is not an article number: those begin with zeros, or are long."""
    if isinstance(value, str) and re.fullmatch(r"0\d+|\d{9,}", value.strip()):
        raise ValueError("an identifier")
    return parse_number(value)


def _can(reader: Callable[[Any], Any], value: Any) -> bool:
    try:
        reader(value)
    except ValueError:
        return False
    return True


def _examples(values: list[Any]) -> str:
    texts = dict.fromkeys(" ".join(str(value).split())[:30] for value in values[:50])
    shown = ", ".join(islice(texts, 3))
    return f"  # {shown}" if shown else ""


def _folded(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _text(value: str) -> str:
    """A TOML string (its escapes are those of JSON)."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
