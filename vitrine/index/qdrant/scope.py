"""The part of a version that a query searches, as conditions of Qdrant."""

from __future__ import annotations

from qdrant_client import models

from vitrine.index.ports import IndexQuery
from vitrine.index.qdrant.filters import every, translate
from vitrine.index.qdrant.payload import SEQ, point_id
from vitrine.index.qdrant.rescoring import SCORE_TOLERANCE

__all__ = ["conditions_of", "filter_of", "least_score"]


def conditions_of(query: IndexQuery) -> list[models.Condition]:
    """The query's filter, what it excludes, and on further pages: nothing written since the first.

    Each is left out where it lets everything through.
    """
    ids = [point_id(i) for i in sorted(query.exclude)]
    excluded = models.Filter(must_not=[models.HasIdCondition(has_id=ids)]) if ids else None
    written = None
    if query.page_token is not None:
        until = models.Range(lte=query.page_token.as_of)
        written = models.FieldCondition(key=SEQ, range=until)
    return [c for c in (translate(query.filter), excluded, written) if c is not None]


def filter_of(query: IndexQuery) -> models.Filter | None:
    """The conditions as one filter; None when every product fulfills it."""
    return every(*conditions_of(query))


def least_score(query: IndexQuery) -> float | None:
    """The score below which no product can belong to the set."""
    token = query.page_token
    lowest = None if token is None or token.lowest_candidate is None else token.lowest_candidate[0]
    bounds = [b for b in (query.min_score, lowest) if b is not None]
    return max(bounds) - 2 * SCORE_TOLERANCE if bounds else None
