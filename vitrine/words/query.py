"""The query's side of BM25: one weight a term, and what the best product could score."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vitrine.words.analysis import Analyzer, Token
from vitrine.words.document import DocumentWords, kind_term
from vitrine.words.exact import exact_key
from vitrine.words.heads import (
    compound_of,
    head_of,
    is_known_head,
    is_other_kind,
    picture_only_words,
    unknown_qualities,
)
from vitrine.words.known import split
from vitrine.words.terms import term_id
from vitrine.words.vocabulary import Vocabulary
from vitrine.words.writing import query_terms

__all__ = ["QueryWords", "query_words"]


PREFERENCE = 1 / 3
"""Weight of a preferred word, as a share of its IDF or of the mean IDF of the other words,
whichever is less. A third is enough to order products that match the other words, and too little to
rank a product that matches only the preferred word above one whose description has another."""


COMPOUND = 0.95
"""Weight of a compound that ends with a word, as a share of the word's, where products are called
by the word alone: a title of two words with the compound then comes behind one of three with the
word, and stays close beside one that has both."""


KIND_PREFERENCE = PREFERENCE / 2
"""Weight of a category that is called like a word of the query, as such a share. It is enough to
rank what is in "Dresses" above "Dress Shoes", and little beside what pictures show."""


@dataclass(frozen=True, slots=True, eq=False)
class QueryWords:
    """What is asked of the word index.

    `term_ids` is uint32 (terms,), ascending, each once: only terms that some product has.
    `weights` is float32 (terms,): their IDF, at least that of the other words for the one that
    names the thing ("bottle" in "water bottle"), less for words that are preferred and not asked
    for ("red" in "red hat": other hats are hats). `core` is float32 (terms,), the same with 0
    for preferred words. `best` is more than any product can score by one form of each core word:
    the sum of their IDFs. A word that no product has counts there as much as the others do on
    average, so that a product with half of what was asked for does not look like the whole, and one
    strange word among three does not spoil the rest. A product's words score is
    sum(weights * values) / best, in float64; 0 where it has none of the terms.
    `subject` says whether a word of the query names something that the catalogue has ("hoodie" in
    "hoodie for my friend"), and not only says how it is ("red"). `other_kind` says that it names
    one in a kind that the catalogue may lack ("camera bag" beside sleeping bags, "cat food" beside
    dog food), or only beside what it looks for ("shoe rack"): then half of the words are not
    enough. `exact_key` equals one of the product's exact keys where the whole query names it; ""
    equals none.
    """

    term_ids: NDArray[np.uint32]
    weights: NDArray[np.float32]
    core: NDArray[np.float32]
    best: float
    subject: bool
    other_kind: bool
    exact_key: str

    @property
    def empty(self) -> bool:
        """Whether no product can score: there is no word, or none that the catalogue has."""
        return len(self.term_ids) == 0

    def score(self, document: DocumentWords) -> float:
        """The words score of one product."""
        _, mine, its = np.intersect1d(
            self.term_ids, document.term_ids, assume_unique=True, return_indices=True
        )
        products = self.weights[mine].astype(np.float64) * document.values[its]
        return float(products.sum()) / self.best if self.best > 0 else 0.0


def query_words(  # noqa: PLR0913  # what understanding tells of a query
    text: str,
    vocabulary: Vocabulary,
    analyzer: Analyzer,
    *,
    whole: str | None = None,
    preferred: Collection[str] = (),
    extra: Collection[str] = (),
    named: bool = False,
    vague: bool = False,
) -> QueryWords:
    """What the words of a query ask for.

    `whole` is the query as it was typed, for the exact key, where `text` is what understanding left
    of it. `preferred` are words of it, folded, that raise and never hide (colors, brands); where
    there are no others they are what is asked for. `extra` are further preferred words, such as the
    catalogue's own name of a color that was asked for in another language. `named` says that the
    words name a thing of the catalogue by a value of a field, such as an author, `vague` that the
    query asks for anything, so that no word of it names the thing ("gift for a dog lover").

    Words are looked for as the catalogue writes them. Those that most products write as one are
    that one word ("usb c"), and one that no product has is its halves, or its letters and its
    digits, where products have these. Compounds that end with a word are other forms of it, and
    come behind the word itself; those of another category raise. What describes a thing in words
    that no product has raises, too: only pictures know it. So does being in the category of the
    thing that is named, where products have all words. A query of stop words alone is looked for by
    pairs of them, as titles have them.
    """
    tokens = analyzer.tokens(text)
    preferred = {
        *preferred,
        *picture_only_words(tokens, vocabulary, analyzer),
        *unknown_qualities(tokens, vocabulary, analyzer),
    }
    words = list(query_terms(tokens, vocabulary, analyzer))
    own = [term for terms in words for term in terms] or analyzer.stop_pairs(text)
    further = [token.term for word in extra for token in analyzer.tokens(word)]
    terms = list(dict.fromkeys([*own, *further]))
    raised = [*further, *_first_halves(words, vocabulary)]
    core_terms = _core_terms(terms, tokens, preferred, raised)
    forms = {term: vocabulary.forms_of(term, analyzer) for term in terms}
    required = [token for token in tokens if token.word not in preferred]
    compound = [] if vague else compound_of(required, analyzer)
    head = head_of(compound, analyzer)
    subject = named or any(any(map(vocabulary.is_subject, forms[term])) for term in core_terms)
    other_kind = subject and (
        _is_unknown(head, own, vocabulary, analyzer)
        or (not named and is_other_kind(compound, vocabulary, analyzer))
    )
    idfs = _idfs(forms, words, vocabulary)
    weights, core, best = _weights(core_terms, forms, idfs, head, vocabulary, analyzer)
    known = not other_kind and all(term in idfs for term in core_terms)
    if known and head is not None and head.term in core_terms:
        weights |= _kind_weight(head.term, best / len(core_terms), vocabulary)
    ids = sorted(weights)
    return QueryWords(
        np.array(ids, dtype=np.uint32),
        np.array([weights[i] for i in ids], dtype=np.float32),
        np.array([core.get(i, 0.0) for i in ids], dtype=np.float32),
        best,
        subject and not other_kind,
        other_kind,
        exact_key(text if whole is None else whole),
    )


def _is_unknown(
    head: Token | None, own: Sequence[str], vocabulary: Vocabulary, analyzer: Analyzer
) -> bool:
    """Whether the catalogue calls nothing by the word that names the thing, by itself or as one
    with its neighbor (then it is none of the query's `own` terms)."""
    if head is None or is_known_head(head, vocabulary, analyzer):
        return False
    return head.term in own or len(split(head, vocabulary, analyzer)) > 1


def _first_halves(words: Sequence[Sequence[str]], vocabulary: Vocabulary) -> list[str]:
    """The first half of each word that was taken apart and ends with a category: a "handbag" is a
    bag, and "hand tools" are none."""
    return [
        parts[0]
        for parts in words
        if len(parts) == 2 and parts[0].isalpha() and vocabulary.has_kinds
        if vocabulary.is_kind(parts[1])
    ]


def _core_terms(
    terms: Sequence[str], tokens: Sequence[Token], preferred: Collection[str], extra: Sequence[str]
) -> Sequence[str]:
    """The terms that are not only preferred; all of them where there are no others."""
    raised = {*extra, *(token.term for token in tokens if token.word in preferred)}
    return [term for term in terms if term not in raised] or terms


def _weights(
    core_terms: Sequence[str],
    forms: Mapping[str, Sequence[str]],
    idfs: Mapping[str, float],
    head: Token | None,
    vocabulary: Vocabulary,
    analyzer: Analyzer,
) -> tuple[dict[int, float], dict[int, float], float]:
    """The weights of all terms and those of the core terms alone, by the numbers of their forms,
    and the best score; see `QueryWords`. Nothing where no product has a core term."""
    core_idfs = _core_idfs(core_terms, idfs, head, vocabulary)
    if not core_idfs:
        return {}, {}, 0.0
    core = _by_id(core_idfs, forms, vocabulary)
    total = sum(core_idfs.values())
    mean = total / len(core_idfs)
    preferred = {term: min(idf, mean) * PREFERENCE for term, idf in idfs.items()}
    compounds = {term: vocabulary.compounds_of(term, analyzer) for term in core_idfs}
    weights = (
        _by_id(dict.fromkeys(core_idfs, mean * PREFERENCE), compounds, vocabulary)
        | _by_id(preferred, forms, vocabulary)
        | core
    )
    return weights, core, total * len(core_terms) / len(core_idfs)


def _kind_weight(thing: str, mean: float, vocabulary: Vocabulary) -> dict[int, float]:
    """The weight of being in a category that the thing's term is the whole name of, by the number
    of its term; nothing where there is no such category. `mean` is the mean IDF of the core
    terms."""
    kind = kind_term(thing)
    count = vocabulary.term_count(kind)
    if not count:
        return {}
    return {term_id(kind): min(vocabulary.idf_of(count), mean) * KIND_PREFERENCE}


def _idfs(
    forms: Mapping[str, Sequence[str]], words: Sequence[Sequence[str]], vocabulary: Vocabulary
) -> dict[str, float]:
    """The IDF of each term in all its forms; without those that no product has.

    `words` are the terms of each word: those of one that was taken apart count alike, since each
    is a part of one thing.
    """
    counts = {term: sum(map(vocabulary.term_count, each)) for term, each in forms.items()}
    idfs = {term: vocabulary.idf_of(count) for term, count in counts.items() if count}
    for parts in words:
        if len(parts) > 1:
            idfs |= dict.fromkeys(parts, sum(idfs[part] for part in parts) / len(parts))
    return idfs


def _core_idfs(
    core_terms: Sequence[str],
    idfs: Mapping[str, float],
    head: Token | None,
    vocabulary: Vocabulary,
) -> dict[str, float]:
    """The IDF of each core term, for the one that names the thing at least that of the others."""
    core = {term: idfs[term] for term in core_terms if term in idfs}
    if head is not None and head.term in core and vocabulary.is_subject(head.term):
        core[head.term] = max(core.values())
    return core


def _by_id(
    weights: Mapping[str, float], forms: Mapping[str, Sequence[str]], vocabulary: Vocabulary
) -> dict[int, float]:
    """The weight of each form that products have of each term, by the form's number."""
    return {
        term_id(form): weight * (COMPOUND if form != term and vocabulary.is_subject(term) else 1)
        for term, weight in weights.items()
        for form in forms[term]
        if vocabulary.term_count(form)
    }
