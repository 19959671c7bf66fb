"""Which words of a query the products have, in one form or another."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise

from vitrine.words.analysis import Analyzer, Token
from vitrine.words.terms import term_id
from vitrine.words.vocabulary import Vocabulary

__all__ = ["is_known", "neighbors", "split", "unknown_terms", "unknown_words"]

_LETTERS_OR_DIGITS = re.compile(r"\d+|[^\W\d_]+")


def split(token: Token, vocabulary: Vocabulary, analyzer: Analyzer) -> tuple[str, ...]:
    """The term, or those of its parts where only they are known: what is of letters and what is of
    digits ("iphone13"), or two halves, the commoner ones first."""
    word = token.word
    if vocabulary.term_count(token.term):
        return (token.term,)
    pieces = _LETTERS_OR_DIGITS.findall(word)
    terms = tuple(analyzer.term(piece) for piece in pieces if not analyzer.is_stop_word(piece))
    if len(pieces) > 1 and terms and all(map(vocabulary.term_count, terms)):
        return terms
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
    """Whether products have the folded word: as it is, as a compound of two words of theirs, as the
    end of one, or as half of one with its neighbor in the query (`around`: the words there, this
    one among them)."""
    if word in vocabulary or vocabulary.term_count(analyzer.term(word)):
        return True
    term = analyzer.term(word)
    if len(split(Token(word, term, 0, len(word)), vocabulary, analyzer)) > 1:
        return True
    if vocabulary.compounds_of(term, analyzer):
        return True
    beside = [pair for pair in pairwise(around) if word in pair]
    pairs = [first + second for first, second in beside]
    if analyzer.language.compounds:  # "Thermometer Fieber"
        pairs += [second + first for first, second in beside]
    return any(vocabulary.term_count(analyzer.term(pair)) > 0 for pair in pairs)


LEAST_LETTERS = 3
"""Letters of a word that is worth naming: pairs of characters are pieces of Chinese words."""


def unknown_words(
    text: str, vocabulary: Vocabulary, analyzer: Analyzer, *, besides: Collection[str] = ()
) -> list[str]:
    """The folded words of a text that no product has in any form, in order, each once; numbers,
    codes, stop words and those named in `besides` are none."""
    words = [token.word for token in analyzer.tokens(text) if not token.stop]
    unknown = (
        word
        for place, word in enumerate(words)
        if word.isalpha() and len(word) >= LEAST_LETTERS and word not in besides
        if not is_known(word, vocabulary, analyzer, around=neighbors(words, place))
    )
    return list(dict.fromkeys(unknown))


def neighbors(words: Sequence[str], place: int) -> Sequence[str]:
    """A word of a query and those beside it: what may be written as one with it."""
    return words[max(place - 1, 0) : place + 2]
