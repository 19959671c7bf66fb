"""Cells that count only between two times: the price of a sale."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from vitrine.fields.numbers import shown
from vitrine.fields.paths import value_at
from vitrine.fields.reading import FieldWarning
from vitrine.fields.scalars import is_empty, parse_datetime

__all__ = ["is_valid", "valid_now"]

_DAY = re.compile(r"[\d./-]+")
"""A date without a time of day: as an end, all of that day."""
_SHORT = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{2}|\d{4})")
"""What Magento writes, in the order of month and day that its administrator's language has."""


def valid_now(
    row: Mapping[str, Any], valid: Mapping[str, Sequence[str]]
) -> tuple[Mapping[str, Any], tuple[FieldWarning, ...]]:
    """The row without the values that are not valid now, and a warning for each time that cannot be
    read: its value is left out. `valid` maps a column to those of its times, as `is_valid` takes
    them."""
    if not valid:
        return row, ()
    warnings, now = [], datetime.now(UTC)
    for column, times in valid.items():
        if is_empty(row.get(column)):
            continue
        try:
            if is_valid(row, times, now):
                continue
        except ValueError as error:
            warnings.append(FieldWarning(times[0], f"{error}; {column} is left out"))
        row = {**row, column: None}
    return row, tuple(warnings)


def is_valid(values: Mapping[str, Any], columns: Sequence[str], now: datetime) -> bool:
    """Whether `now` is within the times of a row; a time that is missing bounds nothing.

    `columns` are those of the first and of the last time, or one of both as ISO 8601 writes an
    interval ("start/end"). `ValueError` says what is not a time.
    """
    times = [value_at(values, column) for column in columns]
    if len(times) == 1:
        start, between, end = str(times[0] or "").partition("/")
        if start.strip() and not between:
            raise ValueError(f"{shown(start)} must be two times: 2026-01-01/2026-01-31")
        times = [start, end]
    start, end = times
    return _reached(start, now) is not False and _reached(end, now, all_day=True) is not True


def _reached(time: Any, now: datetime, *, all_day: bool = False) -> bool | None:
    """Whether a time is there, with `all_day` the end of a day; None for no time."""
    if is_empty(time):
        return None
    whole = timedelta(days=all_day and isinstance(time, str) and bool(_DAY.fullmatch(time.strip())))
    answers = {now >= moment + whole for moment in _readings(time)}
    if len(answers) > 1:
        raise ValueError(f"{shown(time)} may be two days; write it as 2026-01-31")
    return answers.pop()


def _readings(time: Any) -> Iterator[datetime]:
    """The moments that a time can mean."""
    short = _SHORT.fullmatch(time.strip()) if isinstance(time, str) else None
    if short is None:
        yield parse_datetime(time)
        return
    first, second, year = (int(part) for part in short.groups())
    known = False
    for month, day in ((first, second), (second, first)):
        with suppress(ValueError):
            yield datetime(year if year > 99 else 2000 + year, month, day, tzinfo=UTC)
            known = True
    if not known:
        raise ValueError(f"{shown(time)} is not a time; write it as 2026-01-31")
