"""Search by vector: one candidate set, from which hits, total, facets, order and page come.

Where a query needs no more than a page by relevance and its total, `pages` asks for just that.
Facets, an order by a field, collapsing and a lowest score need the set itself: it is read as ids,
scores and the payload keys that deciding needs; whole products are read for the page alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from vitrine.errors import InvalidQuery
from vitrine.fields.schema import Schema
from vitrine.index.ports import IndexAnswer, IndexQuery, PageToken
from vitrine.index.qdrant.facets import facet_of_payloads, group_keys, with_groups
from vitrine.index.qdrant.filters import every, translate
from vitrine.index.qdrant.ordering import Order
from vitrine.index.qdrant.pages import RelevancePages, Window, above_edge
from vitrine.index.qdrant.payload import (
    ID,
    facet_keys,
    group_of,
    groups_of,
    image_keys,
    product_of,
    value_key,
)
from vitrine.index.qdrant.plans import PlanMemory
from vitrine.index.qdrant.points import Points
from vitrine.index.qdrant.queries import NearestQuery
from vitrine.index.qdrant.ranking import (
    SPARE_CANDIDATES,
    after_last_hit,
    collapse,
    following,
    in_rank_order,
    likely_needed,
    lowest_of,
    trim,
)
from vitrine.index.qdrant.rescoring import Candidate, CosineRescorer, Rescorer
from vitrine.index.qdrant.scope import filter_of, least_score
from vitrine.products import Vector
from vitrine.queries import RELEVANCE, SortValue
from vitrine.results import Hit

__all__ = ["CandidateSearch", "CandidateSet"]


@dataclass(frozen=True, slots=True)
class _Superset:
    """All that may belong to the set, how many products match, and whether all were compared."""

    all: list[Candidate]
    matching: int
    exact: bool


@dataclass(frozen=True, slots=True)
class CandidateSet:
    """The members of a set by rank, where it ends, how many products match, and whether all were
    compared."""

    members: list[Candidate]
    lowest: tuple[float, str] | None
    matching: int
    exact: bool


class CandidateSearch:
    """Answers queries that have a vector."""

    def __init__(self, points: Points, schema: Schema, plans: PlanMemory) -> None:
        self._points = points
        self._schema = schema
        self._plans = plans
        self._pages = RelevancePages(points, self._plans)

    def answer(self, query: IndexQuery, vector: Vector, *, as_of: int) -> IndexAnswer:
        """One page; see `IndexQuery`."""
        query = replace(query, collapse=None) if query.collapse == ID else query
        rescorer = CosineRescorer(
            vector, lambda ids: self._points.retrieve(ids, payload=True, vectors=True)
        )
        exact = self._plans.exact(query.filter)
        if exact is None:
            matching = self._points.count(every(translate(query.filter)))
            exact = self._plans.learn(query.filter, matching)
        by_score = query.sort == RELEVANCE and query.collapse is None
        if by_score and not query.facets and query.min_score is None:
            return self._page_answer(query, rescorer, as_of, Window(query, vector, exact))
        return self._set_answer(query, rescorer, as_of, Window(query, vector, exact))

    def _page_answer(
        self, query: IndexQuery, rescorer: Rescorer, as_of: int, window: Window
    ) -> IndexAnswer:
        page = self._pages.page(window, rescorer)
        token = None
        if page.hits and page.more:
            last = page.hits[-1]
            token = _next_token(query, as_of, (last.score, last.id), len(page.hits))
            token = replace(token, lowest_candidate=page.lowest, total=page.total)
        hits = self._hits(page.hits, rescorer)
        plan = "exact" if page.exact else "hnsw"
        return IndexAnswer(hits, page.total, {}, token, plan, page.matching)

    def _set_answer(
        self, query: IndexQuery, rescorer: Rescorer, as_of: int, window: Window
    ) -> IndexAnswer:
        order = None if query.sort == RELEVANCE else self._order(query)
        candidates = self._candidates(query, window)
        rescorer.load(likely_needed(candidates.all, query, order))
        members = trim(candidates.all, query, rescorer)
        lowest = self.lowest(members, query, rescorer)
        selection = CandidateSet(members, lowest, candidates.matching, candidates.exact)
        return self.answer_of(query, selection, rescorer, as_of=as_of)

    def answer_of(
        self, query: IndexQuery, selection: CandidateSet, rescorer: Rescorer, *, as_of: int
    ) -> IndexAnswer:
        """The page of a set, with its total and facets."""
        order = None if query.sort == RELEVANCE else self._order(query)
        members = selection.members
        if order is not None and order.by_score:
            rescorer.rescore(members)
            members = rescorer.present(members)
        variants, groups, key = [member.payload for member in members], None, ""
        if query.collapse is not None:
            key = value_key(self._schema.require(query.collapse, wrong=InvalidQuery))
            groups = groups_of(variants, key)
            members = collapse(members, lambda p: group_of(p, key), order, rescorer)
        total = len(members) if query.page_token is None else query.page_token.total
        page, more = self._page(members, query, order, rescorer)
        started, folded = perf_counter(), self._points.layout.folded
        facets = {
            f.name: facet_of_payloads(
                f, variants, values=query.facet_values, groups=groups, folded=folded
            )
            for f in (self._schema.require(n, wrong=InvalidQuery) for n in query.facets)
        }
        timings = {"facets": (perf_counter() - started) * 1e3}
        token = None
        if page and more:
            last = page[-1]
            key_of_last = last.score if order is None else order.place(last.payload, last.score)[0]
            token = _next_token(query, as_of, (key_of_last, last.id), len(page))
            token = replace(token, lowest_candidate=selection.lowest, total=total)
        plan = "exact" if selection.exact else "hnsw"
        hits = self._hits(page, rescorer)
        if groups is not None:
            own = [group_of(candidate.payload, key) for candidate in page]
            hits = with_groups(hits, own, variants, groups, schema=self._schema)
        return IndexAnswer(hits, total, facets, token, plan, selection.matching, timings)

    def _candidates(self, query: IndexQuery, window: Window) -> _Superset:
        """Everything that may belong to the set.

        The best `candidates` are all among the points read when as many of these score above the
        last one read by twice the tolerance: then no unread point can take the place of one. Until
        then twice as many are read.
        """
        request = NearestQuery(
            window.vector,
            filter_of(query),
            limit=query.candidates + SPARE_CANDIDATES,
            least=least_score(query),
            payload=self.payload_keys(query) or False,
            exact=window.exact,
        )
        where = every(translate(query.filter))
        reads: list[Callable[[], Any]] = [
            lambda: self._points.nearest(request),
            lambda: self._points.count(where),
        ]
        points, matching = self._points.together(reads)
        few = self._plans.learn(query.filter, matching)
        expected = min(query.candidates, matching - len(query.exclude))
        while True:
            unreached = request.least is None and len(points) < min(request.limit, expected)
            if not request.exact and (few or unreached):
                request = replace(request, exact=True)
            elif len(points) < request.limit or above_edge(points) >= query.candidates:
                return _Superset([Candidate(p) for p in points], matching, request.exact)
            else:
                request = replace(request, limit=2 * request.limit)
            points = self._points.nearest(request)

    def _order(self, query: IndexQuery) -> Order:
        return Order(query.sort, self._schema, titles=self._points.layout.title_form)

    def payload_keys(self, query: IndexQuery) -> tuple[str, ...]:
        """Payload paths that deciding needs."""
        fields = [self._schema.require(n, wrong=InvalidQuery) for n in query.facets]
        keys = [key for f in fields for key in facet_keys(f)]
        if query.sort != RELEVANCE:
            keys += self._order(query).value_keys
        if query.collapse is not None:
            keys.append(value_key(self._schema.require(query.collapse, wrong=InvalidQuery)))
            keys += group_keys(self._schema)
        return tuple(dict.fromkeys(keys))

    def lowest(
        self, members: list[Candidate], query: IndexQuery, rescorer: Rescorer
    ) -> tuple[float, str] | None:
        """Where the set ends, as further pages must know it.

        A first page by score leaves it open.
        """
        token = query.page_token
        if token is not None and token.lowest_candidate is not None:
            return token.lowest_candidate
        by_score = query.sort == RELEVANCE and query.collapse is None
        if len(members) < query.candidates or (by_score and token is None):
            return None
        return lowest_of(members, rescorer)

    def _page(
        self, members: list[Candidate], query: IndexQuery, order: Order | None, rescorer: Rescorer
    ) -> tuple[list[Candidate], bool]:
        """The next members in order, and whether more follow.

        One that was deleted since Qdrant reported it makes room for the next.
        """
        while True:
            if order is None:
                rest = after_last_hit(members, query.page_token, rescorer)
                ranked = in_rank_order(rest, rescorer, first=query.limit)
            else:
                ranked = following(members, query, order)
            page = ranked[: query.limit]
            rescorer.rescore_whole(page)
            if len(rescorer.present(page)) == len(page):
                return page, len(ranked) > len(page)
            members = rescorer.present(members)

    def _hits(self, page: list[Candidate], rescorer: Rescorer) -> tuple[Hit, ...]:
        payloads = ((c, rescorer.points[c.point.id].payload) for c in page)
        return tuple(
            Hit(
                product_of(payload, self._schema),
                rescorer.shown(c.score),
                image_keys(payload),
                c.image,
            )
            for c, payload in payloads
        )


def _next_token(
    query: IndexQuery, as_of: int, search_after: tuple[SortValue, str], shown: int
) -> PageToken:
    """A token that continues after a page; the end of the set and its total are still to be set."""
    position = 0 if query.page_token is None else query.page_token.position
    return PageToken(as_of, None, search_after, 0, position + shown)
