"""Small segments are merged beside the searches, and no search sees a difference."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.contract import oracle
from tests.contract.catalogue import make_catalogue
from tests.contract.questions import separated
from tests.support.waiting import until
from tests.unit.index.faiss.conftest import Open, create
from vitrine.fields.schema import FieldType
from vitrine.index import IndexQuery
from vitrine.index.faiss.columns.layout import Layout
from vitrine.index.faiss.columns.ragged import Ints
from vitrine.index.faiss.index import FaissIndex
from vitrine.index.faiss.segment import Segment
from vitrine.products import Record
from vitrine.queries import Sort
from vitrine.results import ValueFacet


def rows_of_segments(index: FaissIndex) -> list[int]:
    return [len(entry.segment) for entry in index._reader.current().segments]


def await_few_segments(index: FaissIndex, most: int) -> None:
    until(lambda: len(rows_of_segments(index)) <= most, "segments are merged")


def assert_as_oracle(index: FaissIndex, current: dict[str, Record], rng: random.Random) -> None:
    records = list(current.values())
    vector = separated(rng, records)
    for query in (
        IndexQuery(vector=vector, limit=30, candidates=len(records)),
        IndexQuery(limit=30, sort=Sort("price")),
    ):
        answer = index.search(query)
        expected = oracle.sorted_page(records, query)[:30]
        assert [hit.product.id for hit in answer.hits] == [product_id for product_id, _ in expected]
        assert [hit.product for hit in answer.hits] == [current[i].product for i, _ in expected]
    counted = index.facet(["color"])["color"]
    assert isinstance(counted, ValueFacet)
    expected_counts = oracle.facet_counts(oracle.grouped(records, None), "color", FieldType.COLOR)
    assert {v.value: v.count for v in counted.values} == expected_counts


def test_small_segments_become_few_and_no_search_merges_them(
    open_faiss: Open, monkeypatch: pytest.MonkeyPatch
):
    index, rng = create(open_faiss()), random.Random(8)
    merged, threads = Segment.merged, set[tuple[str, bool]]()

    def noting(parts: Sequence[tuple[Segment, Ints]], layout: Layout) -> Segment:
        thread = threading.current_thread()
        threads.add((thread.name, thread.daemon))
        return merged(parts, layout)

    monkeypatch.setattr(Segment, "merged", noting)
    current = {record.product.id: record for record in make_catalogue(40, 8)}
    index.upsert(list(current.values()))
    index.search(IndexQuery())
    for seed in range(12):
        some = make_catalogue(7, 100 + seed)
        index.upsert(some)
        current |= {record.product.id: record for record in some}
        gone = rng.choice(list(current))
        index.delete([gone])
        del current[gone]
        assert_as_oracle(index, current, rng)
    await_few_segments(index, most=4)
    assert_as_oracle(index, current, rng)
    assert threads == {("tidy-segments", False)}  # the end of the process waits for it


def test_what_is_written_while_segments_are_merged_is_not_lost(
    open_faiss: Open, monkeypatch: pytest.MonkeyPatch
):
    index, rng = create(open_faiss()), random.Random(9)
    first, others = make_catalogue(30, 9), make_catalogue(20, 10)
    current = {record.product.id: record for record in (*first, *others)}
    merged, overtaken = Segment.merged, threading.Event()

    def overtaking(parts: Sequence[tuple[Segment, Ints]], layout: Layout) -> Segment:
        segment = merged(parts, layout)
        if not overtaken.is_set():
            again = [replace(r, product=replace(r.product, price=7.0)) for r in others[:5]]
            index.upsert(again)
            current.update({record.product.id: record for record in again})
            index.delete([others[6].product.id])
            del current[others[6].product.id]
            index.search(IndexQuery())  # the state that the merged segment enters knows of it
            overtaken.set()
        return segment

    monkeypatch.setattr(Segment, "merged", overtaking)
    index.upsert(first)
    for start in (0, 10):
        index.search(IndexQuery())
        index.upsert(others[start : start + 10])
    index.search(IndexQuery())
    assert overtaken.wait(240)
    await_few_segments(index, most=2)
    assert_as_oracle(index, current, rng)


def test_a_snapshot_that_comes_while_segments_are_merged_is_taken_up_without_another_write(
    open_faiss: Open, monkeypatch: pytest.MonkeyPatch
):
    versions = open_faiss()
    index = create(versions)
    other = open_faiss().open(index.info.name)
    assert isinstance(other, FaissIndex)
    merged, overtaken = Segment.merged, threading.Event()

    def overtaking(parts: Sequence[tuple[Segment, Ints]], layout: Layout) -> Segment:
        if not overtaken.is_set():
            overtaken.set()
            other.compact()
            index.search(IndexQuery())  # it meets the snapshot while the thread is busy
        return merged(parts, layout)

    monkeypatch.setattr(Segment, "merged", overtaking)
    for seed in range(3):
        index.upsert(make_catalogue(10 * (seed + 1), 20 + seed))
        index.search(IndexQuery())
    assert overtaken.wait(240)
    until(lambda: index._reader.current().segments[0].segment.folder, "the snapshot is taken up")
