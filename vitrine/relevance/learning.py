"""The constants of a version, learned from the version itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vitrine.products import Product
from vitrine.relevance.constants import (
    BackgroundSample,
    RelevanceConstants,
    VectorModel,
    WordsModel,
)
from vitrine.relevance.cosines import Cosines, vector_level
from vitrine.relevance.pictures_fit import fit_pictures
from vitrine.relevance.pseudo_queries import (
    PseudoQuery,
    absent_texts,
    absent_words,
    other_kinds,
    own_queries,
)
from vitrine.relevance.query import round_best_words
from vitrine.relevance.vector_fit import ORDINARY_VECTORS, fit_vectors, shifted
from vitrine.relevance.words_fit import ABSENT_SHARE, ORDINARY_WORDS, WordsEvidence, fit_words
from vitrine.words import Analyzer, Postings, Vocabulary, query_words

__all__ = ["LearningSample", "Lexicon", "learn_relevance"]

EmbedTexts = Callable[[Sequence[str]], NDArray[np.float32]]

QUERIES = 240
"""Queries made of the catalogue's own titles and categories. With so many, another random choice of
them moves the cutoff little."""
ABSENT_QUERIES = 2400
"""Queries for what the catalogue lacks, made of words that it knows. Nothing is embedded for them,
so there can be many: a share of a fortieth is then known to 0.3 %. With 240 it was known to 1 %,
and `floor` was 0.72 or 1 for the same catalogue, depending on the random choice."""
OTHER_KINDS = 80
"""Queries for things of the catalogue in kinds that it lacks: two of them may be answered."""
BACKGROUND = 512
"""Products whose cosines are a query's background: its mean is then known to 4 % of a deviation."""
FALSE_ALARMS = 0.01
"""Share of the texts about what no shop sells, and of the goods of other shops, that may be close
to some product by their vectors: a fifth of the one in twenty that may have results at all. About a
hundred texts of a kind tell no share more exactly, and half of the twentieth is for words
(`words_fit.ABSENT_SHARE`)."""


@dataclass(frozen=True, eq=False)
class LearningSample:
    """Products of the version, a random choice of them where there are many (20,000 are plenty).

    `postings` are the products' words. `pictures` is float32 (n, dimension), each product's first
    picture; `texts` float32 (n, dimension), None where the version keeps no text vectors.
    """

    products: Sequence[Product]
    postings: Postings
    pictures: NDArray[np.float32]
    texts: NDArray[np.float32] | None


@dataclass(frozen=True, eq=False)
class Lexicon:
    """The version's words: its vocabulary and the analyzer of its language."""

    vocabulary: Vocabulary
    analyzer: Analyzer


def learn_relevance(
    sample: LearningSample, lexicon: Lexicon, *, embed_texts: EmbedTexts, seed: int = 0
) -> RelevanceConstants:
    """Learn the constants of a version; about 500 short texts are embedded for it.

    No judgement enters: a true match is a product under a piece of its own title, a false one a
    product under another's, or under a text about what the catalogue lacks. The same sample and
    seed give the same constants. `ValueError` for a sample without products.
    """
    if not sample.products:
        raise ValueError("a version without products teaches nothing")
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.permutation(len(sample.products))[:BACKGROUND])
    background = BackgroundSample(
        sample.pictures[chosen].astype(np.float16),
        None if sample.texts is None else sample.texts[chosen].astype(np.float16),
    )
    text, looks, words = _fit_texts(
        sample, lexicon, background, chosen=chosen, embed_texts=embed_texts, rng=rng
    )
    image = fit_pictures(sample.products, sample.pictures, background, rng=rng)
    learned = {"text": text, "image": image, "words": words}
    return RelevanceConstants(
        text=text or ORDINARY_VECTORS,
        image=image or ORDINARY_VECTORS,
        words=words or ORDINARY_WORDS,
        background=background,
        products=lexicon.vocabulary.count,
        assumed=tuple(name for name, model in learned.items() if model is None),
        looks=looks,
    )


def _fit_texts(
    sample: LearningSample,
    lexicon: Lexicon,
    background: BackgroundSample,
    *,
    chosen: NDArray[np.int64],
    embed_texts: EmbedTexts,
    rng: np.random.Generator,
) -> tuple[VectorModel | None, VectorModel | None, WordsModel | None]:
    """What queries in words teach: the mix of vectors, that of pictures alone where it differs, and
    words; None for a part that they do not.

    `chosen` are the products of the background.
    """
    vocabulary, analyzer = lexicon.vocabulary, lexicon.analyzer
    queries = own_queries(sample.products, vocabulary, analyzer, count=QUERIES, rng=rng)
    cosines = _cosines(sample, background, embed_texts([query.text for query in queries]))
    kinds = absent_texts(vocabulary, analyzer)
    absent = _cosines(sample, background, embed_texts([text for kind in kinds for text in kind]))
    matches = [query.matches for query in queries]
    text = fit_vectors(cosines, matches, absent, rng=rng)
    close = (
        None
        if text is None
        else shifted(text, _highest(absent, text, [len(kind) for kind in kinds]))
    )
    looks = None
    if sample.texts is not None:
        seen, unseen = cosines.of_pictures(), absent.of_pictures()
        looks = fit_vectors(seen, matches, unseen, rng=rng)
    absent_best = _absent_best(sample.postings, lexicon, rng)
    vectors = close or ORDINARY_VECTORS
    evidence = _evidence(
        sample.postings, lexicon, queries, _Vectors(cosines, vectors, looks or vectors, chosen)
    )
    words = fit_words(evidence, absent_best, rng=rng)
    if words is not None and close is not None:
        texts = other_kinds(
            sample.products, kinds[-1], analyzer, count=OTHER_KINDS, rng=rng.spawn(1)[0]
        )
        reached = _best(_cosines(sample, background, embed_texts(texts)), close) if texts else [0.0]
        least = float(np.quantile(reached, 1 - ABSENT_SHARE))
        words = replace(words, other_kind=max(least, 0.0))
    return close, looks, words


@dataclass(frozen=True, eq=False)
class _Vectors:
    """The cosines of queries, the mixes of them, and the products of the background."""

    cosines: Cosines
    all: VectorModel
    looks: VectorModel
    background: NDArray[np.int64]


def _cosines(
    sample: LearningSample, background: BackgroundSample, queries: NDArray[np.float32]
) -> Cosines:
    return Cosines.of(queries, sample.pictures, sample.texts, background)


def _highest(absent: Cosines, model: VectorModel, kinds: Sequence[int]) -> float:
    """The log-odds that hardly any text of either kind about what the catalogue lacks reaches with
    its closest product; `kinds` says how many texts are of each."""
    parts = np.split(np.array(_best(absent, model)), np.cumsum(kinds)[:-1])
    return max(float(np.quantile(part, 1 - FALSE_ALARMS)) for part in parts if len(part))


def _best(cosines: Cosines, model: VectorModel) -> list[float]:
    """The log-odds of each query's closest product."""
    return [float(cosines.log_odds(model, query).max()) for query in range(len(cosines.queries))]


def _evidence(
    postings: Postings,
    lexicon: Lexicon,
    queries: Sequence[PseudoQuery],
    vectors: _Vectors,
) -> Iterator[WordsEvidence]:
    """The words scores and log-odds of each query, one at a time: all of them would take much
    memory."""
    for number, query in enumerate(queries):
        words = query_words(
            query.words, lexicon.vocabulary, lexicon.analyzer, preferred=query.preferred
        )
        looks = vectors.cosines.log_odds(vectors.looks, number)
        yield WordsEvidence(
            query.matches,
            postings.scores(words).astype(np.float32),
            round_best_words(float(postings.core_scores(words).max())),
            vectors.cosines.log_odds(vectors.all, number).astype(np.float32),
            looks.astype(np.float32),
            vector_level(looks[vectors.background]),
        )


def _absent_best(
    postings: Postings, lexicon: Lexicon, rng: np.random.Generator
) -> list[NDArray[np.float64]]:
    kinds = absent_words(lexicon.vocabulary, lexicon.analyzer, count=ABSENT_QUERIES, rng=rng)
    best = []
    for texts in kinds:
        words = [query_words(text, lexicon.vocabulary, lexicon.analyzer) for text in texts]
        best.append(np.array([float(postings.core_scores(query).max()) for query in words]))
    return best
