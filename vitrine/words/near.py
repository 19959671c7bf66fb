"""Words within a few edits: a letter left out, added, changed or swapped with its neighbor."""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz import process
from rapidfuzz.distance import OSA

__all__ = ["SHORTEST", "edits_for", "is_typing_slip", "near_words"]

SHORTEST = 4
"""Shorter words are near to nothing: one letter of three is another word."""
SHORT = 7
"""Up to this many letters one edit is near, in longer words two."""


def edits_for(word: str) -> int:
    """How many edits a folded word may be away.

    0 for what is short or has something but letters.
    """
    if len(word) < SHORTEST or not word.isalpha():
        return 0
    return 1 if len(word) <= SHORT else 2


def near_words(word: str, candidates: Sequence[str]) -> dict[int, int]:
    """The places of the candidates that are near, with their distance (optimal string alignment,
    Damerau 1964)."""
    edits = edits_for(word)
    if edits == 0:
        return {}
    near = process.extract(word, candidates, scorer=OSA.distance, score_cutoff=edits, limit=None)
    return {place: int(distance) for _, distance, place in near}


def is_typing_slip(typed: str, word: str) -> bool:
    """Whether fingers make one of the other: two neighbors swapped, a letter left out or doubled.

    A letter that is replaced or added makes another word more often: "kleinen" is no "keinen".
    """
    if sorted(typed) == sorted(word):
        return OSA.distance(typed, word, score_cutoff=1) == 1
    shorter, longer = sorted((typed, word), key=len)
    places = range(len(longer)) if longer == word else _doubled(longer)
    return any(longer[:place] + longer[place + 1 :] == shorter for place in places)


def _doubled(word: str) -> list[int]:
    return [place for place in range(1, len(word)) if word[place] == word[place - 1]]
