"""Paths to what objects within a column hold, for the draft of a mapping."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ingest.pictures.naming import ADDRESS_KEYS
from vitrine.fields.paths import NAME_KEYS, VALUE_KEYS, value_at
from vitrine.fields.scalars import is_empty

__all__ = ["plain_columns"]

_DEPTH = 5
"""Levels of objects that are looked into."""


def plain_columns(
    rows: Sequence[Mapping[str, Any]], columns: Iterable[str]
) -> dict[str, list[Any]]:
    """Column, or path into one -> its values in all rows; objects of pictures stay as they are.

    An object has a path for each of its keys, a list of objects one for their names
    ("tags[].name"), or for the value of each that they name ("attributes[Color]").
    """
    paths = [path for column in columns for path in _paths(column, rows, _DEPTH)]
    return {path: list(_values(rows, path)) for path in dict.fromkeys(paths)}


def _values(rows: Sequence[Mapping[str, Any]], path: str) -> Iterator[Any]:
    for row in rows:
        value = value_at(row, path)
        several = value if "[" in path and isinstance(value, list) else [value]
        yield from (each for each in several if not is_empty(each))


def _paths(path: str, rows: Sequence[Mapping[str, Any]], depth: int) -> Iterator[str]:
    values = [value_at(row, path) for row in rows]
    objects = [value for value in values if isinstance(value, Mapping)]
    entries = [entry for value in values if isinstance(value, list) for entry in value]
    listed = [entry for entry in entries if isinstance(entry, Mapping)]
    if not (objects or listed) or any(key in o for o in objects + listed for key in ADDRESS_KEYS):
        yield path
    elif depth == 0:
        return
    elif objects:
        for key in dict.fromkeys(key for each in objects for key in each):
            yield from _paths(f"{path}.{key}", rows, depth - 1)
    elif all(any(key in entry for key in VALUE_KEYS) for entry in listed):
        names = (next((e[k] for k in NAME_KEYS if isinstance(e.get(k), str)), "") for e in listed)
        yield from (f"{path}[{name}]" for name in dict.fromkeys(names) if name)
    else:
        key = next((k for k in NAME_KEYS if all(isinstance(e.get(k), str) for e in listed)), None)
        if key is not None:
            yield f"{path}[].{key}"
