"""Every way of finding the best rows gives the right ones."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.contract import oracle
from tests.contract.catalogue import make_catalogue, make_record, unit
from tests.contract.questions import random_query, separated
from tests.unit.index.faiss.conftest import create
from vitrine.index import IndexQuery
from vitrine.index.faiss.columns.ragged import Ints
from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.query.planner import Costs, Planner
from vitrine.index.faiss.segment import Segment, SnapshotParts
from vitrine.index.faiss.vectors.build import (
    CODES,
    GRAPH,
    ONE_BIT,
    BuildOptions,
    write_graph,
    write_one_bit,
    write_quantized,
)
from vitrine.index.faiss.vectors.exact import ScoredRows, exact_scores, reached_by
from vitrine.index.faiss.vectors.graph import Graph
from vitrine.index.faiss.vectors.one_bit import OneBitVectors
from vitrine.index.faiss.vectors.product_vectors import ProductVectors, Vectors
from vitrine.index.faiss.vectors.quantized import QuantizedVectors, fitting_scale, quantize
from vitrine.index.faiss.vectors.search_device import SearchDevice
from vitrine.index.faiss.versions import FaissVersions
from vitrine.index.ports import SCORE_DECIMALS
from vitrine.products import Vector
from vitrine.settings import Settings

pytestmark = pytest.mark.slow

SIZE = 150
ALL = BuildOptions(quantize_from=1, one_bit_from=1, graph_from=1)

PLANS = {
    "rows": Costs(fetched_row=0),
    "codes": Costs(fetched_row=1e9, scanned_code=0, rescoring=0),
    "gathered codes": Costs(fetched_row=1e9, scanned_code=1e9, gathered_code=0, rescoring=0),
    "device": Costs(
        fetched_row=1e9, scanned_code=1e9, gathered_code=1e9, device_call=0, graph_step=1e-6
    ),
    "one bit": Costs(fetched_row=1e9, scanned_code=1e9, gathered_code=1e9),
    "graph": Costs(fetched_row=1e9, scanned_code=1e9, gathered_code=1e9, graph_step=1e-6),
    "measured": Costs(),
}


@pytest.mark.parametrize("images", [(1, 1), (1, 8)], ids=["one picture", "several"])
@pytest.mark.parametrize("plan", list(PLANS))
def test_random_queries_equal_the_oracle_on_every_plan(
    tmp_path: Path, plan: str, images: tuple[int, int]
):
    seed = 21
    rng = random.Random(seed)
    versions = FaissVersions(
        tmp_path / "index",
        Settings(
            quantize_from=1,
            rabitq_from=1000 if plan == "graph" else 1,
            hnsw_from=1 if plan in ("graph", "device") else 1000,
        ),
        planner=Planner(costs=PLANS[plan]),
        device=SearchDevice("cpu", least_rows=1) if plan == "device" else None,
    )
    records = {r.product.id: r for r in make_catalogue(SIZE, seed, images=images)}
    index = create(versions)
    index.upsert(list(records.values()))
    index.compact()
    ran = set()
    for number in range(80):
        if number % 20 == 10:  # rows beside the derived files, and dead ones within
            fresh = [make_record(f"p{rng.randint(0, SIZE)}", rng, images=images) for _ in range(5)]
            index.upsert(fresh)
            records |= {r.product.id: r for r in fresh}
            gone = rng.choice(sorted(records))
            index.delete([gone])
            del records[gone]
        query = random_query(rng, list(records.values()))
        answer = index.search(query)
        expected = oracle.candidate_set(records.values(), query)
        assert [h.product.id for h in answer.hits] == [
            r.product.id for r, _ in expected[: query.limit]
        ], f"seed {seed}, query {number}: {query}"
        assert [h.score for h in answer.hits] == [s for _, s in expected[: query.limit]]
        if query.vector is not None:
            assert [h.matched_image for h in answer.hits] == [
                oracle.matched_image(r, query.vector) for r, _ in expected[: query.limit]
            ]
        assert answer.total == len(expected)
        ran.add(answer.search)
    assert ("rabitq" in ran) == (plan == "one bit")
    assert ("hnsw" in ran) == (plan == "graph")
    versions.close()


def clustered(size: int, dimension: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centers = rng.standard_normal((size // 100, dimension))
    rows = centers[rng.integers(0, len(centers), size)] + 0.7 * rng.standard_normal(
        (size, dimension)
    )
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module", params=[1, 4], ids=["one picture", "four"])
def big(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Segment:
    """6,000 clustered rows with 8-bit rows, one-bit rows and a graph; those of a product are views
    of it."""
    folder = tmp_path_factory.mktemp("codes")
    products = np.repeat(clustered(6000 // request.param, 64, 5), request.param, axis=0)
    rows = products + 0.4 / 8 * np.random.default_rng(15).standard_normal(products.shape)
    vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    write_quantized(folder, CODES, vectors)
    write_one_bit(folder, vectors)
    write_graph(folder, ALL, earlier=None)
    pictures = ProductVectors(vectors, np.arange(0, 6001, request.param))
    quantized = QuantizedVectors(folder, CODES, pictures)
    one_bit = OneBitVectors(folder, ONE_BIT, pictures, quantized)
    graph = Graph(folder / GRAPH, quantized)
    return Segment(
        np.arange(len(pictures)),
        pictures,
        {},
        snapshot=SnapshotParts(folder, quantized=quantized, one_bit=one_bit, graph=graph),
    )


@pytest.mark.parametrize(("plan", "name"), [("one bit", "rabitq"), ("graph", "hnsw")])
@pytest.mark.parametrize("k", [10, 100])
@pytest.mark.parametrize("share", [1.0, 0.5, 0.1, 0.01])
def test_recall_is_kept_at_every_selectivity(
    big: Segment, share: float, k: int, plan: str, name: str
):
    rng = np.random.default_rng(6)
    costs = replace(PLANS[plan], graph_step=1e-6 if plan == "graph" else 1e9)
    planner, hits, plans, expected_plans = Planner(costs=costs), 0, set(), set()
    rows = big.pictures.rows.astype(np.float64)
    for _ in range(30):
        mask = rng.random(len(big)) < share
        query = unit(rows[rng.integers(6000)] + 0.3 / 8 * rng.standard_normal(64))
        ran, best = planner.top_k(big, mask, query, k)
        plans.add(ran)
        expected_plans.add(name if np.count_nonzero(mask) > k else "exact")
        scores = (rows @ query).reshape(len(big), -1).max(axis=1)
        exact = np.flatnonzero(mask)[np.argsort(-scores[mask])[:10]]
        top = best.rows[np.argsort(-best.scores)[:10]]
        hits += len(set(top.tolist()) & set(exact.tolist())) / len(exact)
    assert hits / 30 >= 0.99
    assert plans == expected_plans


def test_one_bit_rows_find_a_page_where_an_exact_one_costs_too_much_and_never_a_set(big: Segment):
    costs = Costs(scanned_code=1, gathered_code=1e9, fetched_row=1e9, rescoring=0, graph_step=1e9)
    sparing, patient = (Planner(costs=replace(costs, affordable=cost)) for cost in (5000, 7000))
    query, everything = unit(np.ones(64)), np.ones(len(big), np.bool_)
    assert sparing.top_k(big, everything, query, 1000, prefix=11)[0] == "rabitq"
    assert patient.top_k(big, everything, query, 1000, prefix=11)[0] == "exact"
    assert sparing.top_k(big, everything, query, 1000)[0] == "exact"
    assert sparing.scans(big, everything, 1000)
    few = np.arange(len(big)) < 10
    assert sparing.top_k(big, few, query, 1000, prefix=11)[0] == "exact"


def test_the_graph_finds_a_page_where_the_set_that_it_is_cut_from_costs_too_much(big: Segment):
    rng = np.random.default_rng(16)
    scans = Costs(
        fetched_row=1e9,
        gathered_code=1e9,
        scanned_code=1,
        scanned_bits=1e9,
        gathered_bits=1e9,
        rescoring=0,
        graph_step=4.4,
    )
    sparing, patient = (Planner(costs=replace(scans, affordable=cost)) for cost in (5000, 7000))
    hits = 0
    for number in range(30):
        mask = rng.random(len(big)) < (1.0, 0.5)[number % 2]
        query = unit(big.pictures.rows[rng.integers(6000)] + 0.3 / 8 * rng.standard_normal(64))
        assert sparing.top_k(big, mask, query, 1000)[0] == "exact"
        plan, exact = patient.top_k(big, mask, query, 1000, prefix=11)
        assert plan == "exact"
        plan, page = sparing.top_k(big, mask, query, 1000, prefix=11)
        assert plan == "hnsw"
        assert len(page.rows) == 11
        hits += len(set(page.rows.tolist()) & set(exact.rows.tolist())) / len(exact.rows)
    assert hits / 30 >= 0.99


@pytest.mark.parametrize("images", [1, 4])
def test_one_bit_rows_leave_few_and_the_best_are_among_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, images: int
):
    rng, hits = np.random.default_rng(34), 0
    products = clustered(8000 // images, 256, 35)
    noise = 0.5 / 16 * rng.standard_normal((len(products), images, 256))
    views = products[:, None] + noise
    rows = (views / np.linalg.norm(views, axis=2, keepdims=True)).astype(np.float32)
    one_bit = one_bit_vectors(rows.reshape(-1, 256), tmp_path, images=images)
    monkeypatch.setattr(QuantizedVectors, "top_k", lambda *_: pytest.fail("all were scanned"))
    for number in range(40):
        mask = rng.random(len(products)) < (1.0, 0.6, 0.2)[number % 3]
        near = rows[rng.integers(len(products)), 0]
        query = unit(near + 0.4 / 16 * rng.standard_normal(256))
        best = one_bit.top_k(mask, query, 10)
        scores = np.where(mask, (rows.astype(np.float64) @ query).max(axis=1), -1)
        assert best.scores == pytest.approx(scores[best.rows], abs=1e-5)
        hits += len(set(best.rows.tolist()) & set(np.argsort(-scores)[:10].tolist()))
    assert hits / 400 >= 0.99


def test_where_one_bit_rows_leave_many_all_8_bit_rows_are_scanned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    rng, scanned = np.random.default_rng(33), []
    vectors = np.stack([unit(row) for row in rng.standard_normal((3000, 64))])
    one_bit = one_bit_vectors(vectors, tmp_path)
    scan = QuantizedVectors.top_k

    def counting(codes: QuantizedVectors, mask: Mask, query: Vector, k: int) -> ScoredRows:
        scanned.append(np.count_nonzero(mask))
        return scan(codes, mask, query, k)

    monkeypatch.setattr(QuantizedVectors, "top_k", counting)
    query = unit(rng.standard_normal(64))  # near to none of them
    best = one_bit.top_k(np.ones(3000, np.bool_), query, 10)
    assert scanned == [3000]
    exact = np.argsort(-(vectors.astype(np.float64) @ query))[:10]
    assert set(best.rows.tolist()) == set(exact.tolist())


@pytest.mark.parametrize("dimension", [512, 60])
def test_estimates_by_one_bit_are_right_on_average_and_as_far_off_as_they_say(
    tmp_path: Path, dimension: int
):
    vectors = lopsided(5000, dimension, 31)
    one_bit = one_bit_vectors(vectors, tmp_path)
    rng, errors = np.random.default_rng(32), []
    for number in range(20):
        noise = 0.3 / dimension**0.5 * rng.standard_normal(dimension)
        query = unit(vectors[rng.integers(5000)] + noise)
        mask = rng.random(5000) < (1.0, 0.2)[number % 2]
        rows = np.flatnonzero(mask)
        scan = one_bit._scan(mask, len(rows), query)
        deviations = scan.deviation * one_bit._rows.scales[rows]
        exact = vectors[rows].astype(np.float64) @ query
        errors.append((exact - scan.estimates[: len(rows)]) / deviations)
    off = np.concatenate(errors)
    assert abs(off.mean()) < 0.1
    assert 0.85 < off.std() < 1.15
    assert np.mean(off > 2.5) < 0.012


@pytest.mark.parametrize("k", [1, 25, 300])
def test_little_more_than_k_values_reach_what_k_of_them_are_said_to_reach(k: int):
    values = np.random.default_rng(41).standard_normal(20_000).astype(np.float32)
    assert k <= np.count_nonzero(values >= reached_by(values, k, above=-100)) <= 1.2 * k + 3
    values[: -k - 1] -= 1000  # those that count are in no group
    assert np.count_nonzero(values >= reached_by(values, k, above=-100)) == k


def test_few_rows_beyond_the_best_are_scored_in_float64(
    big: Segment, monkeypatch: pytest.MonkeyPatch
):
    scored: list[int] = []

    def counting(vectors: Vectors, rows: Ints, query: Vector) -> np.ndarray:
        scored.append(len(rows))
        return exact_scores(vectors, rows, query)

    monkeypatch.setattr("vitrine.index.faiss.vectors.exact.exact_scores", counting)
    query = unit(big.pictures.rows[17] + 0.3 / 8 * np.random.default_rng(24).standard_normal(64))
    planner = Planner(costs=PLANS["codes"])
    assert planner.top_k(big, np.ones(len(big), np.bool_), query, 1000)[0] == "exact"
    assert 1000 <= sum(scored) < 1100


def lopsided(size: int, dimension: int, seed: int) -> np.ndarray:
    """Unit rows with a common direction and one very large number, like real embeddings."""
    rows = clustered(size, dimension, seed)
    rows[:, 3] += 2
    rows += 0.3
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def one_bit_vectors(vectors: np.ndarray, folder: Path, *, images: int = 1) -> OneBitVectors:
    pictures = ProductVectors(vectors, np.arange(0, len(vectors) + 1, images))
    write_quantized(folder, CODES, vectors)
    write_one_bit(folder, vectors)
    return OneBitVectors(folder, ONE_BIT, pictures, QuantizedVectors(folder, CODES, pictures))


def quantized_vectors(vectors: np.ndarray, folder: Path) -> QuantizedVectors:
    write_quantized(folder, CODES, vectors)
    return QuantizedVectors(folder, CODES, ProductVectors.one_each(vectors))


@pytest.mark.parametrize("make", [clustered, lopsided])
@pytest.mark.parametrize("share", [1.0, 0.8, 0.2])
@pytest.mark.parametrize("k", [1, 10, 500])
def test_the_scan_of_codes_is_exact(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[int, int, int], np.ndarray],
    share: float,
    k: int,
):
    # the rows of a fifth come in several blocks, the others in several threads
    monkeypatch.setattr("vitrine.index.faiss.vectors.quantized._BLOCK", 500)
    monkeypatch.setattr("vitrine.index.faiss.vectors.quantized._SCANNED", 2500)
    vectors = make(6000, 64, 5)
    quantized = quantized_vectors(vectors, tmp_path)
    rng = np.random.default_rng(7)
    for near in (True, False):
        mask = rng.random(6000) < share
        rows = np.flatnonzero(mask)
        query = unit(rng.standard_normal(64) * 0.05 + (vectors[rng.integers(6000)] if near else 0))
        scores = np.round(
            vectors[rows].astype(np.float64) @ query.astype(np.float64), SCORE_DECIMALS
        )
        expected = rows[scores >= np.sort(scores)[-k]]
        best = quantized.top_k(mask, query, k)
        assert sorted(best.rows.tolist()) == expected.tolist()


def test_the_scan_of_codes_is_exact_among_hundreds_of_equal_rows(tmp_path: Path):
    vectors = np.repeat(clustered(300, 64, 8)[:6], 400, axis=0)
    best = quantized_vectors(vectors, tmp_path).top_k(np.ones(2400, np.bool_), vectors[0], 10)
    assert sorted(best.rows.tolist()) == list(range(400))


def test_quantized_rows_are_as_far_from_their_vectors_as_they_say():
    vectors = lopsided(1000, 64, 9)
    center = vectors.mean(axis=0)
    rows = quantize(vectors, center, fitting_scale(vectors, center))
    decoded = (rows.codes.astype(np.float64) - 127) * float(rows.scale)
    errors = np.linalg.norm(vectors - center - decoded, axis=1)
    np.testing.assert_allclose(errors, rows.errors, rtol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(decoded, axis=1), rows.lengths, rtol=1e-4)
    assert np.quantile(rows.errors, 0.98) < 0.01, "of 100 rows one is cut"


def test_rows_that_are_all_the_same_have_codes(tmp_path: Path):
    vectors = np.repeat(clustered(100, 64, 8)[:1], 50, axis=0)
    best = quantized_vectors(vectors, tmp_path).top_k(np.ones(50, np.bool_), vectors[0], 5)
    assert len(best.rows) == 50


def test_a_graph_is_continued_with_the_rows_that_came_later(tmp_path: Path):
    rng = random.Random(22)
    versions = FaissVersions(
        tmp_path / "index", Settings(hnsw_from=1), planner=Planner(costs=PLANS["graph"])
    )
    index = create(versions)
    records = {f"{i}": make_record(f"{i}", rng) for i in range(200)}
    for start in range(0, 200, 50):
        index.upsert([records[f"{i}"] for i in range(start, start + 50)])
        changed = {i: make_record(i, rng) for i in ("1", "2")}
        records |= changed
        index.upsert(list(changed.values()))
        index.compact()
    query = IndexQuery(vector=separated(rng, list(records.values())), candidates=50, limit=50)
    answer = index.search(query)
    assert answer.search == "hnsw"
    assert [h.product.id for h in answer.hits] == [
        r.product.id for r, _ in oracle.candidate_set(records.values(), query)
    ]
    assert [
        h.product.id for h in index.search(replace(query, vector=None, limit=300)).hits
    ] == sorted(records)
    versions.close()


def test_a_graph_begun_with_one_kind_of_rows_orders_other_kinds_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # nothing is fetched beyond what is asked for
    monkeypatch.setattr("vitrine.index.faiss.vectors.graph._SLACK", 0)
    rng = np.random.default_rng(23)
    kinds = np.repeat(rng.standard_normal((24, 256)), 250, axis=0)
    vectors = kinds + 0.9 * rng.standard_normal(kinds.shape)
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    first, then = tmp_path / "first", tmp_path / "then"
    for folder, rows, earlier in ((first, vectors[:250], None), (then, vectors, first)):
        folder.mkdir()
        write_quantized(folder, CODES, rows)
        write_graph(
            folder,
            ALL,
            earlier=earlier,
        )
    pictures = ProductVectors.one_each(vectors)
    quantized = QuantizedVectors(then, CODES, pictures)
    graph = Graph(then / GRAPH, quantized)
    hits = 0
    for _ in range(50):
        query = unit(vectors[rng.integers(3000, 6000)] + 0.03 * rng.standard_normal(256))
        exact = set(np.argsort(-(vectors.astype(np.float64) @ query))[:10].tolist())
        best = graph.top_k(
            pictures, np.ones(len(vectors), np.bool_), query, k=10, ef=256, needed=10
        )
        assert best is not None
        hits += len(exact & set(best.rows.tolist()))
    assert hits / 500 >= 0.95


def test_the_cheapest_plan_is_chosen(big: Segment):
    query = unit(np.ones(64))
    everything, few = np.ones(len(big), np.bool_), np.arange(len(big)) < 50
    assert Planner(costs=Costs(graph_step=0.1)).top_k(big, everything, query, 10)[0] == "hnsw"
    assert Planner(costs=Costs(graph_step=0.1)).top_k(big, few, query, 10)[0] == "exact"
    assert Planner(costs=Costs(graph_step=1000)).top_k(big, everything, query, 10)[0] == "exact"
