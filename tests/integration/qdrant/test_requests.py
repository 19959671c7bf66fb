"""What a question costs: requests counted at the server, and in how many rounds they are sent."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.contract.catalogue import DIMENSION, SCHEMA, WORDS, make_catalogue, make_record, unit
from tests.contract.oracle import document_of
from tests.contract.test_fusion import constants_of, vocabulary_of
from tests.contract.test_search import check
from tests.integration.qdrant.engine import Engine
from tests.integration.qdrant.grpc_server import Trouble, serve
from tests.shop import open_shop
from vitrine.filters import parse_filter
from vitrine.index import IndexQuery, IndexVersions, VectorIndex
from vitrine.index.fusion import Fusion
from vitrine.index.qdrant import fused_scorer, open_versions, pointer, search_models
from vitrine.index.qdrant import versions as qdrant_versions
from vitrine.index.qdrant.point import Point
from vitrine.index.qdrant.points import Points
from vitrine.index.qdrant.queries import Read
from vitrine.products import Product, Record
from vitrine.queries import SearchQuery, Sort
from vitrine.relevance import VectorModel, WordsModel, least_log_odds
from vitrine.settings import Settings
from vitrine.words import Analyzer, VocabularyCounts, query_words

pytestmark = pytest.mark.timeout(600)  # a busy machine is slow

VECTOR = unit(np.ones(DIMENSION))
AWAIT_S = 120.0
SIZE = 150


class Counting:
    """Counts requests by method; holds them, where told to, until so many are under way at once."""

    def __init__(self, trouble: Trouble, port: int) -> None:
        self.port = port
        self.calls: Counter[str] = Counter()
        self._together: threading.Barrier | None = None
        self._lock = threading.Lock()
        trouble.seen = self._seen

    def expect_together(self, count: int) -> None:
        """From now on a request is answered only once `count` of them have arrived."""
        self.calls.clear()
        self._together = threading.Barrier(count)

    def expect(self) -> None:
        """Count anew."""
        self.calls.clear()
        self._together = None

    def _seen(self, call: str) -> None:
        with self._lock:
            self.calls[call.removeprefix("Points.")] += 1
        if self._together is not None:
            self._together.wait(AWAIT_S)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[IndexVersions, Counting]]:
    for room in (pointer, qdrant_versions, search_models):  # all stays fresh, slow as a machine is
        monkeypatch.setattr(room, "FRESH_FOR_S", 600.0)
    with ExitStack() as ended, closing(Engine()) as engine:
        trouble = Trouble()
        port = ended.enter_context(serve(engine, trouble=trouble))
        settings = Settings(
            qdrant_url="http://127.0.0.1:1", qdrant_grpc_port=port, qdrant_timeout_s=int(AWAIT_S)
        )
        versions = open_versions(settings)
        ended.callback(versions.close)
        index = versions.create(
            model="m", fingerprint="f", dimension=DIMENSION, schema=SCHEMA, mapping={}
        )
        index.upsert(make_catalogue(SIZE, 4, images=(1, 8)))
        versions.complete(index.info.name)
        versions.publish(index.info.name)
        versions.live().search(IndexQuery(vector=VECTOR, limit=1))  # as every service does at first
        yield versions, Counting(trouble, port)


PAGE = IndexQuery(vector=VECTOR, candidates=60, limit=10)
IN_STOCK = parse_filter({"in_stock": True}, SCHEMA)


@pytest.mark.parametrize(
    ("query", "requests"),
    [
        (PAGE, {"Query": 1, "Count": 1}),
        (replace(PAGE, filter=IN_STOCK), {"Query": 1, "Count": 1}),
        (replace(PAGE, exclude=frozenset({"p1"})), {"Query": 1, "Count": 1}),
    ],
    ids=["page", "filtered", "similar"],
)
def test_a_first_page_is_one_round_of_at_most_three_requests(
    counted: tuple[IndexVersions, Counting], query: IndexQuery, requests: dict[str, int]
):
    versions, counting = counted
    counting.expect_together(sum(requests.values()))
    answer = versions.live().search(query)
    assert len(answer.hits) == 10
    assert by_name(counting) == requests


@pytest.mark.parametrize("query", [PAGE, replace(PAGE, filter=IN_STOCK)], ids=["all", "filtered"])
def test_later_pages_are_one_round_of_at_most_three_requests(
    counted: tuple[IndexVersions, Counting], query: IndexQuery
):
    versions, counting = counted
    answer = versions.live().search(query)
    for number in range(2, 6):
        # the second page learns beside its products where the set ends
        requests = {"Query": 2 if number == 2 else 1, "Count": 1}
        counting.expect_together(sum(requests.values()))
        answer = versions.live().search(replace(query, page_token=answer.next_token))
        assert by_name(counting) == requests, f"page {number}"


@pytest.mark.parametrize(
    "query",
    [
        replace(PAGE, facets=("color", "price")),
        replace(PAGE, min_score=0.0),
        replace(PAGE, sort=Sort("price"), facets=("color",)),
    ],
    ids=["facets", "lowest score", "another order"],
)
def test_what_needs_the_whole_set_takes_three_requests_in_two_rounds(
    counted: tuple[IndexVersions, Counting], query: IndexQuery
):
    versions, counting = counted
    counting.expect()
    first = versions.live().search(query)
    assert by_name(counting) == {"Query": 1, "Count": 1, "Get": 1}
    counting.expect()
    versions.live().search(replace(query, page_token=first.next_token))
    assert by_name(counting) == {"Query": 1, "Count": 1, "Get": 1}


def fused(index: VectorIndex, text: str, **changes: Any) -> IndexQuery:
    """A query of words and a vector."""
    records = make_catalogue(SIZE, 4)
    vocabulary = vocabulary_of(records)
    words = query_words(text, vocabulary, Analyzer("en"))
    constants = constants_of(records, random.Random(1))
    fusion = Fusion(text, "model", words, constants, "text", least_log_odds(0.5))
    return replace(PAGE, vector=records[0].vector, fusion=fusion, **changes)


def test_a_page_of_words_and_vectors_takes_three_requests_in_two_rounds(
    counted: tuple[IndexVersions, Counting],
):
    """The lists with the exact hits, and the count; the page, with what facets need."""
    versions, counting = counted
    query = fused(versions.live(), "red mug")
    counting.expect()
    answer = versions.live().search(query)
    assert len(answer.hits) == 10
    assert by_name(counting) == {"QueryBatch": 2, "Count": 1}
    counting.expect()
    versions.live().search(replace(query, page_token=answer.next_token))
    assert by_name(counting) == {"QueryBatch": 2, "Count": 2}
    counting.expect()
    versions.live().search(replace(query, facets=("color", "price")))
    assert by_name(counting) == {"QueryBatch": 2, "Count": 1}


def test_vectors_of_texts_take_a_request_more(counted: tuple[IndexVersions, Counting]):
    """What the lists of both kinds of vectors do not tell of one another's products."""
    versions, counting = counted
    index = versions.create(
        model="m",
        fingerprint="f",
        dimension=DIMENSION,
        schema=SCHEMA,
        mapping={},
        text_vectors=True,
    )
    records = make_catalogue(SIZE, 4)
    texts = [record.vector for record in reversed(records)]
    index.upsert([replace(r, text_vector=t) for r, t in zip(records, texts, strict=True)])
    counting.expect()
    index.search(fused(index, "red mug"))
    assert by_name(counting) == {"QueryBatch": 3, "Count": 2}


def of_stoneware(index: VectorIndex, *, nearer: int = 0) -> tuple[list[Record], IndexQuery]:
    """Sixty mugs that tie by their words, but for the last ones, which look more and more like the
    query, and a query for them."""
    rng = random.Random(3)
    query = fused(index, "stoneware", candidates=30, limit=5)
    assert query.vector is not None
    mugs = []
    for number in range(60):
        mug = make_record(f"mug {number:02}", rng)
        mug = replace(mug, product=Product(mug.product.id, "stoneware mug"))
        if number >= 60 - nearer:
            close = unit(query.vector + 0.01 * (60 - number) * mug.vector)
            mug = Record.of_picture(mug.product, close, mug.image_keys[0])
        mugs.append(mug)
    index.upsert(mugs)
    far = VectorModel(1.0, 0.0, 0.0, 0.0, -9.0)  # words say more than any vector
    constants = replace(query.fusion.constants, text=far, words=WordsModel(6, 0.3, 2, 0.1, 0.5))
    counts = VocabularyCounts()
    counts.add([document_of(mugs[0].product)])
    words = query_words("stoneware", counts.vocabulary(), Analyzer("en"))
    query = replace(query, fusion=replace(query.fusion, constants=constants, words=words))
    return mugs, query


def test_of_many_products_that_tie_by_their_words_only_these_are_read(
    counted: tuple[IndexVersions, Counting], monkeypatch: pytest.MonkeyPatch
):
    versions, _ = counted
    index = versions.live()
    _, query = of_stoneware(index)
    expected = index.search(query)
    whole: list[str] = []
    each = Points.each

    def recorded(points: Points, reads: Sequence[Read]) -> list[dict[str, Point]]:
        whole.extend(i for read in reads if read.payload is True for i in read.ids)
        return each(points, reads)

    monkeypatch.setattr(fused_scorer, "_FEW", 10)
    monkeypatch.setattr(Points, "each", recorded)
    answer = index.search(query)
    assert (answer.hits, answer.total) == (expected.hits, expected.total)
    assert len(answer.hits) == 5
    assert len(whole) <= 20, "all that tie were read whole"


def test_products_that_tie_at_the_end_of_the_set_are_not_read_for_its_first_page(
    counted: tuple[IndexVersions, Counting], monkeypatch: pytest.MonkeyPatch
):
    versions, counting = counted
    index = versions.live()
    mugs, query = of_stoneware(index, nearer=15)
    records = [*make_catalogue(SIZE, 4, images=(1, 8)), *mugs]
    monkeypatch.setattr("vitrine.index.qdrant.pool.SPARE_CANDIDATES", 1)
    monkeypatch.setattr(fused_scorer, "_FEW", 10)
    counting.expect()
    first = index.search(query)
    assert by_name(counting) == {"QueryBatch": 3, "Count": 1}
    assert [hit.product.id for hit in first.hits] == [f"mug {n}" for n in range(59, 54, -1)]
    for variant in (query, replace(query, limit=30), replace(query, facets=("color", "price"))):
        check(index, records, variant)
    counting.expect()
    index.search(replace(query, page_token=first.next_token))
    assert by_name(counting) == {"QueryBatch": 3, "Count": 2}, "where the set ends must be known"


def test_longer_lists_are_read_where_more_products_match_than_the_set_takes(
    counted: tuple[IndexVersions, Counting], monkeypatch: pytest.MonkeyPatch
):
    versions, counting = counted
    queries = [fused(versions.live(), text, candidates=6, limit=3) for text in WORDS]
    expected = [versions.live().search(query) for query in queries]
    monkeypatch.setattr("vitrine.index.qdrant.pool.SPARE_CANDIDATES", 1)
    rounds = []
    for query, whole in zip(queries, expected, strict=True):
        counting.expect()
        answer = versions.live().search(query)
        assert (answer.hits, answer.total, answer.beyond) == (whole.hits, whole.total, whole.beyond)
        rounds.append(by_name(counting)["QueryBatch"])
    assert set(rounds) > {2}, "no list was too short"
    assert max(rounds) <= 4


def test_browsing_again_is_one_round_with_all_its_facets(
    counted: tuple[IndexVersions, Counting],
):
    versions, counting = counted
    query = IndexQuery(facets=("color", "brand", "price"), limit=10)
    first = versions.live().search(query)
    counting.expect()
    again = versions.live().search(query)
    requests = counting.calls.total()
    assert (again.hits, again.facets) == (first.hits, first.facets)
    assert requests <= 32  # the threads that read ahead
    counting.expect_together(requests)
    assert versions.live().search(query).facets == first.facets


def test_what_was_read_ahead_is_never_of_the_past(counted: tuple[IndexVersions, Counting]):
    versions, _ = counted
    query = IndexQuery(facets=("brand", "price"), limit=3)
    index = versions.live()
    for number in range(3):
        before = index.search(query)
        first_id = f"!{9 - number}"
        index.upsert([make_record(first_id, random.Random(number))])
        after = index.search(query)
        assert (after.total, after.hits[0].product.id) == (before.total + 1, first_id)


def test_between_publishes_a_warm_process_asks_for_no_alias_and_no_collection(
    counted: tuple[IndexVersions, Counting],
):
    versions, counting = counted
    versions.open(versions.live().info.name)
    counting.expect()
    for _ in range(20):
        versions.live().search(PAGE)
        versions.open(versions.live().info.name)
    assert by_name(counting) == {"Query": 20, "Count": 20}


def test_what_looks_like_a_product_takes_three_requests_in_two_rounds(
    counted: tuple[IndexVersions, Counting], tmp_path: Path
):
    _, counting = counted
    shop = open_shop(
        tmp_path,
        backend="qdrant",
        qdrant_url="http://127.0.0.1:1",
        qdrant_grpc_port=counting.port,
        qdrant_prefix="shop",
    )
    shop.publish_first(30)
    engine = shop.vitrine.engine
    engine.search(SearchQuery(limit=1))  # the model is loaded
    like = SearchQuery(limit=5, candidates=20)
    engine.similar("p00001", like)
    counting.expect()
    page = engine.similar("p00001", like)
    assert len(page.hits) == 5
    assert by_name(counting) == {"Get": 1, "Query": 1, "Count": 1}
    shop.vitrine.close()


def by_name(counting: Counting) -> dict[str, int]:
    return dict(counting.calls)
