"""What completes a query while it is typed: words, categories, brands and titles of one version."""

from __future__ import annotations

import json
import re
import zlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vitrine.folding import fold
from vitrine.products import Product
from vitrine.words.near import near_words

__all__ = [
    "Phrase",
    "PhraseCounts",
    "Suggester",
    "Suggestion",
    "SuggestionKind",
    "phrases_from_bytes",
    "phrases_to_bytes",
]

SuggestionKind: TypeAlias = Literal["words", "category", "brand", "title"]

MAX_TITLES = 200_000
"""Distinct titles that are suggested; of more the first counted are kept."""
MOST_WORDS = 64
"""Completions of one word that are looked at: the commonest."""
MOST_PHRASES = 512
"""Phrases that are put into order: those that most products have."""
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_LAST = "\U0010ffff"
_KINDS: tuple[SuggestionKind, ...] = ("category", "brand", "title", "words")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A category's last level, a brand, a title or a color as the shop writes it, and how many
    products have it.

    `value` is what to filter by: the path of a category, a brand; else None. Colors are "words".
    """

    kind: SuggestionKind
    text: str
    value: str | None
    count: int


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What may be meant: the whole query when it is completed, and how many products have what
    completes it."""

    kind: SuggestionKind
    text: str
    value: str | None
    count: int


class PhraseCounts:
    """Counts the phrases of products as they are read."""

    def __init__(self) -> None:
        self._categories: Counter[str] = Counter()
        self._brands: Counter[str] = Counter()
        self._titles: Counter[str] = Counter()
        self._colors: Counter[str] = Counter()

    def add(self, products: Iterable[Product]) -> None:
        """Count products in."""
        for product in products:
            prefixes = {
                "/".join(levels[:depth])
                for levels in (path.split("/") for path in product.category)
                for depth in range(1, len(levels) + 1)
            }
            self._categories.update(prefixes)
            if product.brand:
                self._brands[product.brand] += 1
            self._colors.update({*map(fold, product.color), *product.colors})
            if product.title in self._titles or len(self._titles) < MAX_TITLES:
                self._titles[product.title] += 1

    def phrases(self) -> tuple[Phrase, ...]:
        """What was counted, in an order that does not depend on that of the products."""
        return (
            *(
                Phrase("category", path.rpartition("/")[2], path, count)
                for path, count in sorted(self._categories.items())
            ),
            *(Phrase("brand", name, name, count) for name, count in sorted(self._brands.items())),
            *(Phrase("title", text, None, count) for text, count in sorted(self._titles.items())),
            *(Phrase("words", name, None, count) for name, count in sorted(self._colors.items())),
        )


def phrases_to_bytes(phrases: Sequence[Phrase]) -> bytes:
    """Phrases as a version stores them (JSON, compressed)."""
    rows = [[p.kind, p.text, p.value, p.count] for p in phrases]
    return zlib.compress(json.dumps(rows, ensure_ascii=False).encode("utf-8"))


def phrases_from_bytes(stored: bytes) -> tuple[Phrase, ...]:
    """The phrases that `phrases_to_bytes` stored; `ValueError` where they are damaged."""
    try:
        return tuple(
            Phrase(kind, text, value, count)
            for kind, text, value, count in json.loads(zlib.decompress(stored))
        )
    except (zlib.error, TypeError, ValueError) as error:
        raise ValueError(f"the stored phrases are damaged: {error}") from error


class Suggester:
    """Completes what is typed; safe to use from several threads.

    A phrase is suggested when it has every word that was typed, the last of them perhaps begun
    only, in any order. Colors before the last word are no part of that: no title says them. A word
    that no phrase has is read as the nearest one (`vitrine.words.near`).
    """

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        self._phrases = phrases
        self._folded = [fold(phrase.text) for phrase in phrases]
        words = [sorted(set(_WORD.findall(folded))) for folded in self._folded]
        self._words = sorted({word for listed in words for word in listed})
        numbers = {word: number for number, word in enumerate(self._words)}
        pairs = [(numbers[word], row) for row, listed in enumerate(words) for word in listed]
        ordered = np.array(sorted(pairs), dtype=np.int64).reshape(len(pairs), 2)
        self._rows = ordered[:, 1]
        self._offsets = np.searchsorted(ordered[:, 0], np.arange(len(self._words) + 1))
        self._counts = np.array([phrase.count for phrase in phrases], dtype=np.int64)
        self._is_title = np.array([phrase.kind == "title" for phrase in phrases], dtype=np.bool_)
        self._colors = frozenset(
            text
            for text, phrase in zip(self._folded, phrases, strict=True)
            if phrase.kind == "words"
        )

    def complete(self, typed: str, *, limit: int = 8) -> tuple[Suggestion, ...]:
        """The likeliest completions, words before phrases; none for a text without a word."""
        typed_words = _WORD.findall(fold(typed))
        if not typed_words:
            return ()
        *earlier, last = typed_words
        begun = self._whole(last) if typed[-1:].isspace() else self._begun(last)
        rows = self._rows_of(begun)
        whole = [word for word in earlier if word not in self._colors]
        for word in whole:
            rows = np.intersect1d(rows, self._rows_of(self._whole(word)), assume_unique=True)
        words: list[Suggestion] = []
        if not typed[-1:].isspace():
            head = typed[: len(typed) - len(typed.rsplit(maxsplit=1)[-1])]
            words = self._words_for(head, begun, rows if whole else None)
        phrases = self._phrases_for(" ".join([*whole, last]), rows, limit)
        shown = {fold(phrase.text) for phrase in phrases if phrase.kind != "words"}
        new = [word for word in words if fold(word.text) not in shown]
        return _distinct([*new[: max(limit // 2, 1)], *phrases])[:limit]

    def _whole(self, word: str) -> Sequence[int]:
        """The numbers of the word, or of the nearest ones."""
        place = bisect_left(self._words, word)
        if place < len(self._words) and self._words[place] == word:
            return (place,)
        return self._begun(word)

    def _begun(self, start: str) -> Sequence[int]:
        """The numbers of the words that begin so, or of those that begin nearly so."""
        first, end = self._range(start)
        if first < end:
            return range(first, end)
        first, end = self._range(start[:1])
        near: set[int] = set()
        for length in (len(start), len(start) + 1):  # the letter left out may be among those typed
            heads = [word[:length] for word in self._words[first:end]]
            near.update(near_words(start, heads))
        return [first + place for place in sorted(near)]

    def _range(self, start: str) -> tuple[int, int]:
        """The numbers of the words that begin so: from the first to before the second."""
        return bisect_left(self._words, start), bisect_left(self._words, start + _LAST)

    def _rows_of(self, numbers: Sequence[int]) -> NDArray[np.int64]:
        """The phrases that have one of the words, ascending."""
        if isinstance(numbers, range):
            start, end = self._offsets[[numbers.start, numbers.stop]] if numbers else (0, 0)
            return np.unique(self._rows[start:end])
        parts = [self._rows[self._offsets[n] : self._offsets[n + 1]] for n in numbers]
        return np.unique(np.concatenate([np.zeros(0, np.int64), *parts]))

    def _words_for(
        self, head: str, numbers: Sequence[int], rows: NDArray[np.int64] | None
    ) -> list[Suggestion]:
        """Completions of the last word, by the products that have it (in one of the phrases
        `rows`)."""
        suggestions = []
        for number in numbers if len(numbers) <= MOST_WORDS else self._commonest(numbers):
            own = self._rows[self._offsets[number] : self._offsets[number + 1]]
            shared = own if rows is None else own[np.isin(own, rows, assume_unique=True)]
            if len(shared):
                titles = int(self._counts[shared[self._is_title[shared]]].sum())
                count = max(titles, int(self._counts[shared].max()))
                suggestions.append(Suggestion("words", head + self._words[number], None, count))
        return sorted(suggestions, key=lambda s: (-s.count, len(s.text), s.text))

    def _commonest(self, numbers: Sequence[int]) -> list[int]:
        listed = np.asarray(numbers)
        frequency = self._offsets[listed + 1] - self._offsets[listed]
        return [int(n) for n in listed[np.argsort(-frequency, kind="stable")[:MOST_WORDS]]]

    def _phrases_for(self, text: str, rows: NDArray[np.int64], limit: int) -> list[Suggestion]:
        def key(row: int) -> tuple[bool, int, int, str]:
            phrase, folded = self._phrases[row], self._folded[row]
            begins = folded.startswith(text)
            return (not begins, _KINDS.index(phrase.kind), -phrase.count, folded)

        few = rows
        if len(rows) > MOST_PHRASES:
            few = rows[np.argsort(-self._counts[rows], kind="stable")[:MOST_PHRASES]]
        best = sorted(few.tolist(), key=key)[: 2 * limit]
        chosen = [self._phrases[row] for row in best]
        return [Suggestion(p.kind, p.text, p.value, p.count) for p in chosen]


def _distinct(suggestions: Iterable[Suggestion]) -> tuple[Suggestion, ...]:
    """Each text of a kind once, whatever its case."""
    by_key: dict[tuple[str, str, str | None], Suggestion] = {}
    for suggestion in suggestions:
        key = (suggestion.kind, fold(suggestion.text), suggestion.value)
        by_key.setdefault(key, suggestion)
    return tuple(by_key.values())
