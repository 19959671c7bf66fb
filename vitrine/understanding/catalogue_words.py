"""What the words of a query are in the catalogue."""

from __future__ import annotations

from collections.abc import Sequence

from vitrine.understanding.colors import color_families
from vitrine.understanding.grammar import Grammar
from vitrine.understanding.lexing import Lexeme
from vitrine.understanding.phrases import Words
from vitrine.words import Analyzer, Vocabulary

__all__ = ["CatalogueWords"]


LONGEST_UNIT = 3
"""Letters of a unit that no language's file lists."""


class CatalogueWords:
    """Tells of folded words how a version's products use them."""

    def __init__(self, vocabulary: Vocabulary, analyzer: Analyzer, grammar: Grammar) -> None:
        self._vocabulary = vocabulary
        self._analyzer = analyzer
        self._grammar = grammar

    def has(self, word: str) -> bool:
        """Whether the word stands anywhere in a product."""
        return self._vocabulary.term_count(self._analyzer.term(word)) > 0

    def may_be_unit(self, word: str) -> bool:
        """Whether it is as short as units are ("psi"), or has a digit ("m2"), and no product and no
        language has it."""
        return (
            (len(word) <= LONGEST_UNIT or not word.isalpha())
            and not self.has(word)
            and not self._analyzer.is_listed(word)
            and word not in self._grammar.vague
        )

    def is_unit(self, word: str) -> bool:
        """Whether it is a unit, or one with an ending of its language ("litern", "teilen")."""
        shorter = (word[:-1], word[:-2])
        return word in self._grammar.units or any(
            unit in self._grammar.units and self._analyzer.term(unit) == self._analyzer.term(word)
            for unit in shorter
        )

    def is_quality(self, word: str) -> bool:
        """Whether the language lists it among the words that say how a thing is."""
        return self._analyzer.language.is_quality(word)

    def names(self, word: str) -> bool:
        """Whether it stands outside of prose as it is written."""
        return self._vocabulary.name_count(word) > 0

    def names_thing(self, word: str) -> bool:
        """Whether the catalogue calls something so, or it is a color or grammar."""
        term = self._analyzer.term(word)
        return (
            self._vocabulary.is_subject(term)
            or bool(self._vocabulary.compounds_of(term, self._analyzer))
            or bool(color_families(word))
            or word in self._grammar.words
        )

    def may_end_model(self, words: Words, lexemes: Sequence[Lexeme], index: int) -> bool:
        """Whether the words of a comparison may end the name of a model that begins before a token
        ("phone 15 max 256 gb"): the catalogue sells nothing that is called so."""
        if words not in self._grammar.models or index == 0:
            return False
        before = lexemes[index - 1]
        unwanted = self._grammar.negators.ending_at(lexemes, index - 1)  # "no hood max 90"
        return before.kind in ("word", "number") and not (
            unwanted or self.names_thing(before.folded)
        )
