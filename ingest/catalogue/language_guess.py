"""The language that a catalogue's texts seem to be written in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache

from vitrine.fields.words import word_lists
from vitrine.folding import fold
from vitrine.words.language import language

__all__ = ["guess_language"]

_WORD = re.compile(r"[^\W\d_]+")
_LEAST = 5
"""Words of a language below which nothing is guessed."""


def guess_language(texts: Iterable[str]) -> str | None:
    """The code of the language with twice as many of its own words as any other, or None."""
    words = _words()
    counts = Counter(
        words[word] for text in texts for word in _WORD.findall(fold(text)) if word in words
    )
    (code, most), (_, second) = (*counts.most_common(2), (None, 0), (None, 0))[:2]
    return code if most >= max(_LEAST, 2 * second) else None


@cache
def _words() -> dict[str, str]:
    """Function words and colors that only one of the languages has -> its code."""
    codes: dict[str, set[str]] = {}
    for code, families in word_lists("colors").items():
        colors = (fold(word) for several in families.values() for word in several)
        for word in language(code).stop_words.union(colors):
            codes.setdefault(word, set()).add(code)
    return {word: code for word, (code, *others) in codes.items() if not others}
