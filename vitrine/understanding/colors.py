"""Colors in a query, in the languages of the catalogue and in those that shops write."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from vitrine.fields.colors import FAMILIES, families
from vitrine.understanding.grammar import Grammar
from vitrine.understanding.known_values import KnownValues
from vitrine.understanding.lexing import Lexeme

__all__ = ["color_at", "color_families", "excluded_color"]


@lru_cache(maxsize=1 << 16)
def color_families(*words: str) -> tuple[str, ...]:
    """`vitrine.fields.colors.families` of the words together, kept: queries say the same words."""
    return families([" ".join(words)])


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
    own = (basic,) if basic else color_families(first)
    if index + 1 < len(lexemes) and lexemes[index + 1].kind == "word":
        second = lexemes[index + 1].folded
        pair = color_families(first, second)
        apart = tuple(f for f in FAMILIES if f in {*color_families(first), *color_families(second)})
        if pair and (pair != apart or (own and color_families(second))):
            return 2, pair
    return (1, own) if own else None


def excluded_color(
    lexemes: Sequence[Lexeme], start: int, end: int, grammar: Grammar, known: KnownValues
) -> tuple[str, ...]:
    """The values of the color field that are to be excluded.

    Empty where that would hide other shades, or where no product has the color: then the word may
    describe what has no color of its own ("dark beer").

    A plain name excludes its family. A shade excludes the shade, where products are written so: who
    wants no burgundy may well want red.
    """
    words = [lexeme.folded for lexeme in lexemes[start:end]]
    if len(words) == 1 and words[0] in grammar.basic_colors:
        family = grammar.basic_colors[words[0]]
        return (family,) if family in known.colors else ()
    written = " ".join(words)
    return (written,) if written in known.colors else ()
