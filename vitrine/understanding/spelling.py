"""Words that a catalogue does not have, and the ones that were meant."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

from vitrine.words import Vocabulary

__all__ = ["Spelling"]

SHORTEST = 4
"""Shorter words are not corrected: one letter of three is another word."""
SHORT = 7
"""Up to this many letters one edit is corrected, in longer words two."""


class Spelling:
    """Finds the nearest word of a version's vocabulary; safe to use from several threads.

    Only words that stand outside prose are corrected to. An edit is a letter left out, added, changed
    or swapped with its neighbor (optimal string alignment, Damerau 1964). Before the distances are
    counted, words are sieved by length and by the letters that they have: k edits change the set of
    letters by at most 2k.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        rows = [
            (word, count)
            for word, count in zip(vocabulary.words, vocabulary.name_counts.tolist(), strict=True)
            if count > 0 and len(word) >= SHORTEST - 1 and word.isalpha()
        ]
        self._words = [word for word, _ in rows]
        self._counts = [count for _, count in rows]
        self._lengths = np.array([len(word) for word in self._words], dtype=np.int16)
        self._letters = np.array([_letters(word) for word in self._words], dtype=np.uint64)

    def correct(self, word: str) -> str | None:
        """The nearest word of the catalogue to a folded word that it lacks, None where none is near.

        Of several at the same distance the one with the same first letter, then the commonest, then
        the first by code point.
        """
        if len(word) < SHORTEST or not word.isalpha():
            return None
        edits = 1 if len(word) <= SHORT else 2
        near = self._near(word, edits).tolist()
        found = process.extract(
            word,
            [self._words[row] for row in near],
            scorer=OSA.distance,
            score_cutoff=edits,
            limit=None,
        )
        keys = [
            (distance, candidate[0] != word[0], -self._counts[near[place]], candidate)
            for candidate, distance, place in found
        ]
        return min(keys)[3] if keys else None

    def _near(self, word: str, edits: int) -> NDArray[np.int64]:
        close = np.abs(self._lengths - len(word)) <= edits
        changed = np.bitwise_count(self._letters ^ np.uint64(_letters(word)))
        return np.flatnonzero(close & (changed <= 2 * edits))


def _letters(word: str) -> int:
    """The set of a word's letters as 64 bits; letters beyond a to z share bits."""
    bits = 0
    for letter in word:
        bits |= 1 << (ord(letter) % 64)
    return bits
