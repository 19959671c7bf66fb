"""Shops of one kind: however many products tie by their words, the answers are the oracle's, and no
question takes more requests for it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.contract import oracle
from tests.contract.catalogue import DIMENSION, SCHEMA, make_record, unit
from tests.contract.test_fusion import ANALYZER, constants_of, vocabulary_of
from tests.contract.test_search import check
from tests.support.noted import noted
from vitrine.index import IndexQuery, IndexVersions, VectorIndex
from vitrine.index.fusion import Fusion
from vitrine.index.qdrant.connection import Connection
from vitrine.index.qdrant.word_ties import WordTie
from vitrine.products import Product, Record
from vitrine.queries import RELEVANCE, Sort
from vitrine.relevance import VectorModel, WordsModel, least_log_odds
from vitrine.words import query_words

pytestmark = pytest.mark.timeout(600)  # a busy machine is slow

OpenVersions = Callable[..., IndexVersions]
TITLES = ("mug",) * 6 + ("stoneware mug", "red mug", "red stoneware mug", "mug mug", "red teapot")
MOST_REQUESTS = 6
MOST_ROUNDS = 4


@pytest.fixture(autouse=True)
def short_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists hardly longer than the set, so that small shops have products outside them."""
    monkeypatch.setattr("vitrine.index.qdrant.pool.SPARE_CANDIDATES", 1)


def shop_of(size: int, seed: int, titles: tuple[str, ...] = TITLES) -> list[Record]:
    """Products that differ in their ids, looks and prices, and in few of their words."""
    rng, made = random.Random(seed), []
    for number in rng.sample(range(10 * size), size):
        drawn = make_record(f"article-{number:06}", rng)
        fields = {"price": float(rng.randint(1, 9)), "group_id": f"g{rng.randint(0, 30)}"}
        product = Product(drawn.product.id, rng.choice(titles), **fields)
        made.append(replace(drawn, product=product))
    return made


def filled(versions: IndexVersions, records: list[Record], **kind: Any) -> VectorIndex:
    index = versions.create(
        model="m", fingerprint="f", dimension=DIMENSION, schema=SCHEMA, mapping={}, **kind
    )
    index.upsert(records)
    return index


def asked(
    records: list[Record],
    text: str,
    rng: random.Random,
    *,
    slopes: tuple[float, ...] = (0.0, 0.5, 4.0, 4.0),
    **changes: Any,
) -> IndexQuery:
    """A question of words and a vector; words say more than nearly all vectors."""
    words = query_words(text, vocabulary_of(records), ANALYZER)
    looks = VectorModel(rng.uniform(1, 4), rng.uniform(0, 0.5), 0.0, 0.0, rng.uniform(-9, -3))
    constants = replace(
        constants_of(records, rng),
        text=looks,
        looks=None,
        words=WordsModel(rng.choice(slopes), rng.choice((0.0, 0.3)), 1.0, 0.1, 0.5),
    )
    least = least_log_odds(rng.choice((0.0, 0.0, 0.3)))
    fusion = Fusion(text, "model", words, constants, "text", least)
    vector = unit(np.asarray([rng.gauss(0, 1) for _ in range(DIMENSION)]))
    return IndexQuery(vector=vector, fusion=fusion, **changes)


def check_pages(index: VectorIndex, records: list[Record], query: IndexQuery) -> None:
    """All pages are the oracle's, one after the other."""
    check(index, records, query)
    expected = [r.product.id for r, _ in oracle.candidate_set(records, query)]
    ids, token = [], None
    while True:
        answer = index.search(replace(query, page_token=token))
        ids += [hit.product.id for hit in answer.hits]
        token = answer.next_token
        if token is None:
            break
    assert ids == expected


@pytest.fixture
def proven(monkeypatch: pytest.MonkeyPatch) -> Counter[bool]:
    """How often all products of a tie were found to have the same words, and how often not."""
    counts: Counter[bool] = Counter()
    value = WordTie._value

    def counted(tie: WordTie, *arguments: Any) -> float | None:
        exact = value(tie, *arguments)
        counts[exact is not None] += 1
        return exact

    monkeypatch.setattr(WordTie, "_value", counted)
    return counts


@pytest.mark.parametrize("texts", [False, True], ids=["pictures", "texts"])
def test_the_end_of_a_set_in_a_tie_is_the_oracles(
    versions_on: OpenVersions, proven: Counter[bool], texts: bool
):
    records = shop_of(100, 1)
    if texts:
        others = [record.vector for record in reversed(records)]
        records = [replace(r, text_vector=t) for r, t in zip(records, others, strict=True)]
    index = filled(versions_on(), records, text_vectors=texts)
    rng = random.Random(2)
    for number in range(9):
        query = asked(
            records,
            rng.choice(("mug", "red mug", "stoneware mug", "red stoneware mug")),
            rng,
            candidates=rng.choice((7, 20, 50)),
            sort=rng.choice((RELEVANCE, RELEVANCE, Sort.parse(["price"]))),
            collapse=rng.choice((None, None, "group_id")),
            facets=rng.choice(((), ("price",))),
            limit=rng.choice((10, 20)),
        )
        if rng.random() < 0.2:
            query = replace(query, vector=None)
        with noted(question=number, case=query):
            check_pages(index, records, query)
    assert proven[True] > 5, "hardly any set ended in a tie"


def test_products_with_other_words_and_the_same_sum_are_told_apart(
    versions_on: OpenVersions, proven: Counter[bool]
):
    """Two words of the same weight: which of them a product has does not show in the sum."""
    records = shop_of(80, 3, ("red", "mug"))
    index = filled(versions_on(), records)
    rng = random.Random(4)
    query = asked(records, "red mug", rng, slopes=(4.0,), candidates=20, facets=("price",), limit=7)
    words = query.fusion.words
    equal = np.ones(len(words.term_ids), np.float32)
    fusion = replace(query.fusion, words=replace(words, weights=equal, core=equal, best=2.0))
    check_pages(index, records, replace(query, fusion=fusion))
    assert proven[False] > 0
    assert proven[True] == 0


class Asked:
    """Counts what is asked of Qdrant: requests, and rounds of those that are sent together."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.requests = self.rounds = 0
        self._together = False
        call, together = Connection._call, Connection.together

        def counted_call(connection: Connection, *arguments: Any) -> Any:
            self.requests += 1
            self.rounds += not self._together
            return call(connection, *arguments)

        def counted_together(connection: Connection, calls: Any) -> Any:
            self.rounds += 1
            self._together = True
            answers = together(connection, calls)
            self._together = False
            return answers

        patch.setattr(Connection, "_call", counted_call)
        patch.setattr(Connection, "together", counted_together)


FACETS: dict[str, Any] = {"facets": ("price", "brand")}
QUESTIONS: dict[str, dict[str, Any]] = {
    "page": {},
    "facets": FACETS,
    "another order": {"sort": Sort.parse(["price"]), **FACETS},
    "groups": {"collapse": "group_id", **FACETS},
    "without one": {"exclude": frozenset({"article-000001"}), **FACETS},
    "words alone": {"vector": None, **FACETS},
}


@pytest.mark.parametrize("text", ["red mug", "mug"], ids=["of one kind", "of one title"])
@pytest.mark.parametrize("size", [100, 400])
def test_no_question_takes_more_requests_however_many_products_tie(
    versions_on: OpenVersions, monkeypatch: pytest.MonkeyPatch, size: int, text: str
):
    """Also where the question is the very title of most, so that it names all of these."""
    records = shop_of(size, 5, ("mug",) * 20 + ("red mug",))
    index = filled(versions_on(), records)
    query = asked(records, text, random.Random(6), slopes=(4.0,), candidates=30, limit=5)
    index.search(query)  # the process knows now how many products there are
    costs = {}
    for name, changes in QUESTIONS.items():
        token = None
        for page in range(1, 4):
            with monkeypatch.context() as patch:
                counted = Asked(patch)
                answer = index.search(replace(query, page_token=token, **changes))
            costs[f"{name}, page {page}"] = counted.requests, counted.rounds
            token = answer.next_token
    dear = {q: c for q, c in costs.items() if c[0] > MOST_REQUESTS or c[1] > MOST_ROUNDS}
    assert not dear, costs
