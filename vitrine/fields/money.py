"""Prices as shops write them: ₹1,099, 1.099,00 €, US$ 1,234.50, Rs. 499/-, CHF 1'299.–

Why our own: on a table of 48 notations price-parser 0.5.1 misread 14, and it misreads in silence
("-5" is 5, "free" is 0, "10 - 20" is 10, "１２３．５０" is 123, "٥٢٫٥٠" is 52), and Babel's
parse_decimal needs to be told the locale and takes no currency. A wrong price in a shop is worse
than a refused row. `tests/unit/fields/test_money.py` holds the table.
"""

from __future__ import annotations

import html
import math
import re
from dataclasses import dataclass
from decimal import Decimal

from vitrine.fields.currencies import CODES, SIGNS, THREE_DECIMALS
from vitrine.fields.numbers import MAX_LENGTH, DecimalMark, parse_amount, parse_number, plain, shown

__all__ = ["Money", "parse_money"]

_USUAL = re.compile(r"(\d{1,9}\.\d\d)(?: ([A-Z]{3}))?", re.ASCII)
"""What most catalogues write, 52.00 or 52.00 EUR: read without looking for anything else."""
_ROUND = re.compile(r"(?<=\d) ?(?:[.,]-+|/-|:-)|(?<=\d)\.(?!\d)")
"""Endings that say "and no cents": 19,- 19.– 499/- 49:- 5."""
_INSIDE = re.compile(r"^(\d[\d .']*)(€|£|\$)(\d\d)$")
"""The sign in the decimal sign's place: 12€50."""
_DATE = re.compile(r"\d{4}-\d\d?-\d\d?|\d\d?([./-])\d\d?\1(?:\d\d|\d{4})")
_RANGE = re.compile(r"\d[^\d-]*-[^\d-]*\d")
_LOWEST = re.compile(
    r"\b(?:from|starting at|ab|dès|à partir de|desde|a partir de|da|vanaf|от)\s.*\d",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"-?(?:\d[\d.,' ]*\d|(?<![^\W_])[.,]?\d+)")
"""The amount; the dot of "Rs.499" is none of it."""
_REMARK = re.compile(
    r"[\s(/]*(?:ink?l\.?|incl?\.?|zzgl\.?|excl?\.?|plus)\s+(?:mwst|ust|vat|gst|tax|tva|iva|btw|"
    r"sales tax)\.?\)?$|[\s(/]*(?:each|ea\.?|per (?:item|piece|unit)|pro stück|/\s?st(?:ü|u)ck|"
    r"ttc|ht|税込|税抜)\)?$|\s*\*+$",
    re.IGNORECASE,
)
"""What stands behind a price and does not change it."""
_NOISE = 1e-6
_FLOAT32 = 6e-8
"""Half the distance of two 32-bit floats, relative to their size (IEEE 754 binary32)."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount and its currency; None where it names none, or one of many, such as "kr"."""

    amount: float
    currency: str | None = None


def parse_money(
    value: object,
    *,
    currency: str | None = None,
    mark: DecimalMark | None = None,
    factor: float | None = None,
) -> Money:
    """Read a price given as a number or as text.

    `ValueError` says what is wrong in words for a shop's employee. `currency` is the catalogue's
    own: it settles what "$", "¥" or "kr" mean, and a price in another one is refused. `mark` is the
    catalogue's decimal sign; without it `parse_amount` decides, so "1.234" is 1234. `factor` makes
    the price out of the number (0.01 for cents). "$" alone is read as USD, "¥" as JPY, "Rs" as INR.
    Negative, infinite and missing amounts, ranges and words are refused. An amount in a known
    currency is exact to that currency's digits: 19.989999771118164, a price that was stored as a
    32-bit float, is 19.99.
    """
    if not isinstance(value, str):
        amount: float | Decimal = parse_number(value)
        return _money(amount, currency, factor, value)
    usual = _USUAL.fullmatch(value)
    if usual is not None and mark != "," and usual[2] in (None, currency):
        return _money(float(usual[1]), currency, factor, value)
    text = plain(html.unescape(value))
    if len(text) > MAX_LENGTH:
        raise ValueError(f"{shown(value)} is too long for a price")
    text = _INSIDE.sub(r"\1.\3\2", text)
    text = _ROUND.sub("", text)
    text = _REMARK.sub("", text)
    if _DATE.fullmatch(text):
        raise ValueError(
            f"{shown(value)} is a date, not a price; where a spreadsheet has made it of one, format"
            " the column as text and export it again"
        )
    if _RANGE.search(text):
        raise ValueError(f"{shown(value)} is a range; give one price, such as the lowest")
    if _LOWEST.match(text):
        raise ValueError(
            f"{shown(value)} is the lowest of several prices; give one price, the amount alone"
        )
    number = _DIGITS.search(text)
    if number is None:
        raise ValueError(
            f"{shown(value)} is not a price; write a number such as 52.00 (0 when it is free)"
        )
    around = [text[: number.start()].strip(), text[number.end() :].strip()]
    if (
        number.group().startswith("-")
        or around[0].startswith(("-", "("))
        or around[0].endswith("-")
        or around[1] == "-"
    ):
        raise ValueError(f"{shown(value)} is negative; a price is 0 or more")
    named = _currency([a for a in around if a], value, currency)
    amount = parse_amount(number.group(), mark=mark, three_decimals=named in THREE_DECIMALS)
    return _money(amount, named, factor, value)


def _money(
    amount: float | Decimal, currency: str | None, factor: float | None, value: object
) -> Money:
    if factor is not None:
        amount = Decimal(str(amount)) * Decimal(str(factor))
    return Money(_exact(_checked(amount, value), currency), currency)


def _exact(amount: float, currency: str | None) -> float:
    """Without the noise of 32-bit floats and of sums of floats; other digits are the shop's own."""
    if currency is None:
        return amount
    digits = 3 if currency in THREE_DECIMALS else 2
    rounded = round(amount, digits)
    noise = max(_NOISE, amount * _FLOAT32)
    return rounded if abs(rounded - amount) <= noise else round(amount, 4)


def _currency(signs: list[str], value: str, expected: str | None) -> str | None:
    """What the text beside the digits names; `expected` where that is among what it may mean."""
    if not signs:
        return expected
    meanings = [_meanings(sign, value) for sign in signs]
    common = [code for code in meanings[0] if all(code in further for further in meanings)]
    if not common:
        raise ValueError(
            f"{shown(value)} names two currencies, {' and '.join(m[0] for m in meanings)}"
        )
    if expected is None or expected in common:
        return expected or common[0] or None
    raise ValueError(
        f"{shown(value)} is in {common[0] or common[1]}, "
        f"but the catalogue's prices are in {expected}"
    )


def _meanings(sign: str, value: str) -> tuple[str, ...]:
    """The currencies that a code, a sign, or a code before its own sign ("CAD $") may stand for."""
    named = _known(sign) or _known(sign.replace(" ", ""))
    code, _, rest = sign.partition(" ")
    if named is None and code.upper() in CODES and code.upper() in (_known(rest) or ()):
        named = (code.upper(),)
    if named is None:
        raise ValueError(
            f"{shown(value)} is not a price: {shown(sign)} is not a currency; "
            "write only the amount and its currency"
        )
    return named


def _known(sign: str) -> tuple[str, ...] | None:
    if sign.upper() in CODES:
        return (sign.upper(),)
    return SIGNS.get(sign.casefold().rstrip("."))


def _checked(amount: float | Decimal, value: object) -> float:
    number = float(amount)
    if not math.isfinite(number):
        raise ValueError(f"{shown(value)} is more than any price")
    if number < 0:
        raise ValueError(f"{shown(value)} is negative; a price is 0 or more")
    return number
