"""Amounts of money in a query: a number, with a currency on either side or none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vitrine.fields.currencies import CODES, SIGNS
from vitrine.fields.numbers import parse_amount, plain
from vitrine.understanding.grammar import Grammar
from vitrine.understanding.lexing import Lexeme

__all__ = ["Amount", "amount_at", "currency_at"]

_THOUSANDS = re.compile(r"(\d*(?:[.,]\d+)?)([^\W\d_]+)")


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of money: its value, the currencies that it may be in (none if it names none), and
    the index of the token after it."""

    value: float
    currencies: tuple[str, ...]
    end: int

    @property
    def is_bare(self) -> bool:
        """Whether it names no currency."""
        return not self.currencies

    @property
    def looks_like_a_year(self) -> bool:
        """Whether it could be a year: 1900 to 2100 without a currency."""
        return self.is_bare and self.value.is_integer() and 1900 <= self.value <= 2100


def amount_at(lexemes: Sequence[Lexeme], index: int, grammar: Grammar) -> Amount | None:
    """The amount that begins at a token, None where there is none, or where the number counts
    something else."""
    length, before = currency_at(lexemes, index, grammar)
    start = index + length
    if before and start < len(lexemes) and lexemes[start].folded == ".":  # Rs. 500
        start += 1
    number = _number_at(lexemes, start, grammar)
    if number is None:
        return None
    value, end = number
    currencies, end = _narrowed(before, lexemes, end, grammar)
    if not currencies and _counts_something(lexemes, start, end, grammar):
        return None
    return Amount(value, currencies, end)


def _narrowed(
    currencies: tuple[str, ...], lexemes: Sequence[Lexeme], index: int, grammar: Grammar
) -> tuple[tuple[str, ...], int]:
    """The currencies that are meant with those said from a token on as well, and the token behind
    them: "50 $", "$50 usd", "50 $ CAD"."""
    while True:
        length, said = currency_at(lexemes, index, grammar)
        meant = tuple(code for code in currencies if code in said) if currencies else said
        if not meant:
            return currencies, index
        currencies, index = meant, index + length


def _number_at(lexemes: Sequence[Lexeme], index: int, grammar: Grammar) -> tuple[float, int] | None:
    """The number that begins at a token, and the index of the token after it."""
    if index >= len(lexemes):
        return None
    if lexemes[index].kind == "word":
        return _thousands_at(lexemes, index, grammar)
    if lexemes[index].kind != "number":
        return None
    digits, end = lexemes[index].folded, index + 1
    if _continues(lexemes, end, digits):  # 1 000 €
        digits, end = digits + lexemes[end].folded, end + 1
    try:
        value = float(parse_amount(plain(digits)))
    except ValueError:
        return None
    if end < len(lexemes) and lexemes[end].folded in grammar.thousands:  # 50 mil
        return value * 1000, end + 1
    return value, end + _round_ending(lexemes, end)


def _thousands_at(
    lexemes: Sequence[Lexeme], index: int, grammar: Grammar
) -> tuple[float, int] | None:
    """The number of a word that says thousands: "2k", "1.5k", or "mil" alone."""
    said = _THOUSANDS.fullmatch(lexemes[index].folded)
    if said is None or said[2] not in grammar.thousands or not (said[1] or len(said[2]) > 1):
        return None
    return (float(said[1].replace(",", ".")) if said[1] else 1.0) * 1000, index + 1


def currency_at(
    lexemes: Sequence[Lexeme], index: int, grammar: Grammar
) -> tuple[int, tuple[str, ...]]:
    """How many tokens the currency takes that is said at a place, and which ones it may be; 0 and
    none where there is no currency."""
    if index >= len(lexemes):
        return 0, ()
    named = grammar.currencies.at(lexemes, index)
    if named is not None:
        return named[0], tuple(named[1].split())
    lexeme = lexemes[index]
    if lexeme.kind == "currency":
        return 1, SIGNS.get(lexeme.folded, ())
    code = lexeme.folded.upper()
    if lexeme.kind == "word" and code in CODES and lexeme.folded not in grammar.not_currencies:
        return 1, (code,)
    return 0, ()


def _continues(lexemes: Sequence[Lexeme], index: int, digits: str) -> bool:
    """Whether the next token is the rest of a number whose thousands stand apart."""
    if index >= len(lexemes) or not (digits.isdigit() and len(digits) <= 3):
        return False
    following = lexemes[index]
    return (
        following.kind == "number"
        and len(following.folded.split(",")[0].split(".")[0]) == 3
        and following.start == lexemes[index - 1].end + 1
    )


def _round_ending(lexemes: Sequence[Lexeme], index: int) -> int:
    """How many tokens the ending takes that says "and no cents": 50,- or 50.–"""
    if index + 1 >= len(lexemes):
        return 0
    point, dash = lexemes[index], lexemes[index + 1]
    tied = point.glued and dash.glued and dash.kind == "dash"
    return 2 if tied and point.folded in (",", ".") else 0


def _counts_something(lexemes: Sequence[Lexeme], start: int, end: int, grammar: Grammar) -> bool:
    before = lexemes[start - 1].folded if start > 0 else ""
    after = lexemes[end].folded if end < len(lexemes) else ""
    if before == "." and start > 1:  # no. 5
        before = lexemes[start - 2].folded
    return before in grammar.sizes or after in grammar.units or after in ("%", '"', "'", "°", "/")
