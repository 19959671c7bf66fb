"""Vitrine's requests against the engine of Qdrant itself: orders, graph, indexes, concurrent
changes."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from qdrant_client import models

from tests.contract.catalogue import DIMENSION, SCHEMA, make_catalogue, make_record, unit
from tests.contract.oracle import candidate_set
from tests.contract.questions import random_filter
from tests.integration.qdrant.engine import Engine, Refused
from vitrine.errors import IndexUnavailable
from vitrine.filters import OPERATORS, Condition
from vitrine.index import IndexQuery, IndexVersions, VectorIndex
from vitrine.index.qdrant.filters import CONDITIONS
from vitrine.products import Product, Record
from vitrine.queries import Sort
from vitrine.results import Bucket, RangeFacet

pytestmark = pytest.mark.timeout(600)  # a busy machine is slow

Open = Callable[..., IndexVersions]
ONE = unit(np.ones(DIMENSION))


def created(versions: IndexVersions) -> VectorIndex:
    return versions.create(
        model="m", fingerprint="f", dimension=DIMENSION, schema=SCHEMA, mapping={}
    )


def walked(index: VectorIndex, query: IndexQuery) -> list[str]:
    found: list[str] = []
    while True:
        answer = index.search(query)
        found += [hit.product.id for hit in answer.hits]
        if answer.next_token is None:
            return found
        query = replace(query, page_token=answer.next_token)


AWKWARD = [
    "a",
    "aa",
    "aaaaaa",
    "aaaaaaa",
    "aaaaaab",
    "aaaaaa" * 2,
    "aaaaaa" * 2 + "b",
    "é",
    "éé",
    "日本語",
    "日本語の",
    "😀",
    "Z",
    "z",
    "0",
    "-1",
    "10",
    "9",
    " ",
    "sku-2026-0000001",
    "sku-2026-0000002",
    "sku-2026-0000010",
    "sku-2026-000001",
    "x" * 47,
    "x" * 48,
    "x" * 49,
    "x" * 48 + "a",
    "x" * 48 + "B",
    "y" * 60 + "1",
    "y" * 60 + "2",
    "y" * 60,
    "\uffff",
    "\U0010ffff",
    "\x7f",
    "\x80",
]


def test_awkward_ids_and_titles_come_in_order_whatever_the_page(versions_on: Open):
    seed = 8
    rng = random.Random(seed)
    index = created(versions_on())
    records = []
    for i, text in enumerate(AWKWARD):
        title = rng.choice([text, "same", "same", "long " * 20 + text])
        added = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=i % 4)
        attributes = {} if i % 5 == 0 else {"added": added}
        records.append(
            Record.of_picture(
                Product(
                    id=text,
                    title=title,
                    price=None if i % 7 == 0 else float(i % 3),
                    attributes=attributes,
                ),
                ONE,
                "k",
            )
        )
    rng.shuffle(records)
    index.upsert(records)
    for sort in ("relevance", "title", "-title", "price", "-price", "added", "-added"):
        for limit in (1, 2, 7, 1000):
            query = IndexQuery(limit=limit, sort=Sort.parse(sort))
            assert walked(index, query) == [
                r.product.id for r, _ in candidate_set(records, query)
            ], f"seed {seed}, {sort}, {limit}"


def test_a_scan_gives_every_record_once_and_goes_on_behind_any_id(versions_on: Open):
    index = created(versions_on())
    index.upsert([Record.of_picture(Product(id=i, title="t"), ONE, "k") for i in AWKWARD])
    order = [r.product.id for part in index.scan() for r in part]
    assert sorted(order) == sorted(AWKWARD)
    for batch in (1, 3, 100):
        assert [r.product.id for part in index.scan(batch=batch) for r in part] == order
        place = order.index("sku-2026-0000002")
        rest = index.scan(after="sku-2026-0000002", batch=batch)
        assert [r.product.id for part in rest for r in part] == order[place + 1 :]


def lagging(engine: Engine, monkeypatch: pytest.MonkeyPatch, reads: int) -> Counter[str]:
    """Has the next answers about a collection's state be those from before its last change, as of a
    node that hears of it later; counts what is asked."""
    info, update, requests = engine.info, engine.update, Counter[str]()
    before: dict[str, models.CollectionInfo] = {}

    def update_later(name: str, metadata: dict[str, str], optimizers: object) -> None:
        if metadata:
            before[name] = info(name).model_copy(deep=True)
        update(name, metadata, optimizers)  # type: ignore[arg-type]

    def info_of_before(name: str) -> models.CollectionInfo:
        if name not in before or requests["late"] >= reads:
            return info(name)
        requests["late"] += 1
        return before[name]

    monkeypatch.setattr(engine, "update", update_later)
    monkeypatch.setattr(engine, "info", info_of_before)
    return requests


def test_a_version_is_complete_once_its_state_is_read_back(
    versions_on: Open, engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    versions = versions_on()
    index = created(versions)
    index.upsert(make_catalogue(5, 1))
    requests = lagging(engine, monkeypatch, 3)
    versions.complete(index.info.name)
    assert requests["late"] == 3
    versions.publish(index.info.name)
    assert versions.live().info.name == index.info.name


def test_a_state_that_is_never_read_back_is_told(
    versions_on: Open, engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    versions = versions_on(qdrant_write_timeout_s=1)
    index = created(versions)
    lagging(engine, monkeypatch, 1_000_000)
    with pytest.raises(IndexUnavailable, match=r"answers the old one.*vitrine doctor"):
        versions.complete(index.info.name)


@pytest.mark.parametrize("images", [(1, 1), (1, 8)], ids=["one picture", "several"])
def test_the_graph_finds_what_comparing_all_finds(
    versions_on: Open, engine: Engine, images: tuple[int, int]
):
    seed = 3
    rng = random.Random(seed)
    records = make_catalogue(500, seed, images=images)
    index = created(versions_on())
    index.upsert(records)
    engine.build_graph(next(iter(engine.collections)))
    graph = versions_on(qdrant_exact_below=0).open(index.info.name)
    found = expected = 0
    plans: Counter[str] = Counter()
    for _ in range(100):  # so many that the share of one lost product does not decide
        query = IndexQuery(
            vector=near(rng, records), filter=random_filter(rng, records), candidates=10, limit=10
        )
        answer, right = graph.search(query), index.search(query)
        plans[answer.search] += 1
        assert right.search == "exact"
        assert len(answer.hits) == len(right.hits)
        found += len({h.product.id for h in answer.hits} & {h.product.id for h in right.hits})
        expected += len(right.hits)
    assert (
        plans["hnsw"] > 50
    )  # the others matched nothing, or the graph reached too few and all were compared
    assert found >= 0.99 * expected, f"seed {seed}: recall {found / expected}"


def test_without_a_graph_all_products_are_compared(versions_on: Open, engine: Engine):
    seed = 5
    rng = random.Random(seed)
    records = make_catalogue(300, seed, images=(1, 4))
    index = created(versions_on(qdrant_hnsw_m=0, qdrant_exact_below=0))
    index.upsert(records)
    engine.build_graph(next(iter(engine.collections)))
    for _ in range(10):
        query = IndexQuery(vector=near(rng, records), filter=random_filter(rng, records), limit=10)
        answer = index.search(query)
        assert answer.search == "exact"
        expected = [r.product.id for r, _ in candidate_set(records, query)[:10]]
        assert [hit.product.id for hit in answer.hits] == expected, f"seed {seed}"


def near(rng: random.Random, records: list[Record]) -> np.ndarray:
    return unit(
        rng.choice(records).vector + 0.5 * np.asarray([rng.gauss(0, 1) for _ in range(DIMENSION)])
    )


def test_changes_of_one_product_by_many_at_once_are_all_kept(versions_on: Open):
    index = created(versions_on())
    index.upsert([make_record("one", random.Random(1)), make_record("two", random.Random(2))])
    others = [versions_on().open(index.info.name) for _ in range(3)]
    changes = [
        ("price", 1.5),
        ("brand", "B"),
        ("rating", 2.5),
        ("care", "by hand"),
        ("in_stock", True),
        ("pattern", ("dotted",)),
        ("title", "T"),
        ("group_id", "g"),
    ]
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda item: others[item[0] % 3].patch("one", dict([item[1]])), enumerate(changes)
            )
        )
    product = index.get(["one"])["one"].product
    assert {name: product.value(name) for name, _ in changes} == dict(changes)
    assert index.get(["two"])["two"].product == make_record("two", random.Random(2)).product


def test_a_patch_beside_an_upsert_mixes_no_picture_with_another_vector(versions_on: Open):
    index = created(versions_on())
    rng = random.Random(4)
    versions = [make_record("one", rng) for _ in range(10)]
    index.upsert(versions[:1])
    other = versions_on().open(index.info.name)
    with ThreadPoolExecutor(2) as pool:
        upserts = pool.submit(lambda: [other.upsert([record]) for record in versions])
        patches = pool.submit(lambda: [index.patch("one", {"price": float(n)}) for n in range(10)])
        upserts.result()
        patches.result()
    stored = index.get(["one"])["one"]
    (made,) = [r for r in versions if r.image_key == stored.image_key]
    assert np.array_equal(stored.vector, made.vector)


def test_a_server_refuses_what_no_payload_index_serves(versions_on: Open, engine: Engine):
    created(versions_on()).upsert([make_record("one", random.Random(1))])
    (name,) = engine.collections
    with pytest.raises(Refused, match="order_by"):
        engine.scroll(name, models.ScrollRequest(limit=1, order_by=models.OrderBy(key="image_key")))
    with pytest.raises(Refused, match="faceting"):
        engine.facet(name, models.FacetRequest(key="nothing", limit=1))
    with pytest.raises(Refused, match="Index required"):
        engine.count(
            name,
            models.Filter(
                must=[models.FieldCondition(key="nothing", match=models.MatchValue(value="x"))]
            ),
            exact=True,
        )


def test_every_operator_of_the_filter_language_is_translated():
    assert set(CONDITIONS) == set(OPERATORS)


def test_every_condition_that_can_be_written_has_its_payload_index(versions_on: Open):
    """Strict mode refuses conditions without one, so that none is missing here none is missing
    anywhere."""
    index = created(versions_on())
    records = make_catalogue(40, 9)
    index.upsert(records)
    operands = {
        "keyword": ("x",),
        "color": ("red",),
        "path": ("Men",),
        "bool": (True,),
        "number": (1.0,),
        "money": (1.0,),
    }
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    for field in SCHEMA:
        for operator, row in OPERATORS.items():
            if row.takes(field.type):
                bound = moment if field.type == "datetime" else 1.0
                operand = (
                    True
                    if operator == "exists"
                    else ("x",)
                    if operator == "match"
                    else operands[field.type]
                    if operator == "in"
                    else bound
                )
                index.count(Condition(field, operator, operand))


def test_a_number_keeps_all_its_digits_and_is_found_by_them(versions_on: Open, engine: Engine):
    numbers = [
        0.1 + 0.2,
        2.5606397983241678,
        1e-7 / 3,
        123456789.12345679,
        3.0,
        10**15 + 0.3,
        -1 / 3,
    ]
    index = created(versions_on())
    for i, number in enumerate(numbers):
        index.upsert(
            [
                Record.of_picture(
                    Product(id=str(i), title="t", price=abs(number), attributes={"rating": number}),
                    ONE,
                    "k",
                )
            ]
        )
    engine.build_graph(next(iter(engine.collections)))  # writes the segments anew, as a server does
    for i, number in enumerate(numbers):
        assert index.get([str(i)])[str(i)].product.value("rating") == number
        equal = Condition(SCHEMA.get("rating"), "in", (number,))
        answer = index.search(IndexQuery(filter=equal, facets=("rating",)))
        assert [h.product.id for h in answer.hits] == [str(i)]
        assert answer.facets["rating"] == RangeFacet(number, number, (Bucket(number, number, 1),))
