"""Pages by relevance alone: a page is asked for as a page, and no other candidate is read.

The first page reads its own products and a few more, in one request beside the count. A later page
does the same from a little before the place where the page before ended; only products that were
stored when the first page was read take part (a condition on `_seq`). Why that is the right page:

- Qdrant returns points by its score, which is within `SCORE_TOLERANCE` of the exact one. So all
  products that may come before the page's last hit score at least that hit's score less twice the
  tolerance. When the last point read scores below that, all of them have been read; if not, twice
  as many are read.
- A later page needs all products that rank after the last hit shown. Each scores at most that hit's
  score plus the tolerance. When the first point read scores above that by twice the tolerance,
  nothing before it is missed, whatever was deleted or rewritten since; if not, reading begins
  earlier, at last at the first point.
- Where the set is cut (there are more products than candidates), the second page finds out where:
  the product that is the last candidate now, read beside the page. It travels on in the token.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from qdrant_client import models

from vitrine.index.ports import IndexQuery, PageToken
from vitrine.index.qdrant.filters import every, translate
from vitrine.index.qdrant.payload import ID, point_id
from vitrine.index.qdrant.plans import PlanMemory
from vitrine.index.qdrant.point import Point
from vitrine.index.qdrant.points import Points
from vitrine.index.qdrant.queries import NearestQuery
from vitrine.index.qdrant.ranking import after_last_hit, in_rank_order, last_score, within
from vitrine.index.qdrant.rescoring import SCORE_TOLERANCE, Candidate, CosineRescorer, Rescorer
from vitrine.index.qdrant.scope import filter_of, least_score
from vitrine.products import Vector

__all__ = ["RelevancePage", "RelevancePages", "Window", "above_edge"]

SPARE = 8
"""Points read beyond a page on either side, so that ties and deleted products seldom cost a second
request."""


@dataclass(frozen=True, slots=True)
class RelevancePage:
    """The hits of one page, and what is known of the set around them."""

    hits: list[Candidate]
    more: bool
    total: int
    matching: int
    exact: bool
    lowest: tuple[float, str] | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """The points that are read around a page: `limit` of them, after the best `offset`."""

    query: IndexQuery
    vector: Vector
    exact: bool
    offset: int = 0
    limit: int = 1
    payload: bool | tuple[str, ...] = True

    def around_page(self) -> Window:
        """The window of the query's page, with something to spare on either side."""
        token = self.query.page_token
        shown = 0 if token is None else min(max(token.position, 0), self.query.candidates)
        offset = max(0, shown - SPARE)
        size = min(self.query.limit, self.query.candidates)
        return replace(self, offset=offset, limit=shown - offset + size + SPARE)

    def request(self) -> NearestQuery:
        """What Qdrant is asked."""
        return NearestQuery(
            self.vector,
            filter_of(self.query),
            limit=self.limit,
            offset=self.offset,
            least=least_score(self.query),
            payload=self.payload,
            with_vectors=True,
            exact=self.exact,
        )

    def holds_all_above(self, points: Sequence[Point], score: float) -> bool:
        """Whether no point before the window may score as little as this."""
        return self.offset == 0 or (bool(points) and points[0].score > score + 2 * SCORE_TOLERANCE)

    def is_last(self, points: Sequence[Point]) -> bool:
        """Whether nothing comes after the window."""
        return len(points) < self.limit

    def earlier(self) -> Window:
        """A window that begins before this one and ends where it ends."""
        offset = max(0, self.offset - 4 * SPARE - self.limit)
        return replace(self, offset=offset, limit=self.limit + self.offset - offset)

    def longer(self) -> Window:
        """A window of twice as many points."""
        return replace(self, limit=2 * self.limit)


class RelevancePages:
    """Reads pages of candidate sets that are ordered by score, with a total and nothing else."""

    def __init__(self, points: Points, plans: PlanMemory) -> None:
        self._points = points
        self._plans = plans

    def page(self, window: Window, rescorer: Rescorer) -> RelevancePage:
        """The page of the window's query; the points of its hits are in `rescorer`."""
        token = window.query.page_token
        if token is None:
            return self._first(window.around_page(), rescorer)
        return self._later(window.around_page(), token, rescorer)

    def _first(self, window: Window, rescorer: Rescorer) -> RelevancePage:
        query = window.query
        size = min(query.limit, query.candidates)
        points, matching = self._together(window, [])
        available = matching - len(query.exclude)
        if query.exclude and available < query.candidates:
            # then the total is not that of the candidates, and some may not be under the filter
            available = matching - self._excluded(query)
        window, points = self._corrected(window, points, matching, available)
        while not window.is_last(points) and above_edge(points) < size:
            window = window.longer()
            points = self._points.nearest(window.request())
            window, points = self._corrected(window, points, matching, available)
        if window.is_last(points):
            available = len(points)
        rescorer.add(points)
        hits = in_rank_order([Candidate(p) for p in points], rescorer, first=size)[:size]
        total = min(query.candidates, available)
        return RelevancePage(hits, total > len(hits), total, matching, window.exact)

    def _later(self, window: Window, token: PageToken, rescorer: Rescorer) -> RelevancePage:
        query = window.query
        cut = token.lowest_candidate is None and token.total >= query.candidates
        bottom = _bottom(window)
        reads = [lambda: self._points.nearest(bottom.request())] if cut else []
        points, matching, *bottom_points = self._together(window, reads)
        window, points = self._corrected(window, points, matching, token.total - window.offset)
        lowest = token.lowest_candidate
        if cut:
            lowest = self._lowest(replace(bottom, exact=window.exact), bottom_points[0])
        while True:
            rescorer.add(points)
            following = after_last_hit([Candidate(p) for p in points], token, rescorer)
            if not window.holds_all_above(points, last_score(token)):
                window = window.earlier()
            elif window.is_last(points) or _certain(following, points) > query.limit:
                break
            else:
                window = window.longer()
            points = self._points.nearest(window.request())
        ranked = in_rank_order(within(following, lowest, rescorer), rescorer, first=query.limit)
        more = len(ranked) > query.limit
        hits = ranked[: query.limit]
        return RelevancePage(hits, more, token.total, matching, window.exact, lowest)

    def _together(self, window: Window, reads: list[Callable[[], Any]]) -> list[Any]:
        """The window's points, the count under the filter, and what further reads answer."""
        where = every(translate(window.query.filter))
        return self._points.together(
            [
                lambda: self._points.nearest(window.request()),
                lambda: self._points.count(where),
                *reads,
            ]
        )

    def _corrected(
        self, window: Window, points: list[Point], matching: int, expected: int
    ) -> tuple[Window, list[Point]]:
        """The window and its points, read again without the graph where that reached too few or
        few products match."""
        few = self._plans.learn(window.query.filter, matching)
        if window.exact or not (few or len(points) < min(window.limit, expected)):
            return window, points
        window = replace(window, exact=True)
        return window, self._points.nearest(window.request())

    def _excluded(self, query: IndexQuery) -> int:
        """How many products under the filter the query leaves out."""
        ids = models.HasIdCondition(has_id=[point_id(i) for i in sorted(query.exclude)])
        return self._points.count(every(translate(query.filter), ids))

    def _lowest(self, window: Window, points: list[Point]) -> tuple[float, str] | None:
        """Exact score and id of the set's last candidate.

        None where no more than those are left.
        """
        while True:
            place = window.query.candidates - 1 - window.offset
            if len(points) <= place:
                return None
            score = points[place].score
            below = window.is_last(points) or points[-1].score < score - 2 * SCORE_TOLERANCE
            if window.holds_all_above(points, score) and below:
                break
            window = window.earlier().longer()
            points = self._points.nearest(window.request())
        rescorer = CosineRescorer(window.vector, lambda _: {})
        rescorer.add(points)
        candidates = [Candidate(p) for p in points]
        rescorer.rescore_close_to(candidates, score)
        lowest = sorted(candidates, key=lambda c: c.rank)[place]
        return lowest.score, lowest.id


def _bottom(window: Window) -> Window:
    """The window around the last candidate of the set."""
    place = window.query.candidates - 1
    start = max(0, place - SPARE)
    return replace(window, offset=start, limit=place - start + 1 + SPARE, payload=(ID,))


def above_edge(points: Sequence[Point]) -> int:
    """How many points no unread one can precede."""
    return sum(p.score > points[-1].score + 2 * SCORE_TOLERANCE for p in points)


def _certain(candidates: Sequence[Candidate], points: Sequence[Point]) -> int:
    """How many of these candidates no unread point can precede."""
    return sum(c.score > points[-1].score + 2 * SCORE_TOLERANCE for c in candidates)
