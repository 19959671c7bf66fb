"""Readers of one value: text, keywords, category paths, truth, points in time.

Each takes what a source may hold (None and blank text mean empty) and gives the field's own type; a
`ValueError` says what is wrong in words for a shop's employee.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal

from vitrine.fields.numbers import shown

__all__ = [
    "is_empty",
    "means_nothing",
    "parse_bool",
    "parse_datetime",
    "parse_keywords",
    "parse_paths",
    "parse_text",
    "split_cell",
]

MAX_TEXT = 100_000
"""Characters of one text; a longer one is not a product's text but a mistake."""

MAX_LEVELS = 32
"""Levels of one category path."""
_LEVELS = re.compile(r"[/>»›→]")

_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")
_CONTROL = re.compile("[\x01-\x08\x0e-\x1f\x7f\ufeff]|\x0b|\x0c")
"""What word processors and terminals leave behind; a vertical tab is Word's line break."""
_TRUE = frozenset((
    "true", "yes", "y", "1", "on", "t", "ja", "wahr", "oui", "vrai", "sí", "si", "sì", "vero",
    "waar", "sim", "да", "是", "はい",
))  # fmt: skip
_FALSE = frozenset((
    "false", "no", "n", "0", "off", "f", "nein", "falsch", "non", "faux", "nee", "onwaar", "não",
    "нет", "否", "いいえ",
))  # fmt: skip
_NOTHING = frozenset(
    ("n/a", "na", "n.a.", "-", "--", "–", "—", "tbd", "tba", "none", "null", "nil", "nan", "#n/a")
)
"""What people write instead of leaving a cell empty."""
_TIMES = (
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%m/%d/%y, %I:%M %p",
    "%a, %d %b %Y %H:%M:%S %z",
)
"""Notations besides ISO 8601 that cannot mean two days: with AM and PM it is the American one,
which Magento exports; the last is that of RSS (RFC 822)."""


def is_empty(value: object) -> bool:
    """Whether the source left the field empty: None, blank text, an empty list."""
    if isinstance(value, str):
        return not value or value.isspace()
    return value is None or (isinstance(value, list | tuple) and not value)


def means_nothing(value: object) -> bool:
    """Whether the value is a word for "no value", such as N/A, - or TBD."""
    return isinstance(value, str) and value.strip().casefold() in _NOTHING


def parse_text(value: object) -> str:
    """One text without blanks around it, in Unicode's composed form (NFC).

    Whole numbers are written as they are (42, not 42.0); control characters become blanks.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError(f"must be text, not {_kind(value)}")
    text = value if isinstance(value, str) else _digits(value)
    if len(text) > MAX_TEXT:
        raise ValueError(f"has {len(text)} characters; at most {MAX_TEXT} are allowed")
    if text.isascii() and text.isprintable():
        return text.strip()
    if _FORBIDDEN.search(text):
        raise ValueError("contains a broken character; save the file as UTF-8 and write it again")
    return unicodedata.normalize("NFC", _CONTROL.sub(" ", text)).strip()


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


def split_cell(value: object, separator: str | None) -> object:
    """The values of a cell that holds several; JSON lists and non-texts stay as they are."""
    if isinstance(value, list | tuple):
        parts = [split_cell(entry, separator) for entry in value]
        return [p for part in parts for p in (part if isinstance(part, list) else [part])]
    if separator is None or not isinstance(value, str) or value.lstrip().startswith("["):
        return value
    return [part for part in value.split(separator) if part.strip()]


def parse_keywords(value: object) -> tuple[str, ...]:
    """The words of a text or a list, each once, in their order, with single blanks in them.

    A text is one keyword, commas and all.
    """
    if isinstance(value, str) and "[" not in value:
        word = "" if is_empty(value) else " ".join(parse_text(value).split())
        return (word,) if word else ()
    words = (
        ("true" if v else "false") if isinstance(v, bool) else " ".join(parse_text(v).split())
        for v in _items(value)
        if not is_empty(v)
    )
    return tuple(dict.fromkeys(w for w in words if w))


def parse_paths(value: object) -> tuple[str, ...]:
    """Category paths with "/" between their levels; " > ", "»", "›" and "→" are read as that.

    >>> parse_paths(["Men > Tops > Jackets", "/Sale/"])
    ('Men/Tops/Jackets', 'Sale')
    """
    paths = (
        "/".join(level.strip() for level in _LEVELS.split(text) if level.strip())
        for text in parse_keywords(value)
    )
    distinct = tuple(dict.fromkeys(path for path in paths if path))
    if any(path.count("/") >= MAX_LEVELS for path in distinct):
        raise ValueError(f"has more than {MAX_LEVELS} levels")
    return distinct


def parse_bool(value: object) -> bool:
    """True or false, as truth, as 1 or 0, or as a word (yes, ja, oui, on ...)."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and value in (0, 1):
        return value == 1
    if isinstance(value, str) and (word := value.strip().casefold()) in _TRUE | _FALSE:
        return word in _TRUE
    raise ValueError(
        f"{shown(value)} is neither yes nor no; write true or false, or translate it by values in"
        " the mapping"
    )


def parse_datetime(value: object) -> datetime:
    """A point in time in UTC from text, a date or a datetime; without an offset it is UTC.

    Text is ISO 8601, 31.12.2025, 2025/12/31 or what RSS writes, with or without a time of day.
    """
    if isinstance(value, str):
        value = _time_of(value.strip())
    if isinstance(value, datetime):
        when = datetime(*value.timetuple()[:6], value.microsecond, tzinfo=value.tzinfo)
        return when.replace(tzinfo=UTC) if when.tzinfo is None else _in_utc(when)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise ValueError(_not_a_time(value))


def _time_of(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        for notation in _TIMES:
            try:
                return datetime.strptime(text, notation)
            except ValueError:
                continue
    raise ValueError(_not_a_time(text))


def _not_a_time(value: object) -> str:
    return f"{shown(value)} is not a time; write it as 2026-01-31 or 2026-01-31T12:00:00+00:00"


def _in_utc(when: datetime) -> datetime:
    try:
        return when.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{when.isoformat()} is outside the years 1 to 9999") from None
