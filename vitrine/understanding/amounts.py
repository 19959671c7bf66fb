"""Amounts of money in a query: a number, with a currency on either side or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vitrine.fields.currencies import CODES, SIGNS
from vitrine.understanding.grammar import Grammar
from vitrine.understanding.lexing import Lexeme
from vitrine.understanding.numbers import number_at

__all__ = ["Amount", "amount_at", "currency_at", "opening_at"]


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
    number = number_at(lexemes, start, grammar)
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


def opening_at(lexemes: Sequence[Lexeme], index: int, grammar: Grammar) -> int:
    """How many tokens a phrase takes that begins at a place and has an amount behind it ("less
    than", "between"), 0 where there is none."""
    for phrases in grammar.before_amounts:
        phrase = phrases.at(lexemes, index)
        end = index + phrase[0] if phrase else len(lexemes)
        if end < len(lexemes) and lexemes[end].kind in ("number", "currency"):
            return end - index
    return 0


def _counts_something(lexemes: Sequence[Lexeme], start: int, end: int, grammar: Grammar) -> bool:
    before = lexemes[start - 1].folded if start > 0 else ""
    after = lexemes[end].folded if end < len(lexemes) else ""
    if before == "." and start > 1:  # no. 5
        before = lexemes[start - 2].folded
    return before in grammar.sizes or after in grammar.units or after in ("%", '"', "'", "°", "/")
