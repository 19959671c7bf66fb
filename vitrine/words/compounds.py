"""Words that end with another word, in languages that write compounds as one word."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain

from vitrine.words.analysis import SHORTEST_REST, VOWELS, Analyzer

__all__ = ["Compounds"]

SHORTEST_HEAD = 3
"""Letters of a term that compounds may end with: "ei" ends words that are none."""
ENDINGS = 16
"""Endings of the catalogue's words beyond their terms that are tried, the commonest ones. Stemmers
cut more from a long word than from a short one ("Gartentisch" becomes "gartent", "Tisch" stays), so
words are compared as they are written, too."""


class Compounds:
    """The terms of a catalogue's words, found by how they end; safe to use from several threads.

    What stands before the end must be able to be a word: it has three letters or stands in the
    language's file, has a vowel and is no stop word ("Schwein" is no kind of "Wein", nor is
    "Durchmesser" a "Messer").
    """

    def __init__(self, words: Iterable[str], analyzer: Analyzer) -> None:
        self._analyzer = analyzer
        terms = {w: analyzer.term(w) for w in words if len(w) > SHORTEST_HEAD and w.isalpha()}
        self._terms = {term: term for term in terms.values()} | terms
        self._reversed = sorted(word[::-1] for word in self._terms)
        endings = Counter(w[len(t) :] for w, t in terms.items() if w != t and w.startswith(t))
        commonest = sorted(endings, key=lambda ending: (-endings[ending], ending))
        self._endings = commonest[:ENDINGS]

    def ending_with(self, term: str) -> list[str]:
        """The terms of words that end with a word of this term."""
        if len(term) < SHORTEST_HEAD or not term.isalpha():
            return []
        inflected = (term + ending for ending in self._endings)
        heads = [term, *(head for head in inflected if self._analyzer.term(head) == term)]
        return list(dict.fromkeys(chain.from_iterable(map(self._ending_with, heads))))

    def _ending_with(self, head: str) -> Iterator[str]:
        end = head[::-1]
        place = bisect_left(self._reversed, end)
        while place < len(self._reversed) and self._reversed[place].startswith(end):
            rest = self._reversed[place][len(end) :][::-1]
            if self._may_be_word(rest):
                yield self._terms[rest + head]
            place += 1

    def _may_be_word(self, rest: str) -> bool:
        return (
            (len(rest) >= SHORTEST_REST or rest in self._analyzer.language.irregular)
            and not VOWELS.isdisjoint(rest)
            and not self._analyzer.is_stop_word(rest)
        )
