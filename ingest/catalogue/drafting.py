"""A first mapping for a catalogue of unknown form, to be looked over by whoever knows the shop."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from ingest.sources import Row, open_source
from vitrine.fields import BUILT_IN_FIELDS, parse_bool, parse_datetime
from vitrine.fields.mapping import RESERVED
from vitrine.fields.numbers import parse_number
from vitrine.fields.scalars import is_empty
from vitrine.fields.words import word_lists
from vitrine.settings import FetchSettings

__all__ = ["draft_mapping"]

_LOOKED_AT = 200
"""Rows from which types are guessed."""
_SHORT = 60
"""Characters of a keyword; what is longer is prose."""
_NAME = re.compile(r"[^a-z0-9]+")


def draft_mapping(spec: str, settings: FetchSettings) -> str:
    """TOML of a mapping: guessed columns of the built-in fields, types of the others, examples."""
    source = open_source(spec, settings)
    columns = dict.fromkeys(source.columns(()))
    rows = [row.values for row in islice(source.rows(), _LOOKED_AT) if isinstance(row, Row)]
    for row in rows:
        columns.update(dict.fromkeys(row))
    values = {
        column: [row[column] for row in rows if not is_empty(row.get(column))] for column in columns
    }
    guessed = _product_columns(tuple(columns))
    parts = [f"# A draft for {spec}, from its first {len(rows)} rows: check every line."]
    parts += [f"# {note}" for note in source.notes()]
    parts += _product_table(guessed, values)
    rest = [column for column in columns if column not in guessed.values()]
    names = _field_names(rest)
    for column, name in zip(rest, names, strict=True):
        parts += _field_table(name, column, values[column])
    return "\n".join(parts) + "\n"


def _product_columns(columns: Sequence[str]) -> dict[str, str]:
    """Built-in field -> the column that is called so."""
    folded = {_folded(column): column for column in reversed(columns)}
    guessed: dict[str, str] = {}
    for field, names in word_lists("columns")["any"].items():
        column = next((folded[name] for name in map(_folded, names) if name in folded), None)
        if column is not None and column not in guessed.values():
            guessed[field] = column
    if "price" not in guessed:
        guessed.pop("currency_from", None)
    return guessed


def _product_table(guessed: dict[str, str], values: dict[str, list[Any]]) -> list[str]:
    lines = ["", "[product]"]
    for field in ("id", "title", "images"):
        if field not in guessed:
            instead = ' ("@row" numbers the rows)' if field == "id" else ""
            lines.append(f'{field} = ""  # no column looks like it; name one{instead}')
    for field, column in guessed.items():
        lines.append(f"{field} = {_text(column)}{_examples(values[column])}")
    if "price" in guessed and "currency_from" not in guessed:
        lines.append('# currency = "EUR"  # of all prices')
    return lines


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
    lines.append(f'type = "{kind}"')
    return [*lines, f"split = {_text(split)}"] if split else lines


def _type_of(values: list[Any]) -> tuple[str, str | None]:
    """The type that all values can be read as, and what separates several in one."""
    readers: tuple[tuple[str, Callable[[Any], Any]], ...] = (
        ("bool", parse_bool),
        ("number", _plain_number),
        ("datetime", parse_datetime),
    )
    for kind, reader in readers:
        if all(_can(reader, value) for value in values):
            return kind, None
    texts = [str(value) for value in values]
    if sum(map(len, texts)) > _SHORT * len(texts):
        return "text", None
    counts = Counter(mark for text in texts for mark in (",", ";", "|") if mark in text)
    mark, count = counts.most_common(1)[0] if counts else ("", 0)
    return "keyword", mark if count * 3 >= len(texts) else None


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
