"""The query's side of BM25: one weight a term, and what the best product could score."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vitrine.words.analysis import Analyzer, Token
from vitrine.words.document import DocumentWords
from vitrine.words.exact import exact_key
from vitrine.words.terms import term_id
from vitrine.words.vocabulary import Vocabulary

__all__ = ["QueryWords", "query_words"]


@dataclass(frozen=True, slots=True, eq=False)
class QueryWords:
    """What is asked of the word index.

    `term_ids` is uint32 (terms,), ascending, each once: only terms that some product has.
    `weights` is float32 (terms,): their IDF. `best` is more than any product can score: the sum of
    the IDFs of all words of the query, those that no product has included, so that a product with
    half of what was asked for does not look like the whole. A product's words score is
    sum(weights * values) / best, between 0 and 1; 0 where it has none of the terms.
    `exact_key` equals one of the product's exact keys where the whole query names it; "" equals none.
    """

    term_ids: NDArray[np.uint32]
    weights: NDArray[np.float32]
    best: float
    exact_key: str

    @property
    def empty(self) -> bool:
        """Whether no product can score: there is no word, or none that the catalogue has."""
        return len(self.term_ids) == 0

    def score(self, document: DocumentWords) -> float:
        """The words score of one product, in float64 from the same float32 numbers on both backends."""
        _, mine, its = np.intersect1d(
            self.term_ids, document.term_ids, assume_unique=True, return_indices=True
        )
        products = self.weights[mine].astype(np.float64) * document.values[its]
        return self.scaled(float(products.sum()))

    def scaled(self, total: float) -> float:
        """A sum of weights times values as a words score."""
        return min(total / self.best, 1.0) if self.best > 0 else 0.0


def query_words(
    text: str,
    vocabulary: Vocabulary,
    analyzer: Analyzer,
    *,
    whole: str | None = None,
    extra: Sequence[str] = (),
) -> QueryWords:
    """What the words of a query ask for.

    `whole` is the query as it was typed, for the exact key, where `text` is what understanding left
    of it. `extra` are further words that count like those of the text (the catalogue's own name of a
    color that was asked for in another language).
    A compound is looked for as the catalogue writes it: two words of the query that most products
    write as one are that one, and a word that no product has but whose two halves are words is the
    halves.
    """
    tokens = [token for token in analyzer.tokens(text) if not token.stop]
    terms = list(_terms(tokens, vocabulary, analyzer))
    terms += [token.term for word in extra for token in analyzer.tokens(word)]
    idf = {term: vocabulary.idf(term) for term in terms}
    weights: dict[int, float] = {}
    for term, weight in idf.items():
        if vocabulary.term_count(term):
            weights[term_id(term)] = weight
    ids = sorted(weights)
    return QueryWords(
        np.array(ids, dtype=np.uint32),
        np.array([weights[i] for i in ids], dtype=np.float32),
        sum(idf.values()),
        exact_key(text if whole is None else whole),
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
    """The term, or those of the two halves where only they are known; the commoner halves first."""
    word = token.word
    if vocabulary.term_count(token.term) or len(word) < 6 or not word.isalpha():
        return (token.term,)
    halves = [
        (analyzer.term(word[:cut]), analyzer.term(word[cut:]))
        for cut in range(3, len(word) - 2)
        if word[:cut] in vocabulary and word[cut:] in vocabulary
    ]
    rarest = [min(map(vocabulary.term_count, pair)) for pair in halves]
    return halves[rarest.index(max(rarest))] if halves else (token.term,)
