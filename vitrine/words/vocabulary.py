"""How often words occur in one version: the one thing of BM25 that depends on all products."""

from __future__ import annotations

import io
import zipfile
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from math import log1p
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from vitrine.words.analysis import Analyzer
from vitrine.words.compounds import Compounds
from vitrine.words.document import DocumentWords
from vitrine.words.terms import term_id

__all__ = ["Vocabulary", "VocabularyCounts"]

Key = TypeVar("Key", int, str)

LONGEST_ENDING = 6
"""Letters that a word may have more than its stem ("decorat", "decoratively")."""
_LAST = "\U0010ffff"
MOST_COMPOUNDS = 32
"""Compounds that are searched for one word: those of most products."""


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The document frequencies of one version at one moment.

    `count` products were counted. `term_ids` is uint32 (terms,), ascending. Of int32 (terms,) are
    `term_counts`, in how many products the term occurs, `subject_counts`, in how many it says what
    the product is, and `kind_counts`, in how many it is the whole name of a category. `words` are
    the words as they stand in the products, in code point order, `name_counts` int32 (words,) the
    products that have the word outside their prose. `newer` are ids of terms that only products
    have which were written after the counting.

    Every process and both backends weigh a query with the same table: it is stored with the version
    as `to_bytes`, and never counted by a shard or a segment of its own. It is counted when a
    version is completed and replaced as a whole when the version learns again; until then all
    processes answer with the older one, so their scores agree.
    """

    count: int
    term_ids: NDArray[np.uint32]
    term_counts: NDArray[np.int32]
    subject_counts: NDArray[np.int32]
    kind_counts: NDArray[np.int32]
    words: tuple[str, ...]
    name_counts: NDArray[np.int32]
    newer: frozenset[int] = frozenset()

    @classmethod
    def empty(cls) -> Vocabulary:
        """The vocabulary of a version without products."""
        return VocabularyCounts().vocabulary()

    def term_count(self, term: str) -> int:
        """In how many products the term occurs."""
        counted = self._of_term(self.term_counts, term)
        return 1 if counted == 0 and term_id(term) in self.newer else counted

    def with_newer(self, term_ids: Iterable[int]) -> Vocabulary:
        """The same counts, and terms of products written since.

        Each counts as one product's, which is what the next counting will find at least: so it
        weighs as the rarest words do.
        """
        vocabulary = replace(self, newer=self.newer.union(term_ids))
        # not to be made anew for every query
        for cache in ("_positions", "_compounds", "has_kinds"):
            vars(vocabulary)[cache] = getattr(self, cache)
        return vocabulary

    def is_subject(self, term: str) -> bool:
        """Whether the term says of some product what it is, as "hoodie" and "watch" do and "red"
        does not."""
        return self._of_term(self.subject_counts, term) > 0

    def is_kind(self, term: str) -> bool:
        """Whether the catalogue has a category of this name: it sells many kinds of "jackets",
        where a "sleeping bag" makes it no shop for bags. So it is for every term where it has no
        such categories."""
        return not self.has_kinds or self._of_term(self.kind_counts, term) > 0

    @cached_property
    def has_kinds(self) -> bool:
        return bool(self.kind_counts.any())

    def compounds_of(self, term: str, analyzer: Analyzer) -> tuple[str, ...]:
        """The terms of compounds that end with this term ("Schutzhelm" for "Helm"), those of most
        products first.

        None in languages that write compounds apart.
        """
        if not analyzer.language.compounds:
            return ()
        lookup = self._compounds.get(analyzer.language.code)
        if lookup is None:
            lookup = lru_cache(maxsize=1 << 14)(
                partial(self._commonest, self._all_compounds(analyzer))
            )
            self._compounds[analyzer.language.code] = lookup
        return lookup(term)

    def _all_compounds(self, analyzer: Analyzer) -> Compounds:
        counted = zip(self.words, self.name_counts.tolist(), strict=True)
        return Compounds((word for word, count in counted if count), analyzer)

    def _commonest(self, compounds: Compounds, term: str) -> tuple[str, ...]:
        ending = compounds.ending_with(term)
        return tuple(sorted(ending, key=lambda each: (-self.term_count(each), each)))[
            :MOST_COMPOUNDS
        ]

    def forms_of(self, term: str, analyzer: Analyzer) -> tuple[str, ...]:
        """The term, and the compounds that end with it, but for things of another category.

        A category for "Handschuhe" that is smaller than what is called "Schuhe" is for something
        else. A larger one is not: a shop for "Stehlampen" may have a few other "Lampen".
        """
        compounds = self.compounds_of(term, analyzer)
        alone = self._of_term(self.subject_counts, term)
        others = [c for c in compounds if 0 < self._of_term(self.kind_counts, c) < alone]
        left_out = {*others, *(c for other in others for c in self.compounds_of(other, analyzer))}
        return (term, *(compound for compound in compounds if compound not in left_out))

    def _of_term(self, counts: NDArray[np.int32], term: str) -> int:
        number = term_id(term)
        position = int(np.searchsorted(self.term_ids, np.uint32(number)))
        if position < len(self.term_ids) and int(self.term_ids[position]) == number:
            return int(counts[position])
        return 0

    def name_count(self, word: str) -> int:
        """In how many products the folded word stands outside their prose as it is written."""
        position = self._positions.get(word)
        return 0 if position is None else int(self.name_counts[position])

    def is_name(self, term: str, analyzer: Analyzer) -> bool:
        """Whether a word of the term stands outside the prose of some product."""
        start = bisect_left(self.words, term[:-1])
        end = bisect_left(self.words, term[:-1] + _LAST)
        longest = len(term) + LONGEST_ENDING
        near = [n for n, word in enumerate(self.words[start:end], start) if len(word) <= longest]
        if any(self.name_counts[n] and analyzer.term(self.words[n]) == term for n in near):
            return True
        return term_id(term) in self.newer

    def __contains__(self, word: object) -> bool:
        return word in self._positions

    def idf(self, term: str) -> float:
        """ln(1 + (N - n + 0.5) / (n + 0.5)): BM25's IDF as Lucene has it, never negative.

        A term that no product has gets the highest value there is.
        """
        return self.idf_of(self.term_count(term))

    def idf_of(self, frequency: int) -> float:
        """`idf` of what so many products have."""
        frequency = min(frequency, self.count)
        return log1p((self.count - frequency + 0.5) / (frequency + 0.5))

    @cached_property
    def _compounds(self) -> dict[str, Callable[[str], tuple[str, ...]]]:
        return {}

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {word: position for position, word in enumerate(self.words)}

    def to_bytes(self) -> bytes:
        """The whole table, as a version stores it; about 10 bytes a word."""
        packed = io.BytesIO()
        np.savez_compressed(
            packed,
            count=np.array([self.count], dtype=np.int64),
            term_ids=self.term_ids,
            term_counts=self.term_counts,
            subject_counts=self.subject_counts,
            kind_counts=self.kind_counts,
            words=np.frombuffer("\n".join(self.words).encode("utf-8"), dtype=np.uint8),
            name_counts=self.name_counts,
        )
        return packed.getvalue()

    @classmethod
    def from_bytes(cls, stored: bytes) -> Vocabulary:
        """The table that `to_bytes` gave; `ValueError` where it is damaged."""
        try:
            with np.load(io.BytesIO(stored), allow_pickle=False) as packed:
                text = packed["words"].tobytes().decode("utf-8")
                return cls(
                    int(packed["count"][0]),
                    packed["term_ids"],
                    packed["term_counts"],
                    packed["subject_counts"],
                    packed["kind_counts"]
                    if "kind_counts" in packed
                    else np.zeros_like(packed["subject_counts"]),
                    tuple(text.split("\n")) if text else (),
                    packed["name_counts"],
                )
        except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(f"the stored vocabulary is damaged: {error}") from error


class VocabularyCounts:
    """Counts the words of products as they are read."""

    def __init__(self) -> None:
        self._count = 0
        self._terms: Counter[int] = Counter()
        self._subjects: Counter[int] = Counter()
        self._kinds: Counter[int] = Counter()
        self._words: set[str] = set()
        self._names: Counter[str] = Counter()

    def add(self, documents: Iterable[DocumentWords]) -> None:
        """Count products in."""
        for document in documents:
            self._count += 1
            self._terms.update(document.term_ids.tolist())
            self._subjects.update(document.subjects)
            self._kinds.update(document.kinds)
            self._words.update(document.words)
            self._names.update(document.names)

    def vocabulary(self) -> Vocabulary:
        """The counts of this moment."""
        terms, words = sorted(self._terms), sorted(self._words)
        return Vocabulary(
            self._count,
            np.array(terms, dtype=np.uint32),
            _counts_of(terms, self._terms),
            _counts_of(terms, self._subjects),
            _counts_of(terms, self._kinds),
            tuple(words),
            _counts_of(words, self._names),
        )


def _counts_of(keys: Sequence[Key], counts: Counter[Key]) -> NDArray[np.int32]:
    return np.array([counts[key] for key in keys], dtype=np.int32)
