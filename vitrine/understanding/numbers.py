"""Numbers in a query: digits, thousands ("2k", "50 mil") and words ("twenty")."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vitrine.fields.numbers import parse_amount, plain
from vitrine.understanding.grammar import Grammar
from vitrine.understanding.lexing import Lexeme

__all__ = ["number_at"]

_THOUSANDS = re.compile(r"(\d*(?:[.,]\d+)?)([^\W\d_]+)")


def number_at(lexemes: Sequence[Lexeme], index: int, grammar: Grammar) -> tuple[float, int] | None:
    """The number that begins at a token, and the index of the token after it."""
    if index >= len(lexemes):
        return None
    if lexemes[index].kind == "word":
        return _word_at(lexemes, index, grammar)
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


def _word_at(lexemes: Sequence[Lexeme], index: int, grammar: Grammar) -> tuple[float, int] | None:
    """The number that words say: "twenty", "2k", "1.5k", or "mil" alone."""
    number = grammar.numbers.at(lexemes, index)
    if number is not None:
        value, end = _composed(lexemes, index + number[0], int(number[1]), grammar)
        if end < len(lexemes) and lexemes[end].folded in grammar.thousands:  # diez mil
            return value * 1000, end + 1
        return value, end
    digit = grammar.digits.at(lexemes, index)
    following = index + digit[0] if digit else len(lexemes)
    if digit and following < len(lexemes) and lexemes[following].folded in grammar.thousands:
        return _composed(lexemes, following + 1, int(digit[1]) * 1000, grammar)  # three thousand
    said = _THOUSANDS.fullmatch(lexemes[index].folded)
    if said is None or said[2] not in grammar.thousands or not (said[1] or len(said[2]) > 1):
        return None
    return (float(said[1].replace(",", ".")) if said[1] else 1.0) * 1000, index + 1


def _composed(
    lexemes: Sequence[Lexeme], end: int, value: int, grammar: Grammar
) -> tuple[float, int]:
    """A number in words, of which `value` is said before a token, with the rest of it, and the
    token after it: "twenty-five", "cent vingt", "treinta y cinco"."""
    while value % 10 == 0 and end < len(lexemes):
        joint = int(lexemes[end].kind == "dash" or lexemes[end].folded in grammar.additions)
        rest = grammar.numbers.at(lexemes, end + joint) or grammar.digits.at(lexemes, end + joint)
        if rest is None or int(rest[1]) >= _least_part(value):
            break
        value, end = value + int(rest[1]), end + joint + rest[0]
    return float(value), end


def _least_part(value: int) -> int:
    """What the last part of a number in words stands for; what follows it is less. French counts on
    to twenty from 60 and 80: "cent soixante-quinze"."""
    if value % 100 == 0:
        return 1000 if value % 1000 == 0 else 100
    return 20 if value % 100 in (60, 80) else 10


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
