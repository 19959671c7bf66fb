"""Words within a few edits: a letter left out, added, changed or swapped with its neighbor."""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz import process
from rapidfuzz.distance import OSA

__all__ = ["SHORTEST", "edits_for", "near_words"]

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
