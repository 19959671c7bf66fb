"""Readers of one value: text, keywords, category paths, truth, points in time.

Each takes what a source may hold (None and blank text mean empty) and gives the field's own type; a `ValueError` says
what is wrong in words for a shop's employee.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal

from vitrine.fields.numbers import shown

__all__ = [
    "is_empty",
    "parse_bool",
    "parse_datetime",
    "parse_keywords",
    "parse_paths",
    "parse_stock",
    "parse_text",
]

MAX_TEXT = 100_000
"""Characters of one text; a longer one is no product text but a mistake."""

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_TRUE = frozenset(("true", "yes", "y", "1", "on", "t"))
_FALSE = frozenset(("false", "no", "n", "0", "off", "f"))
_IN_STOCK = frozenset(("in stock", "instock", "available", "in_stock", "limited availability"))
_OUT_OF_STOCK = frozenset(
    (
        "out of stock",
        "outofstock",
        "sold out",
        "soldout",
        "unavailable",
        "out_of_stock",
        "discontinued",
    )
)


def is_empty(value: object) -> bool:
    """Whether the source left the field empty: None, blank text, an empty list."""
    return (
        value is None
        or (isinstance(value, str) and not value.strip())
        or (isinstance(value, list | tuple) and not value)
    )


def parse_text(value: object) -> str:
    """One text without blanks around it; whole numbers are written as they are (42, not 42.0)."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError(f"must be text, not {_kind(value)}")
    text = value.strip() if isinstance(value, str) else _digits(value)
    if len(text) > MAX_TEXT:
        raise ValueError(f"has {len(text)} characters; at most {MAX_TEXT} are allowed")
    if _FORBIDDEN.search(text):
        raise ValueError(
            "contains a control or broken character; save the file as UTF-8 and remove it"
        )
    return text


def _digits(number: float | Decimal) -> str:
    if isinstance(number, float) and not math.isfinite(number):
        raise ValueError("is not a number (NaN) where text belongs; leave the field empty")
    return str(int(number)) if number == int(number) else str(number)


def _kind(value: object) -> str:
    names = {
        bool: "true or false",
        list: "a list",
        tuple: "a list",
        dict: "an object",
        bytes: "raw bytes",
    }
    return names.get(type(value), type(value).__name__)


def _items(value: object) -> Iterable[object]:
    """The items of a list, of a JSON list in a text cell, or the one value itself."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            listed = json.loads(value)
        except ValueError:
            return [value]
        return listed if isinstance(listed, list) else [value]
    return value if isinstance(value, list | tuple | set | frozenset) else [value]


def parse_keywords(value: object) -> tuple[str, ...]:
    """The words of a text or a list, each once, in their order; a text is one keyword, commas and all."""
    words = (
        ("true" if v else "false") if isinstance(v, bool) else parse_text(v)
        for v in _items(value)
        if not is_empty(v)
    )
    return tuple(dict.fromkeys(w for w in words if w))


def parse_paths(value: object) -> tuple[str, ...]:
    """Category paths with "/" between their levels; " > " and "»" between levels are read as that.

    >>> parse_paths(["Men > Tops > Jackets", "/Sale/"])
    ('Men/Tops/Jackets', 'Sale')
    """
    paths = (
        "/".join(level.strip() for level in re.split(r"/|>|»", text) if level.strip())
        for text in parse_keywords(value)
    )
    return tuple(dict.fromkeys(path for path in paths if path))


def parse_bool(value: object) -> bool:
    """True or false, as truth, as 1 or 0, or as a word (true, yes, on ...)."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and value in (0, 1):
        return value == 1
    if isinstance(value, str) and (word := value.strip().casefold()) in _TRUE | _FALSE:
        return word in _TRUE
    raise ValueError(f"{shown(value)} is neither yes nor no; write true or false")


def parse_stock(value: object) -> bool:
    """Whether a product can be bought: a truth, a stock count, or words such as "in stock" and "sold out"."""
    if (
        isinstance(value, int | float | Decimal)
        and not isinstance(value, bool)
        and math.isfinite(value)
    ):
        return value > 0
    word = value.strip().casefold() if isinstance(value, str) else ""
    if (
        word.rpartition("/")[2] in _IN_STOCK | _OUT_OF_STOCK
    ):  # schema.org writes https://schema.org/InStock
        return word.rpartition("/")[2] in _IN_STOCK
    if word.removeprefix("-").isdecimal():
        return int(word) > 0
    return parse_bool(value)


def parse_datetime(value: object) -> datetime:
    """A point in time in UTC from ISO 8601 text, a date or a datetime; without an offset it is taken as UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise ValueError(
                f"{shown(value)} is no time; write it as 2026-01-31 or 2026-01-31T12:00:00+00:00"
            ) from None
    if isinstance(value, datetime):
        when = datetime(*value.timetuple()[:6], value.microsecond, tzinfo=value.tzinfo)
        return when.replace(tzinfo=UTC) if when.tzinfo is None else _in_utc(when)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise ValueError(
        f"{shown(value)} is no time; write it as 2026-01-31 or 2026-01-31T12:00:00+00:00"
    )


def _in_utc(when: datetime) -> datetime:
    try:
        return when.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{when.isoformat()} is outside the years 1 to 9999") from None
