"""Words and vectors as one order: the oracle values every product alone, the index must agree."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.contract import oracle
from tests.contract.backends import BACKENDS
from tests.contract.catalogue import DIMENSION, SCHEMA, WORDS, make_catalogue, make_record
from tests.contract.questions import random_filter, random_sort, separated
from tests.contract.test_search import check
from tests.support.noted import noted
from vitrine.errors import InvalidQuery
from vitrine.index import IndexAnswer, IndexQuery, IndexVersions, PageToken, VectorIndex
from vitrine.index.fusion import Fusion, Negative, SearchModel
from vitrine.products import Record
from vitrine.relevance import (
    BackgroundSample,
    RelevanceConstants,
    VectorModel,
    WordsModel,
    least_log_odds,
)
from vitrine.understanding import KnownValues
from vitrine.words import Analyzer, QueryWords, Vocabulary, VocabularyCounts, document_words
from vitrine.words import query_words as words_of

ANALYZER = Analyzer("en")
SIZE = 90


def vocabulary_of(records: list[Record]) -> Vocabulary:
    counts = VocabularyCounts()
    counts.add([oracle.document_of(r.product) for r in records])
    return counts.vocabulary()


def constants_of(records: list[Record], rng: random.Random) -> RelevanceConstants:
    texts = None
    if records[0].text_vector is not None:
        texts = np.stack([r.text_vector for r in records[:64]]).astype(np.float16)
    text_weights = (0.0, 0.0) if texts is None else (rng.uniform(0, 12), rng.uniform(0, 1))
    model = VectorModel(rng.uniform(2, 12), rng.uniform(0, 1), *text_weights, rng.uniform(-6, 0))
    weights = rng.uniform(1, 8), rng.uniform(0, 0.5), rng.uniform(-4, 1)
    words = WordsModel(*weights, floor=0.1, typical=0.5, other_kind=0.4)
    pictures = np.stack([r.vectors[0] for r in records[:64]]).astype(np.float16)
    seen = VectorModel(rng.uniform(2, 12), rng.uniform(0, 1), 0.0, 0.0, rng.uniform(-6, 0))
    looks = None if texts is None else seen
    background = BackgroundSample(pictures, texts)
    return RelevanceConstants(model, model, words, background, products=len(records), looks=looks)


def model_of(vocabulary: Vocabulary, constants: RelevanceConstants) -> SearchModel:
    return SearchModel.of(vocabulary, KnownValues.empty(), constants, ())


def random_words(vocabulary: Vocabulary, records: list[Record], rng: random.Random) -> QueryWords:
    text = " ".join(rng.choices(WORDS, k=rng.randint(1, 3)))
    whole = rng.choice(
        [text, rng.choice(records).product.id, rng.choice(records).product.title.upper()]
    )
    return words_of(text, vocabulary, ANALYZER, whole=whole)


def random_fused(records: list[Record], rng: random.Random, number: int) -> IndexQuery:
    vocabulary, constants = vocabulary_of(records), constants_of(records, rng)
    negatives = tuple(
        Negative(
            separated(rng, records),
            random_words(vocabulary, records, rng),
            rng.choice(("text", "image")),
            rng.random() < 0.5,
        )
        for _ in range(rng.choice((0, 0, 1, 2)))
    )
    fusion = Fusion(
        f"query {number}",
        "model",
        replace(random_words(vocabulary, records, rng), other_kind=number % 5 == 1),
        constants,
        rng.choice(("text", "image")),
        least_log_odds(rng.choice((0.0, 0.5, rng.random()))),
        negatives,
        vague=number % 3 == 0,
        narrows=number % 6 == 0,
    )
    return IndexQuery(
        vector=None if rng.random() < 0.15 else separated(rng, records),
        fusion=fusion,
        filter=random_filter(rng, records),
        candidates=rng.choice((5, 40, 1000)),
        exclude=frozenset(r.product.id for r in rng.sample(records, rng.randint(0, 3))),
        sort=random_sort(rng),
        collapse=rng.choice((None, None, "group_id")),
        facets=rng.choice(((), ("color", "price", "brand"))),
        limit=rng.choice((1, 7, 24)),
    )


@pytest.mark.parametrize("seed", range(6))
def test_fused_answers_are_those_of_the_oracle(index: VectorIndex, seed: int):
    rng = random.Random(seed)
    records = make_catalogue(SIZE, rng.getrandbits(32))
    index.upsert(records)
    for number in range(25):
        query = random_fused(records, rng, number)
        with noted(seed=seed, query=number, case=query):
            check(index, records, query)


@pytest.mark.parametrize("seed", range(5))
def test_five_hundred_mixed_queries_have_the_same_answer_on_every_backend(
    tmp_path: Path, seed: int
):
    """Two pages of each; the client's local mode, which takes longest, is asked every fifth."""
    rng = random.Random(500 + seed)
    records = make_catalogue(SIZE, rng.getrandbits(32))
    with ExitStack() as opened:
        indexes = {}
        for name, open_versions in BACKENDS.items():
            versions = opened.enter_context(closing(open_versions(tmp_path / name)))  # type: ignore
            indexes[name] = versions.create(
                model="m", fingerprint="f", dimension=DIMENSION, schema=SCHEMA, mapping={}
            )
            indexes[name].upsert(records)
        for number in range(100):
            query = random_fused(records, rng, number)
            names = [n for n in indexes if n != "qdrant-local" or number % 5 == 0]
            tokens: dict[str, PageToken | None] = dict.fromkeys(names)
            for page in range(2):
                answers = {
                    n: indexes[n].search(replace(query, page_token=tokens[n])) for n in names
                }
                for name in names:
                    where = f"seed {seed}, query {number}, page {page} on {name}: {query}"
                    assert gist(answers[name]) == gist(answers["faiss"]), where
                    assert scores(answers[name]) == pytest.approx(
                        scores(answers["faiss"]), abs=1e-5
                    ), where
                tokens = {name: answer.next_token for name, answer in answers.items()}
                if tokens["faiss"] is None:
                    break


def scores(answer: IndexAnswer) -> list[float]:
    return [hit.score or 0.0 for hit in answer.hits]


def gist(answer: IndexAnswer) -> object:
    """What everybody sees of an answer, but for its scores."""
    return (
        [(hit.product.id, hit.matched_image) for hit in answer.hits],
        (answer.total, answer.matching, answer.beyond, answer.next_token is None),
        answer.facets,
    )


def write_and_delete(index: VectorIndex, current: dict[str, Record], rng: random.Random) -> None:
    """One product written anew, another deleted, in the index and in what it should hold."""
    changed = make_record(rng.choice(list(current)), rng)
    index.upsert([changed])
    current[changed.product.id] = changed
    gone = rng.choice(list(current))
    index.delete([gone])
    del current[gone]


@pytest.mark.parametrize("seed", range(3))
def test_fused_answers_follow_every_write(index: VectorIndex, seed: int):
    rng = random.Random(100 + seed)
    records = make_catalogue(SIZE, rng.getrandbits(32))
    index.upsert(records[: SIZE // 2])
    index.upsert(records[SIZE // 2 :])
    current = {r.product.id: r for r in records}
    for number in range(20):
        write_and_delete(index, current, rng)
        check(index, list(current.values()), random_fused(list(current.values()), rng, number))


@pytest.mark.parametrize("limit", [1, 7, 24])
def test_pages_of_a_fused_search_repeat_and_skip_nothing(index: VectorIndex, limit: int):
    rng = random.Random(limit)
    records = make_catalogue(SIZE // 3 if limit == 1 else SIZE, rng.getrandbits(32))
    index.upsert(records)
    for number in range(6):
        query = replace(random_fused(records, rng, number), limit=limit, facets=())
        expected = [r.product.id for r, _ in oracle.candidate_set(records, query)]
        ids: list[str] = []
        token = None
        while True:
            answer = index.search(replace(query, page_token=token))
            ids += [hit.product.id for hit in answer.hits]
            assert answer.total == len(expected)
            token = answer.next_token
            if token is None:
                break
        assert ids == expected, f"limit {limit}, query {number}: {query}"


def test_pages_under_negatives_go_on_in_their_order_when_other_products_match_those_better(
    index: VectorIndex,
):
    rng = random.Random(21)
    records = make_catalogue(60, rng.getrandbits(32))
    index.upsert(records[:-1])
    vocabulary, constants = vocabulary_of(records), constants_of(records, rng)
    for number, record in enumerate(rng.sample(records[:-1], 4)):
        words = words_of(record.product.title, vocabulary, ANALYZER)
        # no product says all of it yet; the one that is written below does
        unwanted = words_of(" ".join(WORDS), vocabulary, ANALYZER)
        negative = Negative(separated(rng, records), unwanted, "text", drops=False)
        fusion = Fusion(f"q{number}", "model", words, constants, "text", -50.0, (negative,))
        query = IndexQuery(vector=record.vectors[0], fusion=fusion, limit=1000)
        expected = [hit.product.id for hit in index.search(query).hits]
        first = index.search(replace(query, limit=10))
        late = replace(records[-1].product, id=f"late-{number}", title=" ".join(WORDS))
        index.upsert([replace(records[-1], product=late)])
        rest = index.search(replace(query, page_token=first.next_token))
        assert [hit.product.id for hit in (*first.hits, *rest.hits)] == expected
        index.delete([late.id])


def test_what_the_query_names_exactly_comes_first_and_is_never_cut_off(index: VectorIndex):
    rng = random.Random(5)
    records = make_catalogue(SIZE, rng.getrandbits(32))
    index.upsert(records)
    vocabulary, constants = vocabulary_of(records), constants_of(records, rng)
    for record in rng.sample(records, 20):
        words = words_of("", vocabulary, ANALYZER, whole=record.product.id.upper())
        fusion = Fusion(record.product.id, "model", words, constants, "text", least_log_odds(0.999))
        answer = index.search(IndexQuery(vector=-record.vectors[0], fusion=fusion))
        assert record.product.id in [h.product.id for h in answer.hits if h.score == 1.0]
        assert answer.hits[0].score == 1.0


def test_a_fused_query_has_no_least_cosine(index: VectorIndex):
    records = make_catalogue(5, 1)
    constants = constants_of(records, random.Random(1))
    words = words_of("mug", vocabulary_of(records), ANALYZER)
    fusion = Fusion("k", "model", words, constants, "text", 0.0)
    with pytest.raises(InvalidQuery, match="min_score"):
        index.search(IndexQuery(vector=records[0].vectors[0], fusion=fusion, min_score=0.1))


def test_terms_are_in_use_while_some_product_has_them(index: VectorIndex):
    rng = random.Random(11)
    records = make_catalogue(SIZE, rng.getrandbits(32))
    index.upsert(records[: SIZE // 2])
    index.upsert(records[SIZE // 2 :])
    current = {r.product.id: r for r in records}
    for _ in range(20):
        write_and_delete(index, current, rng)
    index.delete(list(current)[12:])
    documents = [document_words(r.product, SCHEMA, ANALYZER) for r in list(current.values())[:12]]
    in_use = {term for document in documents for term in document.term_ids.tolist()}
    known = {t for r in records for t in document_words(r.product, SCHEMA, ANALYZER).term_ids}
    asked_for = {int(term) for term in known} | {0, 2**32 - 1}
    assert index.terms_in_use(asked_for) == in_use
    assert index.terms_in_use(()) == frozenset()


def test_what_was_learnt_is_read_by_every_process(
    index: VectorIndex, open_again: Callable[[], IndexVersions], versions: IndexVersions
):
    rng = random.Random(9)
    records = make_catalogue(40, rng.getrandbits(32))
    assert index.search_model is None
    model = model_of(vocabulary_of(records), constants_of(records, rng))
    versions.learn(index.info.name, model)
    other = open_again().open(index.info.name)
    for reader in (index, other):
        assert reader.search_model is not None
        assert reader.search_model.key == model.key
    renewed = model_of(vocabulary_of(records[:20]), model.constants)
    versions.learn(index.info.name, renewed)
    assert other.search_model is not None
    assert other.search_model.key == renewed.key
    assert other.search_model.constants.background.pictures.shape[1] == DIMENSION
