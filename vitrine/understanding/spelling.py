"""Words that a catalogue does not have, and the ones that were meant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA

from vitrine.fields.colors import families
from vitrine.words import Vocabulary
from vitrine.words.near import SHORTEST, edits_for, is_typing_slip, near_words

__all__ = ["Spelling"]


class Spelling:
    """Finds the nearest word of a version's vocabulary; safe to use from several threads.

    Only words that stand outside prose are corrected to. Before distances are counted
    (`vitrine.words.near`), words are sieved by length and by the letters that they have: k edits
    change at most 2k of those.
    """

    def __init__(self, vocabulary: Vocabulary, sounds: Sequence[tuple[str, str]] = ()) -> None:
        """`sounds` are letters with those that sound alike, replaced in turn."""
        rows = [
            (word, count)
            for word, count in zip(vocabulary.words, vocabulary.name_counts.tolist(), strict=True)
            if count > 0 and len(word) >= SHORTEST - 1 and word.isalpha()
        ]
        self._words = [word for word, _ in rows]
        self._counts = [count for _, count in rows]
        self._sounds = sounds
        by_count = sorted(zip(self._counts, self._words, strict=True))
        self._by_sound = {self._sound(word): word for _, word in by_count} if sounds else {}
        self._lengths = np.array([len(word) for word in self._words], dtype=np.int16)
        self._letters = np.array([_letters(word) for word in self._words], dtype=np.uint64)

    def correct(self, word: str) -> str | None:
        """The nearest word of the catalogue to a folded word that it lacks, None where none is
        near.

        None either where only another word is near (`_is_slip`): what a shop lacks stays absent.
        Colors are in every shop, so that only fingers make another word one: "block" is no "black".
        Of several at the same distance the commonest, then the first by code point. A word that
        sounds alike comes before all others, whatever its letters ("zirconita", "circonita").
        """
        edits = edits_for(word)
        if edits == 0:
            return None
        alike = self._by_sound.get(self._sound(word)) if len(word) > SHORTEST else None
        if alike is not None:
            return alike
        near = self._near(word, edits).tolist()
        candidates = [self._words[row] for row in near]
        keys = [
            (distance, -self._counts[near[place]], candidates[place])
            for place, distance in near_words(word, candidates).items()
            if _is_slip(word, candidates[place], distance)
            if not families([candidates[place]]) or is_typing_slip(word, candidates[place])
        ]
        return min(keys)[2] if keys else None

    def _sound(self, word: str) -> str:
        for letters, alike in self._sounds:
            word = word.replace(letters, alike)
        return word

    def _near(self, word: str, edits: int) -> NDArray[np.int64]:
        close = np.abs(self._lengths - len(word)) <= edits
        changed = np.bitwise_count(self._letters ^ np.uint64(_letters(word)))
        return np.flatnonzero(close & (changed <= 2 * edits))


def _is_slip(typed: str, word: str, distance: int) -> bool:
    """Whether a near word is likely to have been meant.

    The first letter is seldom wrong: in 1.4 % of misspellings (Yannakoudakis and Fawthrop 1983) to
    7.8 % (Pollock and Zamora 1984); it may be swapped with the second, which is one of the edits
    ("ejans" for "jeans", but no "amarillo" for "martillo"). And in a word of `SHORTEST`
    letters another letter makes another word ("hose", "home"), while one that is left out, added or
    swapped makes none.
    """
    if typed[0] != word[0]:
        swapped = typed[1::-1] + typed[2:]
        if swapped[:2] != word[:2] or OSA.distance(swapped, word) >= distance:
            return False
    return len(typed) > SHORTEST or len(word) != len(typed) or sorted(word) == sorted(typed)


def _letters(word: str) -> int:
    """Which letters a word has (bits 0 to 31) and has twice (bits 32 to 63).

    Letters beyond a to z share bits.

    An edit takes a letter away, adds one or both: it changes two bits at most.
    """
    bits = 0
    for letter in word:
        bit = 1 << (ord(letter) % 32)
        bits |= bit << 32 if bits & bit else bit
    return bits
