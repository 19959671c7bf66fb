"""Misspelled words of the grammar: "mneos de 50", "exxcept red"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rapidfuzz.distance import OSA

from vitrine.understanding.amounts import opening_at
from vitrine.understanding.grammar import Grammar
from vitrine.understanding.lexing import Lexeme
from vitrine.words.near import is_typing_slip

__all__ = ["GrammarSpelling"]

LEAST_OPENING = 5
"""Letters of a word of a comparison or range, which a number must follow."""
LEAST_ALONE = 6
"""Letters of a word that alone negates or says the stock: shorter ones are too near others."""


class GrammarSpelling:
    """Finds the word of the grammar that one edit makes of a word that nothing knows."""

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._longest = max(phrases.longest for phrases in grammar.before_amounts)
        self._openings = sorted(
            word
            for word in frozenset().union(*(phrases.words for phrases in grammar.before_amounts))
            if len(word) >= LEAST_OPENING
        )
        self._alone = sorted(
            words[0]
            for words in grammar.negators.phrases | grammar.stock.phrases
            if len(words) == 1 and len(words[0]) >= LEAST_ALONE
        )

    def correct(self, lexemes: Sequence[Lexeme], index: int) -> str | None:
        """The word of the grammar that is meant at a place, None where there is none.

        A word that alone says something is meant only where fingers slipped, one of a comparison
        only where an amount follows the whole phrase.
        """
        typed = lexemes[index].folded
        alike = (word for word in self._alone if word[0] == typed[0])
        alone = next((word for word in alike if is_typing_slip(typed, word)), None)
        if alone is not None:
            return alone
        return next(
            (
                word
                for word in self._openings
                if _is_slip(typed, word) and self._opens_amount(lexemes, index, word)
            ),
            None,
        )

    def _opens_amount(self, lexemes: Sequence[Lexeme], index: int, word: str) -> bool:
        said = [*lexemes[:index], replace(lexemes[index], folded=word), *lexemes[index + 1 :]]
        starts = range(max(index - self._longest + 1, 0), index + 1)
        return any(index < start + opening_at(said, start, self._grammar) for start in starts)


def _is_slip(typed: str, word: str) -> bool:
    return typed[0] == word[0] and OSA.distance(typed, word, score_cutoff=1) <= 1
