"""Every way of finding the best rows gives the right ones."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.contract import oracle
from tests.contract.catalogue import make_catalogue, make_record, unit
from tests.contract.questions import random_query, separated
from tests.unit.index.conftest import create
from vitrine.index import IndexQuery
from vitrine.index.faiss.codes import Codes, Graph, rounding_error
from vitrine.index.faiss.coding import CODES, GRAPH, Coding, write_codes
from vitrine.index.faiss.nearest import best_of
from vitrine.index.faiss.planner import Costs, Planner
from vitrine.index.faiss.segment import Segment
from vitrine.index.faiss.versions import FaissVersions
from vitrine.settings import Settings

PLANS = {
    "rows": Costs(row=0, code=1e9, skipped=1e9, step=1e9),
    "codes": Costs(row=1e9, code=0, skipped=0, step=1e9),
    "graph": Costs(row=1e9, code=1e9, skipped=1e9, step=0),
    "measured": Costs(),
}


@pytest.mark.parametrize("plan", list(PLANS))
def test_random_queries_equal_the_oracle_on_every_plan(tmp_path: Path, plan: str):
    seed = 21
    rng = random.Random(seed)
    versions = FaissVersions(tmp_path / "index", Settings(hnsw_from=1), planner=Planner(costs=PLANS[plan]))
    records = {r.product.id: r for r in make_catalogue(300, seed)}
    index = create(versions)
    index.upsert(list(records.values()))
    index.settle()
    ran = set()
    for number in range(80):
        if number % 20 == 10:  # rows beside the derived files, and dead ones within
            fresh = [make_record(f"p{rng.randint(0, 300)}", rng) for _ in range(5)]
            index.upsert(fresh)
            records |= {r.product.id: r for r in fresh}
            gone = rng.choice(sorted(records))
            index.delete([gone])
            del records[gone]
        query = random_query(rng, list(records.values()))
        answer = index.search(query)
        expected = oracle.candidate_set(records.values(), query)
        assert [h.product.id for h in answer.hits] == [r.product.id for r, _ in expected[: query.limit]], (
            f"seed {seed}, query {number}: {query}"
        )
        assert [h.score for h in answer.hits] == [s for _, s in expected[: query.limit]]
        assert answer.total == len(expected)
        ran.add(answer.search)
    assert ("hnsw" in ran) == (plan == "graph")
    versions.close()


def clustered(size: int, dimension: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((size // 100, dimension))
    rows = centres[rng.integers(0, len(centres), size)] + 0.7 * rng.standard_normal((size, dimension))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Segment:
    """6,000 clustered rows with codes and graph."""
    folder = tmp_path_factory.mktemp("codes")
    vectors = clustered(6000, 64, 5)
    error = write_codes(folder, vectors, Coding(codes_from=1, graph_from=1), earlier=None, check=lambda: None)
    segment = Segment(np.arange(6000), vectors, {})
    segment.codes = Codes(folder / CODES, error=error)
    segment.graph = Graph(folder / GRAPH, segment.codes)
    return segment


@pytest.mark.parametrize("share", [1.0, 0.5, 0.1, 0.01])
def test_recall_is_kept_at_every_selectivity(big: Segment, share: float):
    rng = np.random.default_rng(6)
    planner, found, plans = Planner(costs=PLANS["graph"]), 0, set()
    for _ in range(30):
        mask = rng.random(6000) < share
        query = unit(big.vectors[rng.integers(6000)] + 0.3 / 8 * rng.standard_normal(64))
        plan, best = planner.best(big, mask, query, 100)
        plans.add(plan)
        exact = np.flatnonzero(mask)[np.argsort(-(big.vectors[mask].astype(np.float64) @ query))[:10]]
        top = best.rows[np.argsort(-best.scores)[:10]]
        found += len(set(top.tolist()) & set(exact.tolist()))
    assert found / 300 >= 0.99
    assert plans == ({"exact"} if share == 0.01 else {"hnsw"})


@pytest.mark.parametrize("k", [1, 10, 500])
def test_the_scan_of_codes_is_exact(big: Segment, k: int):
    rng = np.random.default_rng(7)
    for share in (1.0, 0.3):
        mask = rng.random(6000) < share
        query = unit(rng.standard_normal(64))
        expected = best_of(big, np.flatnonzero(mask), query, k)
        assert big.codes is not None
        found = big.codes.best_of(big, mask, query, k)
        assert sorted(zip(found.scores, found.rows, strict=True)) == sorted(zip(expected.scores, expected.rows, strict=True))


def test_the_scan_of_codes_is_exact_among_hundreds_of_equal_rows(tmp_path: Path):
    vectors = np.repeat(clustered(300, 64, 8)[:6], 400, axis=0)
    error = write_codes(tmp_path, vectors, Coding(codes_from=1), earlier=None, check=lambda: None)
    segment = Segment(np.arange(len(vectors)), vectors, {})
    found = Codes(tmp_path / CODES, error=error).best_of(segment, np.ones(len(vectors), np.bool_), vectors[0], 10)
    assert sorted(found.rows.tolist()) == list(range(400))


def test_rounding_to_half_precision_is_bounded():
    vectors = clustered(1000, 64, 9)
    bound = rounding_error(vectors)
    queries = clustered(200, 64, 10)
    halves = vectors.astype(np.float16).astype(np.float64)
    assert np.abs(halves @ queries.T - vectors.astype(np.float64) @ queries.T).max() <= bound < 1e-3


def test_a_graph_is_continued_with_the_rows_that_came_later(tmp_path: Path):
    rng = random.Random(22)
    versions = FaissVersions(tmp_path / "index", Settings(hnsw_from=1), planner=Planner(costs=PLANS["graph"]))
    index = create(versions)
    records = {f"{i}": make_record(f"{i}", rng) for i in range(200)}
    for start in range(0, 200, 50):
        index.upsert([records[f"{i}"] for i in range(start, start + 50)])
        changed = {i: make_record(i, rng) for i in ("1", "2")}
        records |= changed
        index.upsert(list(changed.values()))
        index.settle()
    query = IndexQuery(vector=separated(rng, list(records.values())), candidates=50, limit=50)
    answer = index.search(query)
    assert answer.search == "hnsw"
    assert [h.product.id for h in answer.hits] == [r.product.id for r, _ in oracle.candidate_set(records.values(), query)]
    assert [h.product.id for h in index.search(replace(query, vector=None, limit=300)).hits] == sorted(records)
    versions.close()


def test_the_cheapest_plan_is_chosen(big: Segment):
    query = unit(np.ones(64))
    everything, few = np.ones(6000, np.bool_), np.arange(6000) < 50
    assert Planner(costs=Costs(step=0.1)).best(big, everything, query, 10)[0] == "hnsw"
    assert Planner(costs=Costs(step=0.1)).best(big, few, query, 10)[0] == "exact"
    assert Planner(costs=Costs(step=1000)).best(big, everything, query, 10)[0] == "exact"
