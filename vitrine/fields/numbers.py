"""Numbers as people write them: 52.00, 1.099,00, 1 299, 1'299, 1,09,999, fullwidth digits."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, TypeAlias

__all__ = ["DecimalMark", "parse_amount", "parse_number", "plain", "shown"]

DecimalMark: TypeAlias = Literal[".", ","]

MAX_LENGTH = 64
"""Characters of a number as text; longer ones are refused unread."""

_SIGNS = {
    "٫": ".",
    "٬": ",",
    "’": "'",
    "‘": "'",
    "ʼ": "'",
    "´": "'",
    "`": "'",
    "−": "-",
    "–": "-",
    "—": "-",
    "‐": "-",
    "‑": "-",
}
_BODY = re.compile(r"\d[\d.,' ]*|[.,]\d+")
_WESTERN = re.compile(r"\d{1,3}(?:[ .,']\d{3})+")
_INDIAN = re.compile(r"\d{1,2}(?:,\d{2})+,\d{3}")


def shown(value: object) -> str:
    """The value as it stands in a message, cut to a readable length."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def plain(text: str) -> str:
    """The text with ASCII digits, signs, apostrophes and single spaces, from whatever script."""
    if text.isascii():
        return " ".join(text.replace("`", "'").split())
    folded = "".join(_SIGNS.get(c, c) for c in text)
    folded = "".join(
        _SIGNS.get(c, c)
        for c in unicodedata.normalize("NFKC", folded)
        if unicodedata.category(c) != "Cf"
    )
    digits = "".join(
        str(unicodedata.decimal(c)) if unicodedata.decimal(c, None) is not None else c
        for c in folded
    )
    return " ".join(digits.split())


def parse_amount(
    text: str, *, mark: DecimalMark | None = None, three_decimals: bool = False
) -> Decimal:
    """Digits with separators, already `plain`, as a number; `ValueError` says what is wrong.

    Without `mark` (the decimal sign) the notation decides: of two different separators the last is
    the decimal sign; one that occurs several times groups thousands; a single one before exactly
    three digits groups thousands ("1.234" is 1234, because prices have at most two decimals) unless
    the part before it is 0 or has more than three digits, or the currency has `three_decimals`; any
    other single one is the decimal sign. Groups must be complete: thousands, or the Indian lakh and
    crore (1,09,999).
    """
    if _BODY.fullmatch(text) is None:
        raise ValueError(f"{shown(text)} is not a number")
    whole, fraction = _split(text, mark or _decimal_mark(text, three_decimals))
    if not (whole.isdigit() or whole == "" or _grouped(whole)) or (
        fraction and not fraction.isdigit()
    ):
        raise ValueError(
            f"{shown(text)} cannot be read: its digits are grouped in no usual way; "
            "write it like 1234.50"
        )
    return Decimal(f"{re.sub('[^0-9]', '', whole) or '0'}.{fraction or '0'}")


def _decimal_mark(text: str, three_decimals: bool) -> str | None:
    marks = [c for c in text if c in ".,' "]
    last = next((m for m in reversed(marks) if m in ".,"), None)
    if last is None or marks[-1] != last:
        return None
    if len(set(marks)) > 1:
        return last
    if len(marks) > 1:
        return None
    head, tail = text.split(last)
    groups = len(tail) == 3 and 1 <= len(head) <= 3 and head.strip("0") != ""
    return None if groups and not three_decimals else last


def _split(text: str, mark: str | None) -> tuple[str, str]:
    if mark is None or mark not in text:
        return text, ""
    whole, _, fraction = text.rpartition(mark)
    return whole, fraction


def _grouped(whole: str) -> bool:
    one_separator = len(set(re.findall("[^0-9]", whole))) == 1
    return one_separator and (
        _WESTERN.fullmatch(whole) is not None or _INDIAN.fullmatch(whole) is not None
    )


def parse_number(value: object, *, mark: DecimalMark | None = None) -> float:
    """A finite number, given as one or as text; it may be negative.

    `mark` is the catalogue's decimal sign; without it a single dot is one (a weight of 1.250 is not
    a thousand), and `parse_amount` decides on the rest. `ValueError` says what is wrong.
    """
    if isinstance(value, str):
        text = plain(value)
        if len(text) > MAX_LENGTH:
            raise ValueError(f"{shown(value)} is too long for a number")
        if mark is None and text.count(".") == 1 and not set(text) & set(",' "):
            mark = "."
        amount = float(parse_amount(text.removeprefix("-").strip(), mark=mark))
        number = -amount if text.startswith("-") else amount
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        number = _float(value)
    elif isinstance(value, Mapping):
        raise ValueError(
            f"{shown(value)} has several parts; name the one that is meant by a path in the"
            " mapping, such as price.amount"
        )
    else:
        raise ValueError(f"{shown(value)} is not a number")
    if not math.isfinite(number):
        raise ValueError(
            f"{shown(value)} is not a finite number; leave the field empty when there is none"
        )
    return number


def _float(value: int | float | Decimal) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf
