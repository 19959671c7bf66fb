"""Bounds leave out only products that cannot be among the best, with 8-bit rows and without."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract.catalogue import DIMENSION, SCHEMA, make_catalogue
from tests.contract.test_fusion import random_fused
from tests.contract.test_pictures import with_text
from tests.contract.test_search import check
from vitrine.index import IndexQuery
from vitrine.index.faiss import open_versions
from vitrine.index.faiss.query import fused
from vitrine.index.faiss.query.planner import Planner
from vitrine.queries import RELEVANCE
from vitrine.settings import Settings

pytestmark = pytest.mark.slow


def page_alone(query: IndexQuery, rng: random.Random) -> IndexQuery:
    """The query without all that needs more of its set than a page and a total."""
    assert query.fusion is not None
    return replace(
        query,
        fusion=replace(query.fusion, key=f"{query.fusion.key} alone", negatives=()),
        sort=RELEVANCE,
        collapse=None,
        facets=(),
        limit=rng.choice((1, 4)),
        candidates=rng.choice((10, 60, 1000)),
    )


@pytest.mark.parametrize("text_vectors", [False, True], ids=["pictures alone", "with texts"])
@pytest.mark.parametrize("quantize_from", [1, 100_000])
@pytest.mark.parametrize("seed", range(3))
def test_bounds_lose_no_product(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    quantize_from: int,
    text_vectors: bool,
):
    monkeypatch.setattr(fused, "FEW", 0)
    monkeypatch.setattr(Planner, "scans", lambda _, segment, *__: segment.quantized is not None)
    reached = []
    bounding = "bound_order_values" if quantize_from == 1 else "_within_reach"
    bounded = getattr(fused, bounding)
    monkeypatch.setattr(fused, bounding, lambda *args: reached.append(1) or bounded(*args))
    rng = random.Random(seed)
    records = make_catalogue(120, seed, images=(1, 1 + 3 * (seed % 2)))
    if text_vectors:
        records = [with_text(record, rng) for record in records]
    settings = Settings(data_dir=tmp_path, quantize_from=quantize_from)
    versions = open_versions(settings)
    index = versions.create(
        model="m",
        fingerprint="f" * 64,
        dimension=DIMENSION,
        schema=SCHEMA,
        mapping={},
        text_vectors=text_vectors,
    )
    index.upsert(records)
    versions.complete(index.info.name)
    index = open_versions(settings).open(index.info.name)
    for number in range(25):
        query = replace(random_fused(records, rng, number), candidates=rng.choice((1, 3, 10)))
        check(index, records, query)
        check(index, records, page_alone(query, rng))
    assert reached, "no query had more matching rows than candidates"
