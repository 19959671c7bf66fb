"""Colors in a query, in the languages of the catalogue and in those that shops write."""

from __future__ import annotations

from collections.abc import Sequence

from vitrine.fields.colors import families
from vitrine.understanding.grammar import Grammar
from vitrine.understanding.known_values import KnownValues
from vitrine.understanding.lexing import Lexeme

__all__ = ["color_at", "excluded_color"]


def color_at(
    lexemes: Sequence[Lexeme], index: int, grammar: Grammar
) -> tuple[int, tuple[str, ...]] | None:
    """How many tokens a color takes that is said here, and its families."""
    if index >= len(lexemes) or lexemes[index].kind != "word":
        return None
    first = lexemes[index].folded
    basic = grammar.basic_colors.get(first)
    if basic is None and first in grammar.words:  # "or" is gold in French
        return None
    own = (basic,) if basic else families([first])
    if index + 1 < len(lexemes) and lexemes[index + 1].kind == "word":
        second = lexemes[index + 1].folded
        pair = families([f"{first} {second}"])
        apart = families([first, second])
        if pair and (pair != apart or (own and families([second]))):
            return 2, pair
    return (1, own) if own else None


def excluded_color(
    lexemes: Sequence[Lexeme], start: int, end: int, grammar: Grammar, known: KnownValues
) -> tuple[str, ...]:
    """The values of the color field that are to be excluded; none where that would hide other shades.

    A plain name excludes its family. A shade excludes the shade, where products are written so: who
    wants no burgundy may well want red.
    """
    words = [lexeme.folded for lexeme in lexemes[start:end]]
    if len(words) == 1 and words[0] in grammar.basic_colors:
        return (grammar.basic_colors[words[0]],)
    written = " ".join(words)
    return (written,) if written in known.colors else ()
