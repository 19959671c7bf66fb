"""Measures that a query compares with: "over 5 m", "longer than 2 m", "from 40 to 60 cm"."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from vitrine.understanding.catalogue_words import CatalogueWords
from vitrine.understanding.draft import Draft
from vitrine.understanding.grammar import Grammar
from vitrine.understanding.numbers import number_at

__all__ = ["compared_measures"]

_SIGNS = frozenset("%\"'°″′")


def compared_measures(draft: Draft, grammar: Grammar, words: CatalogueWords) -> set[str]:
    """The folded words of a query that tell of a measure that no field knows.

    Which products lie within it is not known, so that these words raise and never hide: a cable of
    10 m says neither "5" nor "longer".
    """
    reader = _Reader(draft, grammar, words)
    measured: set[str] = set()
    for start, end in reader.places():
        said = [lexeme for lexeme in draft.lexemes[start:end] if lexeme.kind in ("word", "number")]
        measured.update(lexeme.folded for lexeme in said)
        measured.update(a.folded + b.folded for a, b in pairwise(said) if a.kind == "number")  # 5m
    return measured


class _Reader:
    def __init__(self, draft: Draft, grammar: Grammar, words: CatalogueWords) -> None:
        self._draft = draft
        self._lexemes = draft.lexemes
        self._grammar = grammar
        self._words = words

    def places(self) -> Iterator[tuple[int, int]]:
        """From where to where a query speaks of such measures."""
        for index in range(len(self._lexemes)):
            number = self._end_of_number(index)
            if not self._draft.free(index, number):
                continue
            end = measured = self._end_of_unit(number)
            start = self._comparative(index)
            if start == index:
                start = self._compared(index)
            if start == index and measured > number:
                start, end = self._range(index), measured + self._closing(measured)
            if start < index or end > measured:
                yield start, end

    def _end_of_number(self, index: int) -> int:
        """The token behind a number, or behind several that are written as one ("100x50"); the
        token itself where there is none."""
        number = number_at(self._lexemes, index, self._grammar)
        if number is not None:
            return number[1]
        return index + self._lexemes[index].folded[:1].isdigit()

    def _end_of_unit(self, index: int) -> int:
        """The token behind the unit that follows a number and the word that says of what it is ("2
        m long"); the token behind the number where there is none."""
        said = [lexeme.folded for lexeme in self._lexemes[index : index + 2]]
        if not said or not (
            self._words.is_unit(said[0]) or said[0] in _SIGNS or self._words.may_be_unit(said[0])
        ):
            return index
        return index + 1 + any(map(self._words.is_quality, said[1:]))

    def _comparative(self, index: int) -> int:
        """Where a comparison of another thing than the price begins that ends before a number
        ("longer than", "plus long que"), the number itself without one."""
        adjective = index - 2
        if adjective < 0 or self._lexemes[index - 1].folded not in self._grammar.than:
            return index
        compared = self._lexemes[adjective].folded
        if compared not in self._grammar.words and self._words.names_thing(compared):
            return index
        if not self._grammar.more:
            return adjective
        before = adjective > 0 and self._lexemes[adjective - 1].folded in self._grammar.more
        return adjective - 1 if before else index

    def _compared(self, index: int) -> int:
        """Where a comparison begins that ends before a number, which is no price ("over 5 m",
        "toys from 3"); the number itself without one."""
        start = index - self._grammar.comparisons.ending_at(self._lexemes, index)
        words = tuple(lexeme.folded for lexeme in self._lexemes[start:index])
        return index if self._words.may_end_model(words, self._lexemes, start) else start

    def _range(self, index: int) -> int:
        """Where a range begins that ends before a number with its unit, the number itself without
        one."""
        joints = (self._grammar.to, *(second for _, second in self._grammar.ranges))
        joint = max(phrases.ending_at(self._lexemes, index) for phrases in joints)
        joint = joint or int(index > 0 and self._lexemes[index - 1].kind == "dash")
        first = index - joint - 1
        return first if joint and first >= 0 and self._lexemes[first].kind == "number" else index

    def _closing(self, index: int) -> int:
        """How many tokens a comparison behind a unit takes ("5 m or more", "or longer")."""
        compared = self._grammar.comparisons_after.at(self._lexemes, index)
        if compared is not None:
            return compared[0]
        joint = self._grammar.alternatives.at(self._lexemes, index)
        last = index + joint[0] if joint else len(self._lexemes)
        if last < len(self._lexemes) and self._lexemes[last].folded in self._grammar.stops:
            return last + 1 - index
        return 0
