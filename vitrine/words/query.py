"""The query's side of BM25: one weight a term, and what the best product could score."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vitrine.words.analysis import Analyzer, Token
from vitrine.words.document import DocumentWords
from vitrine.words.exact import exact_key
from vitrine.words.terms import term_id
from vitrine.words.vocabulary import Vocabulary

__all__ = ["QueryWords", "is_known", "query_words", "unknown_terms"]


PREFERENCE = 1 / 3
"""What a preferred word weighs, of its IDF or that of the words asked for, whichever is less:
enough to come first among the things asked for, too little to bring in another thing, even one
whose description mentions what was asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class QueryWords:
    """What is asked of the word index.

    `term_ids` is uint32 (terms,), ascending, each once: only terms that some product has.
    `weights` is float32 (terms,): their IDF, less for words that are preferred and not
    asked for ("red" in "red hat": other hats are hats). `core` is float32 (terms,), the same with 0
    for preferred words. `best` is more than any product can score by core words: the sum of their
    IDFs. A word that no product has counts there as much as the others do on average, so that a
    product with half of what was asked for does not look like the whole, and one strange word among
    three does not spoil the rest. A product's words score is sum(weights * values) / best, in
    float64; 0 where it has none of the terms.
    `subject` says whether a word of the query names something that the catalogue has ("hoodie" in
    "hoodie for my friend"), and not only says how it is ("red"). `exact_key` equals one of the
    product's exact keys where the whole query names it; "" equals none.
    """

    term_ids: NDArray[np.uint32]
    weights: NDArray[np.float32]
    core: NDArray[np.float32]
    best: float
    subject: bool
    exact_key: str

    @property
    def empty(self) -> bool:
        """Whether no product can score: there is no word, or none that the catalogue has."""
        return len(self.term_ids) == 0

    def score(self, document: DocumentWords) -> float:
        """The words score of one product."""
        return self._score(document, self.weights)

    def core_score(self, document: DocumentWords) -> float:
        """The words score of one product by core words.

        The highest of the version is what relevance measures against.
        """
        return self._score(document, self.core)

    def _score(self, document: DocumentWords, weights: NDArray[np.float32]) -> float:
        _, mine, its = np.intersect1d(
            self.term_ids, document.term_ids, assume_unique=True, return_indices=True
        )
        products = weights[mine].astype(np.float64) * document.values[its]
        return float(products.sum()) / self.best if self.best > 0 else 0.0


def query_words(
    text: str,
    vocabulary: Vocabulary,
    analyzer: Analyzer,
    *,
    whole: str | None = None,
    preferred: Collection[str] = (),
    extra: Collection[str] = (),
) -> QueryWords:
    """What the words of a query ask for.

    `whole` is the query as it was typed, for the exact key, where `text` is what understanding left
    of it. `preferred` are words of it, folded, that raise and never hide (colors, brands); where
    there are no others they are what is asked for. `extra` are further preferred words, such as the
    catalogue's own name of a color that was asked for in another language.
    A compound is looked for as the catalogue writes it: two words of the query that most products
    write as one are that one, and a word that no product has but whose two halves are words is the
    halves, as one of letters and digits is its letters and its digits.
    """
    spoken = analyzer.tokens(text)
    tokens = [token for token in spoken if not token.stop]
    further = {token.term for word in extra for token in analyzer.tokens(word)}
    raised = further | {token.term for token in tokens if token.word in preferred}
    terms = dict.fromkeys([*_terms(tokens, vocabulary, analyzer), *further])
    core_terms = [term for term in terms if term not in raised] or list(terms)
    known = {term: vocabulary.idf(term) for term in terms if vocabulary.term_count(term)}
    core = {term_id(term): known[term] for term in core_terms if term in known}
    usual = sum(core.values()) / max(len(core), 1)
    weights = {term_id(t): min(idf, usual) * PREFERENCE for t, idf in known.items()} | core
    ids = sorted(weights) if core else []
    return QueryWords(
        np.array(ids, dtype=np.uint32),
        np.array([weights[i] for i in ids], dtype=np.float32),
        np.array([core.get(i, 0.0) for i in ids], dtype=np.float32),
        sum(core.values()) * len(core_terms) / len(core) if core else 0.0,
        any(vocabulary.is_subject(term) for term in core_terms)
        and _is_head_known(
            [token for token in spoken if token.word not in preferred], vocabulary, analyzer
        ),
        exact_key(text if whole is None else whole),
    )


_LETTERS_OR_DIGITS = re.compile(r"\d+|[^\W\d_]+")


def _is_head_known(tokens: Sequence[Token], vocabulary: Vocabulary, analyzer: Analyzer) -> bool:
    """Whether products are called by the word that says what is asked for, where a query is one
    compound: a "phone box" is no phone. True where it cannot be told, as beside a number."""
    if len(tokens) < 2 or any(token.stop or not token.word.isalpha() for token in tokens):
        return True
    head = tokens[0 if analyzer.language.head == "first" else -1]
    is_prose = head.word in vocabulary and not vocabulary.name_count(head.word)
    return (
        vocabulary.is_subject(head.term)
        or (vocabulary.term_count(head.term) > 0 and not is_prose)
        or len(_split(head, vocabulary, analyzer)) > 1
    )


def _terms(tokens: Sequence[Token], vocabulary: Vocabulary, analyzer: Analyzer) -> Iterable[str]:
    position = 0
    while position < len(tokens):
        pair = tokens[position : position + 2]
        joined = _joined(pair, vocabulary, analyzer) if len(pair) == 2 else None
        if joined is not None:
            yield joined
            position += 2
            continue
        yield from _split(pair[0], vocabulary, analyzer)
        position += 1


def _joined(pair: Sequence[Token], vocabulary: Vocabulary, analyzer: Analyzer) -> str | None:
    """The two words as one term, where products write them so more often than apart."""
    term = analyzer.term(pair[0].word + pair[1].word)
    together = vocabulary.term_count(term)
    apart = min(vocabulary.term_count(token.term) for token in pair)
    return term if together and together >= apart else None


def _split(token: Token, vocabulary: Vocabulary, analyzer: Analyzer) -> tuple[str, ...]:
    """The term, or those of its parts where only they are known: what is of letters and what is of
    digits ("iphone13"), or two halves, the commoner ones first."""
    word = token.word
    if vocabulary.term_count(token.term):
        return (token.term,)
    pieces = tuple(map(analyzer.term, _LETTERS_OR_DIGITS.findall(word)))
    if len(pieces) > 1 and all(map(vocabulary.term_count, pieces)):
        return pieces
    if len(word) < 6 or not word.isalpha():
        return (token.term,)
    halves = [
        (analyzer.term(word[:cut]), analyzer.term(word[cut:]))
        for cut in range(3, len(word) - 2)
        if word[:cut] in vocabulary and word[cut:] in vocabulary
    ]
    rarest = [min(map(vocabulary.term_count, pair)) for pair in halves]
    return halves[rarest.index(max(rarest))] if halves else (token.term,)


def unknown_terms(
    texts: Iterable[str], vocabulary: Vocabulary, analyzer: Analyzer
) -> frozenset[int]:
    """The ids of the texts' terms that no product had when the version's words were counted.

    Products written since may have them (`VectorIndex.terms_in_use`).
    """
    terms = {token.term for text in texts for token in analyzer.tokens(text) if not token.stop}
    return frozenset(term_id(term) for term in terms if not vocabulary.term_count(term))


def is_known(
    word: str, vocabulary: Vocabulary, analyzer: Analyzer, *, around: Sequence[str] = ()
) -> bool:
    """Whether products have the folded word: as it is, as a compound of two words of theirs, or as
    half of one with its neighbor in the query (`around`: the words there, this one among them)."""
    if word in vocabulary or vocabulary.term_count(analyzer.term(word)):
        return True
    if len(_split(Token(word, analyzer.term(word), 0, len(word)), vocabulary, analyzer)) > 1:
        return True
    pairs = [first + second for first, second in pairwise(around) if word in (first, second)]
    return any(vocabulary.term_count(analyzer.term(pair)) > 0 for pair in pairs)
