"""The candidate set of words and vectors together: every product that could belong to it, exactly.

Two kinds of products can be among the best k. Those that match no word are ordered by their vectors
alone, and a product never gets worse by matching a word; so if one of them is among the best k, it
is among the k best of the filter by its picture's cosine (`Planner.top_k`) or, where the version
keeps text vectors, by the weighted sum of both cosines (`within_reach`). Those that match a word
are listed by the words of the segment. Where many do, most are left out by bounds: a cosine is
known to lie within a range, order values rise with it, so a product whose highest value is below
the k-th of all lowest values cannot be among the best k. What is left gets its exact value.
Where 8-bit rows are scanned anyway, one scan gives the ranges of all products (`fused_bounds`):
then a page alone gets exact values, and of the others those that may or may not be close enough.
With facets the same holds as long as the set is not full, for these only count its products.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.columns.ragged import Ints
from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.query.fused_bounds import (
    FEW,
    OrderBounds,
    bound_order_values,
    closer_bounds,
    first_ids,
)
from vitrine.index.faiss.query.fused_query import FusedQuery
from vitrine.index.faiss.query.planner import Planner, search_of
from vitrine.index.faiss.query.ranking import Ranking
from vitrine.index.faiss.query.state import State
from vitrine.index.faiss.query.word_signals import WordSignals
from vitrine.index.faiss.segment import Segment
from vitrine.index.faiss.vectors.combined import WeightedVectors, cosine_bounds, within_reach
from vitrine.index.faiss.vectors.exact import ScoredRows, kth_largest, score_products
from vitrine.index.fusion import Fusion, Negative
from vitrine.index.ports import IndexQuery
from vitrine.products import Vector
from vitrine.relevance import QueryRelevance, drop, pushed_log_odds, relevance_of
from vitrine.words import QueryWords

__all__ = ["FusedSet", "best_words", "find_fused"]


@dataclass(frozen=True, eq=False)
class FusedSet:
    """The ranking by order value, whose scores are exact as far as the answer needs them in order;
    `lowest`, `search` as `CandidateSet` has them.

    `total` is how many the set has, of which the ranking may be the first ones.
    """

    ranking: Ranking
    lowest: tuple[float, str] | None
    search: str
    best_words: tuple[float, ...]
    beyond: int
    total: int

    def nbytes(self) -> int:
        """Bytes of memory."""
        return self.ranking.nbytes()


def best_words(state: State, words: QueryWords) -> float:
    """The highest core words score of any live product of the version."""
    if words.empty or words.best <= 0:
        return 0.0
    best = 0.0
    for entry in state.segments:
        totals = entry.segment.words.totals(words.term_ids, words.core)
        totals *= entry.live
        best = max(best, float(totals.max(initial=0.0)))
    return best / words.best


def find_fused(
    state: State, masks: Sequence[Mask], query: IndexQuery, fusion: Fusion, planner: Planner
) -> FusedSet:
    """The best `query.candidates` products of the masks by words and vector, at least as close as
    the fusion demands, less what its negatives drop, in the order that they leave."""
    token = query.page_token
    bests = () if token is None else token.best_words
    if len(bests) != len(fusion.all_words):
        bests = tuple(best_words(state, words) for words in fusion.all_words)
    fused = FusedQuery.of(query, fusion, bests[0])
    prefix = fused.prefix
    valued = _needed_values(state, masks, fused, planner)
    ranking = Ranking.of(valued.parts).by_score()
    ranking = ranking.take(np.arange(min(prefix, len(ranking))))
    lowest = None
    if token is not None and token.lowest_candidate is not None:
        lowest = token.lowest_candidate
        ranking = _not_below(ranking, lowest)
    elif prefix == query.candidates == len(ranking):
        lowest = (ranking.scores[-1].item(), ranking.id(len(ranking) - 1))
    ranking = _with_negatives(ranking, fusion, bests[1:])
    total = min(query.candidates, valued.members) if prefix < query.candidates else len(ranking)
    under_filter = sum(int(np.count_nonzero(mask)) for mask in masks)
    return FusedSet(ranking, lowest, valued.search, bests, under_filter - total, total)


@dataclass(frozen=True, eq=False)
class _NeededValues:
    """Rows of each segment with their order values, and how many rows are close enough in all."""

    parts: list[tuple[Segment, ScoredRows]]
    members: int
    search: str


def _needed_values(
    state: State,
    masks: Sequence[Mask],
    query: FusedQuery,
    planner: Planner,
) -> _NeededValues:
    """The order values of all rows that the answer depends on: exact ones, or upper bounds of those
    that it needs in no order, which are below all that it does."""
    known = [WordSignals.of(entry.segment, query.words) for entry in state.segments]
    bounds = [
        _bounds(entry.segment, mask, signals, query, planner)
        for entry, mask, signals in zip(state.segments, masks, known, strict=True)
    ]
    sure = sum(bounded.members for bounded in bounds if bounded is not None)
    # where more than the candidates are close, it does not matter how many
    unsure = sure < query.candidates
    possible = sum(
        int(np.count_nonzero(mask)) if bounded is None else bounded.others + len(bounded.rows)
        for bounded, mask in zip(bounds, masks, strict=True)
    )
    # order values decide which products belong to the set only where it may be full
    prefix = query.prefix if possible >= query.candidates else query.ordered
    parts, plans, members = [], set[str](), 0
    for entry, mask, signals, bounded in zip(state.segments, masks, known, bounds, strict=True):
        listed = []
        if bounded is None:
            plan, rows = _possible_rows(entry.segment, mask, signals, query, planner)
            plans.add(plan)
        else:
            closer, needed = _rows_to_value(entry.segment, bounded, query, prefix, unsure=unsure)
            rows, others = closer.rows[needed], np.flatnonzero(closer.sure & ~needed)
            members += closer.others + len(others)
            if prefix < query.prefix:
                high, images = closer.high[others], np.zeros(len(others), np.int64)
                listed.append(ScoredRows(closer.rows[others], high, images))
        valued = _order_values(entry.segment, rows, query.vector, signals, query.relevance)
        close = valued.take(valued.scores >= query.least)
        members += len(close.rows)
        parts.append((entry.segment, ScoredRows.concat([close, *listed])))
    return _NeededValues(parts, members, search_of(plans))


def _rows_to_value(
    segment: Segment,
    bounded: OrderBounds,
    query: FusedQuery,
    prefix: int,
    *,
    unsure: bool,
) -> tuple[OrderBounds, Mask]:
    """Bounds, and which rows need exact values so that the `prefix` best are known; where those are
    many, closer bounds leave few."""
    needed = bounded.need_exact_values(segment, prefix, unsure=unsure)
    places = np.flatnonzero(needed)
    if query.vector is None or len(places) <= FEW:
        return bounded, needed
    closer = closer_bounds(bounded, places, segment, query.vector, query)
    return closer, closer.need_exact_values(segment, prefix, unsure=unsure)


def _bounds(
    segment: Segment,
    mask: Mask,
    signals: WordSignals,
    query: FusedQuery,
    planner: Planner,
) -> OrderBounds | None:
    """Bounds of all order values; None where the planner would not scan for them."""
    if query.vector is None or np.count_nonzero(mask) <= FEW:
        return None
    if not planner.scans(segment, mask, query.candidates):
        return None
    return bound_order_values(segment, mask, query.vector, signals, query)


def _possible_rows(
    segment: Segment,
    mask: Mask,
    signals: WordSignals,
    query: FusedQuery,
    planner: Planner,
) -> tuple[str, Ints]:
    """The plan's name and every row that may be among the best k, each once."""
    exact_rows = np.flatnonzero(signals.exact & mask)
    rows = np.flatnonzero((signals.words > 0) & ~signals.exact & mask)
    if query.vector is None:
        return "exact", np.concatenate([rows, exact_rows])
    if len(rows) > FEW:
        rows = _within_reach(segment, rows, query.vector, signals, query)
    plan, nearest = _nearest(segment, mask, query.vector, query, planner)
    return plan, np.unique(np.concatenate([rows, exact_rows, nearest]))


def _nearest(
    segment: Segment, mask: Mask, vector: Vector, query: FusedQuery, planner: Planner
) -> tuple[str, Ints]:
    """The plan's name and every row that may be among the best k by its vectors alone."""
    picture, text = query.relevance.vector_weights
    if picture == text == 0:  # all are equally near, and in the order of their ids
        rows = np.flatnonzero(mask)
        return "exact", rows[first_ids(segment, rows, query.candidates)]
    if segment.texts is None or text == 0:
        plan, scored = planner.top_k(segment, mask, vector, query.candidates)
        return plan, scored.rows
    parts = (
        WeightedVectors(segment.pictures, segment.quantized, picture),
        WeightedVectors(segment.texts, segment.quantized_texts, text),
    )
    return "exact", within_reach(parts, np.flatnonzero(mask), vector, query.candidates)


def _within_reach(
    segment: Segment,
    rows: Ints,
    vector: Vector,
    signals: WordSignals,
    query: FusedQuery,
) -> Ints:
    """The rows, all of which match a word, that may be close and among the k best: whose highest
    value reaches the k-th of all lowest values."""
    pictures, texts = cosine_bounds(segment.pictures, segment.quantized, rows, vector), None
    if segment.texts is not None:
        texts = cosine_bounds(segment.texts, segment.quantized_texts, rows, vector)
    some, relevance, least = signals.take(rows), query.relevance, query.least
    if len(rows) > query.candidates:
        lowest = some.with_cosines(pictures.low, None if texts is None else texts.low)
        least = max(least, kth_largest(relevance.log_odds(lowest), query.candidates))
    highest = some.with_cosines(pictures.high, None if texts is None else texts.high)
    reached: Mask = relevance.log_odds(highest) >= least
    return rows[reached]


def _order_values(
    segment: Segment,
    rows: Ints,
    vector: Vector | None,
    signals: WordSignals,
    relevance: QueryRelevance,
) -> ScoredRows:
    """The rows with their order values, and the pictures that are nearest to the vector."""
    if vector is None:
        scored = ScoredRows(rows, np.zeros(len(rows)), np.zeros(len(rows), np.int64))
    else:
        scored = score_products(segment.pictures, rows, vector)
    texts = None
    if vector is not None and segment.texts is not None:
        texts = score_products(segment.texts, rows, vector).scores
    all_signals = signals.take(rows).with_cosines(scored.scores, texts)
    return replace(scored, scores=relevance.log_odds(all_signals))


def _not_below(ranking: Ranking, lowest: tuple[float, str]) -> Ranking:
    score, last_id = lowest
    above = ranking.scores >= score
    for position in np.flatnonzero(ranking.scores == score).tolist():
        above[position] = ranking.id(position) <= last_id
    return ranking.take(above)


def _with_negatives(ranking: Ranking, fusion: Fusion, bests: Sequence[float]) -> Ranking:
    """The ranking without what a negative drops, in the order of the pushed values."""
    if not fusion.negatives or not len(ranking):
        return ranking
    relevances = np.stack(
        [
            _negative(ranking, fusion.negative_relevance(negative, best), negative)
            for negative, best in zip(fusion.negatives, bests, strict=True)
        ]
    )
    drops = np.asarray([negative.drops for negative in fusion.negatives])
    staying = ~drop(relevances[drops])
    pushed = pushed_log_odds(ranking.scores, relevances)
    return ranking.with_scores(pushed).take(staying).by_score()


def _negative(
    ranking: Ranking, relevance: QueryRelevance, negative: Negative
) -> NDArray[np.float64]:
    """The relevance of each position for a negative alone, as if it were a query."""
    odds = np.zeros(len(ranking))
    for place, segment in enumerate(ranking.segments):
        inside = np.flatnonzero(ranking.places == place)
        rows, signals = ranking.rows[inside], WordSignals.of(segment, negative.words)
        valued = _order_values(segment, rows, negative.vector, signals, relevance)
        odds[inside] = valued.scores
    return relevance_of(odds)
