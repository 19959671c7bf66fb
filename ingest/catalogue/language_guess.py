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
_WORD_LETTERS = 2
"""A single letter is seldom a word: "T1" is no French."""
_LEAST = 5
"""Different words of a language below which nothing is guessed."""


def guess_language(texts: Iterable[str]) -> str | None:
    """The code of the language with twice as many different words of its own as any other, None
    where the texts have too few."""
    known = _words()
    said = {word for text in texts for word in _WORD.findall(fold(text))}
    counts = Counter(known[word] for word in known.keys() & said if len(word) >= _WORD_LETTERS)
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
