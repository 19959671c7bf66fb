"""What completes a query while it is typed: words, categories, brands and titles of one version."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, takewhile

import numpy as np
from numpy.typing import NDArray

from vitrine.fields.colors import families
from vitrine.folding import fold
from vitrine.words.analysis import Analyzer
from vitrine.words.near import near_words
from vitrine.words.phrases import Phrase, SuggestionKind

__all__ = ["Suggester", "Suggestion"]

MOST_WORDS = 64
"""Completions of one word that are looked at: the commonest."""
MOST_PHRASES = 512
"""Phrases that are put into order: those that most products have."""
LEAST_WITHIN = 4
"""Letters that a compound is found by that has them not at its beginning."""
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_LAST_WORD = re.compile(r"[^\W_]+(?:['’`´][^\W_]+)*[\W_]*$")
_NUMBER = re.compile(r"\d+")
_LAST = "\U0010ffff"
_KINDS: tuple[SuggestionKind, ...] = ("category", "brand", "words", "title")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What may be meant: the whole query when it is completed, and how many products have what
    completes it."""

    kind: SuggestionKind
    text: str
    value: str | None
    count: int


class Suggester:
    """Completes what is typed; safe to use from several threads.

    A phrase is suggested when it has every word that was typed, in singular or plural, the last of
    them perhaps begun only, in any order. Where none has all of them, colors before the last word
    are no part of that: few titles say them. A word that no phrase has is read as the nearest one
    (`vitrine.words.near`), or else, where compounds are one word, as a part of one.
    """

    def __init__(self, phrases: Sequence[Phrase], analyzer: Analyzer) -> None:
        self._phrases = phrases
        self._analyzer = analyzer
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
        self._is_name = np.array([_is_name(phrase) for phrase in phrases], dtype=np.bool_)
        self._spelled = _spellings(phrases)
        self._joined = "\n".join(self._words)
        lengths = [len(word) + 1 for word in self._words]
        self._places = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])
        colors = (phrase.text for phrase in phrases if phrase.kind == "words")
        self._families = frozenset(families(colors))

    def complete(self, typed: str, *, limit: int = 8) -> tuple[Suggestion, ...]:
        """The likeliest completions, words before phrases; none for a text without a word."""
        typed_words = _WORD.findall(fold(typed))
        if not typed_words:
            return ()
        *whole, last = typed_words
        ended = typed[-1:].isspace()
        begun = self._whole(last) if ended else self._begun(last)
        having = self._having(whole, begun)
        if not having.any():
            whole = [word for word in whole if self._families.isdisjoint(families([word]))]
            having = self._having(whole, begun)
        match = None if ended else _LAST_WORD.search(typed)
        words: list[Suggestion] = []
        if match is not None:
            words = self._words_for(typed[: match.start()], begun, having)
        phrases = self._phrases_for(" ".join([*whole, last]), np.flatnonzero(having), limit)
        shown = {fold(phrase.text) for phrase in phrases if phrase.kind != "words"}
        new = [word for word in words if fold(word.text) not in shown][: max(limit // 2, 1)]
        others = [p for p in phrases if p.kind != "words" or fold(p.text) not in shown]
        return _distinct([*new, *others])[:limit]

    def _having(self, whole: Iterable[str], begun: Sequence[int]) -> NDArray[np.bool_]:
        """Which phrases have all these words and one of those begun, bool (phrases,)."""
        having = self._with_any(begun)
        for word in whole:
            having &= self._with_any(self._whole(word))
        return having

    def _whole(self, word: str) -> Sequence[int]:
        """The numbers of the words that share the term of this one, or of the nearest ones."""
        term = self._analyzer.term(word)
        letters = takewhile(lambda pair: pair[0] == pair[1], zip(word, term, strict=False))
        first, end = self._range("".join(letter for letter, _ in letters) or word)
        same = [n for n in range(first, end) if self._analyzer.term(self._words[n]) == term]
        return same or self._begun(word)

    def _begun(self, start: str) -> Sequence[int]:
        """The numbers of the words that begin so, or of those that begin nearly so, or of compounds
        that have it within."""
        first, end = self._range(start)
        if first < end:
            return range(first, end)
        first, end = self._range(start[:1])
        near: set[int] = set()
        for length in (len(start), len(start) + 1):  # the letter left out may be among those typed
            heads = [word[:length] for word in self._words[first:end]]
            near.update(near_words(start, heads))
        if near or len(start) < LEAST_WITHIN or not self._analyzer.language.compounds:
            return [first + place for place in sorted(near)]
        return sorted(set(islice(self._within(start), MOST_WORDS)))

    def _within(self, part: str) -> Iterator[int]:
        place = self._joined.find(part)
        while place >= 0:
            yield int(np.searchsorted(self._places, place, side="right")) - 1
            place = self._joined.find(part, place + 1)

    def _range(self, start: str) -> tuple[int, int]:
        """The numbers of the words that begin so: from the first to before the second."""
        return bisect_left(self._words, start), bisect_left(self._words, start + _LAST)

    def _with_any(self, numbers: Sequence[int]) -> NDArray[np.bool_]:
        """Which phrases have one of the words, bool (phrases,)."""
        having = np.zeros(len(self._phrases), dtype=np.bool_)
        if isinstance(numbers, range):
            start, end = self._offsets[[numbers.start, numbers.stop]]
            having[self._rows[start:end]] = True
        else:
            for number in numbers:
                having[self._rows_of(number)] = True
        return having

    def _rows_of(self, number: int) -> NDArray[np.int64]:
        return self._rows[self._offsets[number] : self._offsets[number + 1]]

    def _words_for(
        self, head: str, numbers: Sequence[int], having: NDArray[np.bool_]
    ) -> list[Suggestion]:
        """Completions of the last word, by the products that have it in one of the phrases that
        are left: one of each term, and none that says nothing or is only a part of names."""
        said = {token.term for token in self._analyzer.tokens(head)}
        by_term: dict[str, Suggestion] = {}
        for number in numbers if len(numbers) <= MOST_WORDS else self._commonest(numbers):
            word = self._words[number]
            term = self._analyzer.term(word)
            if term in said or not self._says_something(word, head):
                continue
            shared = self._rows_of(number)
            shared = shared[having[shared] & ~self._is_name[shared]]
            if len(shared):
                titles = int(self._counts[shared[self._is_title[shared]]].sum())
                count = max(titles, int(self._counts[shared].max()))
                suggestion = Suggestion("words", head + self._spelled.get(word, word), None, count)
                by_term[term] = _common_form(by_term.get(term, suggestion), suggestion, head)
        return sorted(by_term.values(), key=lambda s: (-s.count, len(s.text), s.text))

    def _says_something(self, word: str, head: str) -> bool:
        """Whether a word is worth suggesting: no stop word or letter, and no number alone."""
        if self._analyzer.is_stop_word(word) or (len(word) == 1 and word.isascii()):
            return False
        return bool(head.strip()) or not word.isdigit()

    def _commonest(self, numbers: Sequence[int]) -> list[int]:
        listed = np.asarray(numbers)
        frequency = self._offsets[listed + 1] - self._offsets[listed]
        return [int(n) for n in listed[np.argsort(-frequency, kind="stable")[:MOST_WORDS]]]

    def _phrases_for(self, text: str, rows: NDArray[np.int64], limit: int) -> list[Suggestion]:
        """The first phrases; of titles that differ in numbers alone (sizes) the first."""

        def key(row: int) -> tuple[bool, int, int, str]:
            phrase, folded = self._phrases[row], self._folded[row]
            begins = folded.startswith(text)
            return (not begins, _KINDS.index(phrase.kind), -phrase.count, folded)

        few = rows
        if len(rows) > MOST_PHRASES:
            few = rows[np.argsort(-self._counts[rows], kind="stable")[:MOST_PHRASES]]
        chosen: dict[object, Phrase] = {}
        for row in sorted(few.tolist(), key=key):
            phrase, folded = self._phrases[row], self._folded[row]
            same = _NUMBER.sub("0", folded) if phrase.kind == "title" else folded
            chosen.setdefault((phrase.kind, same, phrase.value), phrase)
            if len(chosen) == limit:
                break
        return [Suggestion(p.kind, p.text, p.value, p.count) for p in chosen.values()]


def _is_name(phrase: Phrase) -> bool:
    """Whether it is a name whose single words say little: a brand, a value of several words."""
    return phrase.kind == "brand" or (phrase.kind == "words" and " " in phrase.text)


def _common_form(one: Suggestion, other: Suggestion, head: str) -> Suggestion:
    """Of two forms of a word the one of more products, behind other words the shorter one ("vin
    rouge" and no "vin rouges"); with the higher count."""
    count = max(one.count, other.count)
    best = min(one, other, key=lambda s: len(s.text) if head.strip() else -s.count)
    return replace(best, count=count)


def _spellings(phrases: Iterable[Phrase]) -> dict[str, str]:
    """How the shop writes folded words that have accents there, in small letters."""
    counted: dict[str, Counter[str]] = {}
    for phrase in phrases:
        if not phrase.text.isascii():
            for written in _WORD.findall(phrase.text.lower()):
                if not written.isascii():
                    counted.setdefault(fold(written), Counter())[written] += phrase.count
    return {
        word: min(spellings, key=lambda s: (-spellings[s], s))
        for word, spellings in counted.items()
    }


def _distinct(suggestions: Iterable[Suggestion]) -> tuple[Suggestion, ...]:
    """Each text of a kind once, whatever its case."""
    by_key: dict[tuple[str, str, str | None], Suggestion] = {}
    for suggestion in suggestions:
        key = (suggestion.kind, fold(suggestion.text), suggestion.value)
        by_key.setdefault(key, suggestion)
    return tuple(by_key.values())
