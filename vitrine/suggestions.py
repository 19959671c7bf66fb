"""What completes the words that are being typed: names and words of the version itself."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from vitrine.folding import fold
from vitrine.index.fusion import SearchModel
from vitrine.understanding.spelling import Spelling
from vitrine.words import Vocabulary
from vitrine.words.names import Name

__all__ = ["Suggester", "Suggestion"]

Kind: TypeAlias = Literal["word", "brand", "category", "product"]

MAX_WORDS = 4
"""Words of a name from which on it is completed ("mini dress" by "dre", not by its fifth word)."""
_MOST_READ = 2000
"""Entries of one prefix that are looked at: of a single letter there may be more."""
_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A text to search for; brands and categories can be filtered by as well (`value`)."""

    kind: Kind
    text: str
    count: int
    value: str | None = None


class Suggester:
    """Completes by the names and words of one version; safe to use from several threads.

    Two sorted lists and a binary search in each: what begins with the typed text, at the beginning
    of a name or of one of its words.
    """

    def __init__(self, model: SearchModel) -> None:
        self._names = model.names.all
        self._vocabulary: Vocabulary = model.vocabulary
        self._spelling = Spelling(model.vocabulary)
        entries = sorted(
            (start, number) for number, name in enumerate(self._names) for start in _starts(name)
        )
        self._starts = [start for start, _ in entries]
        self._numbers = [number for _, number in entries]

    def complete(self, typed: str, *, limit: int) -> list[Suggestion]:
        """At most `limit` suggestions, words first, then brands, categories, products.

        Where nothing begins with the typed text, its last word is corrected as a search would.
        """
        text = fold(typed)
        if not text:
            return []
        suggestions = self._completions(text, limit)
        if suggestions or typed.endswith(" "):
            return suggestions
        head, _, last = text.rpartition(" ")
        corrected = self._spelling.correct(last)
        if corrected is None:
            return []
        return self._completions(f"{head} {corrected}".strip(), limit)

    def _completions(self, text: str, limit: int) -> list[Suggestion]:
        names = self._names_from(text)
        shares = {"brand": 2, "category": 3, "product": limit}
        chosen: list[Suggestion] = []
        for kind, share in shares.items():
            of_kind = [name for name in names if name.kind == kind][:share]
            chosen += [_suggestion(name) for name in of_kind]
        named = {fold(suggestion.text) for suggestion in chosen}
        words = [word for word in self._words(text) if word.text not in named]
        return [*words[: max(1, limit // 2)], *chosen][:limit]

    def _words(self, text: str) -> list[Suggestion]:
        """The last word completed, the words before it as they are."""
        head, _, last = text.rpartition(" ")
        words = self._vocabulary.words
        first, end = bisect_left(words, last), bisect_left(words, last + _LAST)
        completing = sorted(
            (-int(self._vocabulary.name_counts[place]), words[place])
            for place in range(first, min(end, first + _MOST_READ))
            if self._vocabulary.name_counts[place] > 0
        )
        return [Suggestion("word", f"{head} {word}".strip(), -count) for count, word in completing]

    def _names_from(self, text: str) -> list[Name]:
        first, end = bisect_left(self._starts, text), bisect_left(self._starts, text + _LAST)
        numbers = {self._numbers[i] for i in range(first, min(end, first + _MOST_READ))}
        return sorted((self._names[n] for n in numbers), key=lambda n: (-n.count, n.text))


def _suggestion(name: Name) -> Suggestion:
    if name.kind == "product":
        return Suggestion("product", name.text, name.count)
    return Suggestion(name.kind, name.text.rpartition("/")[2], name.count, name.text)


def _starts(name: Name) -> Iterator[str]:
    """The name from each of its first words on, folded; of a category the last level counts."""
    words = fold(name.text.rpartition("/")[2] if name.kind == "category" else name.text).split()
    for place in range(min(len(words), MAX_WORDS)):
        yield " ".join(words[place:])
