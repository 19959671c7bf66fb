"""The columns of sources that name them in each row."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

__all__ = ["seen_columns"]

_LOOKED_AT = 100
"""Rows whose keys are looked at in any case: the first one may be of another kind."""


def seen_columns(
    rows: Iterable[Mapping[str, Any] | None], needed: Collection[str]
) -> Collection[str]:
    """The keys of the first rows, and of more until all that are needed have been seen."""
    columns: dict[str, None] = {}
    missing = set(needed)
    for number, values in enumerate(rows, start=1):
        if values is None:
            continue
        columns.update(dict.fromkeys(values))
        missing -= values.keys()
        if not missing and number >= _LOOKED_AT:
            break
    return tuple(columns)
