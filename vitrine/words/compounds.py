"""Words that end with another word, in languages that write compounds as one word."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from vitrine.words.analysis import Analyzer

__all__ = ["Compounds"]

SHORTEST_HEAD = 3
"""Letters of a term that compounds may end with: "ei" ends words that are none."""
SHORTEST_REST = 3
"""Letters before it: "er" and "be" are no words."""
_VOWELS = frozenset("aeiouyáéíóúæœøåäöü")


class Compounds:
    """The terms of a catalogue's words, found by how they end; safe to use from several threads.

    What stands before the end must be able to be a word: it has three letters, a vowel among them,
    and is no stop word ("Schwein" is no kind of "Wein", nor is "Durchmesser" a "Messer").
    """

    def __init__(self, words: Iterable[str], analyzer: Analyzer) -> None:
        self._is_stop_word = analyzer.is_stop_word
        shortest = SHORTEST_HEAD + SHORTEST_REST
        terms = {analyzer.term(w) for w in words if len(w) >= shortest and w.isalpha()}
        self._reversed = sorted(term[::-1] for term in terms)

    def ending_with(self, term: str) -> list[str]:
        """The terms that end with this one."""
        if len(term) < SHORTEST_HEAD or not term.isalpha():
            return []
        end = term[::-1]
        place = bisect_left(self._reversed, end)
        found = []
        while place < len(self._reversed) and self._reversed[place].startswith(end):
            rest = self._reversed[place][len(end) :][::-1]
            if self._may_be_word(rest):
                found.append(rest + term)
            place += 1
        return found

    def _may_be_word(self, rest: str) -> bool:
        return (
            len(rest) >= SHORTEST_REST
            and not _VOWELS.isdisjoint(rest)
            and not self._is_stop_word(rest)
        )
