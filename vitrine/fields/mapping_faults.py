"""What is wrong with a mapping, in words for whoever wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from vitrine.errors import FieldError
from vitrine.fields.columns import AttributeColumn, Column, ImagesTable, ProductColumns
from vitrine.fields.source_table import SourceTable
from vitrine.validation import plain_words

__all__ = ["ROW_NUMBER", "fault_of"]

ROW_NUMBER = "@row"
"""In place of a column for `id`: the row's number in the source, from 0.

For sources that have no id column and whose order never changes.
"""

_TABLES: Mapping[str, type[Any]] = {
    "product": ProductColumns,
    "source": SourceTable,
    "images": ImagesTable,
}


def fault_of(error: Mapping[str, Any]) -> FieldError:
    """One of pydantic's errors as one of ours."""
    path = [str(part) for part in error["loc"]]
    key = ".".join(path)
    allowed = _keys(path)
    if error["type"] == "missing":
        return FieldError(key, _lacking("missing", path))
    if error["type"] == "extra_forbidden":
        near = get_close_matches(path[-1], allowed, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        further = " (further fields go under [fields.NAME])" if path[0] == "product" else ""
        return FieldError(
            key,
            f"is not a key of a mapping{hint}; allowed here: {', '.join(allowed)}{further}",
        )
    if error["type"] == "string_too_short" and path[-2:-1] == ["from"]:
        return FieldError(".".join(path[:-2]), _lacking("empty", path[:-2]))
    message = plain_words(str(error["msg"]))
    return FieldError(key, message[:1].lower() + message[1:])


def _lacking(how: str, path: list[str]) -> str:
    what = "a table" if len(path) == 1 else "the column it is read from"
    instead = f', or "{ROW_NUMBER}" for the row number' if path[-1] == "id" else ""
    return f"is {how}; name {what}{instead}"


def _keys(path: list[str]) -> tuple[str, ...]:
    """The keys that are allowed where the path ends."""
    if len(path) == 1:
        return ("product", "source", "fields", "images", "colors", "language")
    table = _TABLES.get(path[0])
    if table is not None and len(path) == 2:
        return tuple(table.model_fields)
    column = AttributeColumn if path[0] == "fields" else Column
    return tuple("from" if name == "names" else name for name in column.model_fields)
