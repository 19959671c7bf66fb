"""The words of a query as the catalogue writes them: joined, apart, or in another order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vitrine.words.analysis import Analyzer, Token
from vitrine.words.known import split
from vitrine.words.vocabulary import Vocabulary

__all__ = ["query_terms"]

LONGEST_JOINED = 5
"""Words of a query that may be one word of the catalogue: "dtw 285 z" is DTW285Z, and an ISBN has
five groups."""


def query_terms(
    tokens: Sequence[Token], vocabulary: Vocabulary, analyzer: Analyzer
) -> Iterator[tuple[str, ...]]:
    """The terms of each word of a query, joined or split as the catalogue writes them."""
    position = 0
    while position < len(tokens):
        joined, length = _joined(tokens[position:], vocabulary, analyzer)
        if joined:
            yield (joined,)
        elif not tokens[position].stop:
            yield split(tokens[position], vocabulary, analyzer)
        position += length


def _joined(tokens: Sequence[Token], vocabulary: Vocabulary, analyzer: Analyzer) -> tuple[str, int]:
    """The first words as one term, where products write them so more often than apart, and how
    many they are; "" and 1 where they do not.

    Of stop words only single letters are joined ("usb c").
    """
    for length in range(min(LONGEST_JOINED, len(tokens)), 1, -1):
        words = tokens[:length]
        if any(token.stop and len(token.word) > 1 for token in words):
            continue
        apart = {token.term: vocabulary.term_count(token.term) for token in words}
        for term in _written_as_one(words, analyzer):
            together = vocabulary.term_count(term)
            if together and term not in apart and together >= min(apart.values()):
                return term, length
    return "", 1


def _written_as_one(tokens: Sequence[Token], analyzer: Analyzer) -> Iterator[str]:
    """The terms of words that are written as one: in their order, with the sign of a unit ("850
    watt" as 850W), and, where compounds are one word, with the thing before what it is for
    ("Thermometer Fieber")."""
    yield analyzer.term("".join(token.word for token in tokens))
    if len(tokens) == 2:
        first, second = tokens
        if first.word.isdigit():
            yield analyzer.term(first.word + second.term)
        elif analyzer.language.compounds:
            yield analyzer.term(second.word + first.word)
