"""Walking through the pages of one candidate set."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.contract import oracle
from tests.contract.catalogue import SCHEMA, make_catalogue, make_record
from tests.contract.questions import random_query, separated
from vitrine.filters import Condition
from vitrine.index import IndexQuery, IndexVersions, VectorIndex
from vitrine.queries import Sort
from vitrine.results import Hit

SIZE = 50


def walk(
    index: VectorIndex, query: IndexQuery, *, between: Callable[[int], None] = lambda _: None
) -> list[Hit]:
    """All hits, page after page."""
    hits: list[Hit] = []
    for page in range(1000):
        answer = index.search(query)
        hits += answer.hits
        if answer.next_token is None:
            return hits
        between(page)
        query = replace(query, page_token=answer.next_token)
    raise AssertionError("the walk does not end")


QUERIES = {
    "by relevance": IndexQuery(),
    "cut": IndexQuery(candidates=20),
    "by price": IndexQuery(sort=Sort("price")),
    "by price downwards, cut": IndexQuery(sort=Sort("price", True), candidates=30),
    "by title downwards": IndexQuery(sort=Sort("title", True)),
    "by several": IndexQuery(sort=Sort.parse("-in_stock,rating,-title")),
    "by stock, then closeness": IndexQuery(sort=Sort.parse("-in_stock,relevance"), candidates=30),
    "by time": IndexQuery(sort=Sort("added")),
    "collapsed": IndexQuery(collapse="group_id"),
    "collapsed by rating": IndexQuery(collapse="brand", sort=Sort("rating", True)),
    "filtered": IndexQuery(filter=Condition(SCHEMA.get("in_stock"), "in", (True,)), min_score=0.1),
}


@pytest.mark.parametrize("searches", [True, False], ids=["search", "browse"])
def test_pages_of_every_size_show_the_same_sequence(index: VectorIndex, searches: bool):
    rng = random.Random(11)
    records = make_catalogue(34, 11)
    index.upsert(records)
    for name, base in QUERIES.items():
        vector = separated(rng, records) if searches else None
        query = replace(base, vector=vector, min_score=base.min_score if searches else None)
        expected = [(r.product.id, s) for r, s in oracle.candidate_set(records, query)]
        for limit in (1, 7, 24):
            hits = walk(index, replace(query, limit=limit))
            assert [h.product.id for h in hits] == [i for i, _ in expected], (
                f"{name}, pages of {limit}"
            )
            if searches:
                scores = [score for _, score in expected]
                assert [h.score for h in hits] == pytest.approx(scores, abs=1e-5)


def test_random_walks_equal_the_oracle(index: VectorIndex):
    seed = 12
    rng = random.Random(seed)
    records = make_catalogue(SIZE, seed)
    index.upsert(records)
    for number in range(20):
        query = replace(random_query(rng, records), limit=rng.choice((7, 24)))
        expected = [r.product.id for r, _ in oracle.candidate_set(records, query)]
        assert [h.product.id for h in walk(index, query)] == expected, (
            f"seed {seed}, query {number}: {query}"
        )


def test_counting_the_whole_set_changes_neither_hits_nor_total(index: VectorIndex):
    rng = random.Random(16)
    records = make_catalogue(SIZE, 16)
    index.upsert(records)
    for name, base in QUERIES.items():
        query = replace(base, vector=separated(rng, records), limit=9)
        bare, counted = index.search(query), index.search(replace(query, facets=("color",)))
        assert (bare.hits, bare.total, bare.matching) == (
            counted.hits,
            counted.total,
            counted.matching,
        ), name


@pytest.mark.parametrize("name", list(QUERIES))
@pytest.mark.parametrize("searches", [True, False], ids=["search", "browse"])
def test_a_walk_among_writes_repeats_nothing_and_skips_nothing_that_stayed(
    index: VectorIndex, name: str, searches: bool
):
    seed = 13
    rng = random.Random(f"{seed}{name}{searches}")
    records = {r.product.id: r for r in make_catalogue(SIZE, seed)}
    index.upsert(list(records.values()))
    query = replace(
        QUERIES[name], limit=11, min_score=QUERIES[name].min_score if searches else None
    )
    query = replace(query, vector=separated(rng, list(records.values())) if searches else None)
    first, whole = (
        [r.product.id for r, _ in oracle.candidate_set(records.values(), variant)]
        for variant in (query, replace(query, candidates=SIZE))
    )
    touched: set[str] = set()
    gone_early: set[str] = set()

    def write(page: int) -> None:
        gone, changed = rng.sample(sorted(records), 2)
        touched.update((gone, changed))
        gone_early.update((gone, changed) if page == 0 else ())
        index.delete([gone])
        index.upsert([make_record(changed, rng), make_record(f"new{page}", rng)])

    shown = [h.product.id for h in walk(index, query, between=write)]
    assert len(shown) == len(set(shown))
    assert not [i for i in shown if i.startswith("new")]
    if query.collapse is None:  # of a group another product may step forward
        untouched, stayed = ([i for i in ids if i not in touched] for ids in (shown, first))
        assert untouched[: len(stayed)] == stayed
        assert len(untouched) <= len(stayed) + len(gone_early.intersection(first))
        if untouched != stayed:
            assert query.sort.field is None
            assert untouched == [i for i in whole if i not in touched][: len(untouched)]


def test_total_stays_what_it_was_when_the_walk_began(index: VectorIndex):
    index.upsert(make_catalogue(50, 14))
    query = IndexQuery(limit=10)
    first = index.search(query)
    index.delete([first.hits[0].product.id])
    assert index.search(replace(query, page_token=first.next_token)).total == first.total == 50


def test_a_walk_goes_on_in_another_process(
    open_again: Callable[[], IndexVersions], index: VectorIndex
):
    rng = random.Random(15)
    records = make_catalogue(SIZE, 15)
    index.upsert(records)
    query = IndexQuery(vector=separated(rng, records), limit=15, candidates=45)
    first = index.search(query)
    second = open_again().open(index.info.name).search(replace(query, page_token=first.next_token))
    expected = [r.product.id for r, _ in oracle.candidate_set(records, query)]
    assert [h.product.id for h in (*first.hits, *second.hits)] == expected[:30]
