"""Filters of the client's HTTP API as those of Qdrant's own engine."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import qdrant_edge as edge
from qdrant_client import models

from vitrine.index.qdrant.payload import value_at

__all__ = ["engine_filter", "filtered_keys"]


def filtered_keys(where: models.Filter) -> set[str]:
    """The payload keys that a filter looks at."""
    found: set[str] = set()
    for condition in (*_listed(where.must), *_listed(where.should), *_listed(where.must_not)):
        if isinstance(condition, models.Filter):
            found |= filtered_keys(condition)
        elif isinstance(condition, models.FieldCondition):
            found.add(condition.key)
        elif isinstance(condition, models.IsEmptyCondition):
            found.add(condition.is_empty.key)
    return found


def engine_filter(where: models.Filter, shard: edge.EdgeShard) -> edge.Filter:
    """A filter of the client's as the engine's own."""
    parts = {
        name: [_condition(c, shard) for c in _listed(getattr(where, name))] or None
        for name in ("must", "should", "must_not")
    }
    return edge.Filter(**parts)


def _listed(part: Any) -> list[Any]:
    return [] if part is None else part if isinstance(part, list) else [part]


def _condition(condition: Any, shard: edge.EdgeShard) -> Any:
    if isinstance(condition, models.Filter):
        return engine_filter(condition, shard)
    if isinstance(condition, models.IsEmptyCondition):
        return edge.IsEmptyCondition(condition.is_empty.key)
    if isinstance(condition, models.HasIdCondition):
        return edge.HasIdCondition(set(condition.has_id))
    if isinstance(condition.match, models.MatchValue) and isinstance(condition.match.value, bool):
        return edge.HasIdCondition(_having(shard, condition.key, condition.match.value))
    return edge.FieldCondition(
        condition.key, match=_match(condition.match), range=_range(condition.range)
    )


def _having(shard: edge.EdgeShard, key: str, truth: bool) -> set[Any]:
    """The points that have the truth value: the binding turns it into the number 1 or 0, which
    the engine rightly finds nowhere."""
    points, _ = shard.scroll(
        edge.ScrollRequest(limit=1_000_000, with_payload=edge.PayloadSelector.Include([key]))
    )
    return {p.id for p in points if value_at(p.payload, key) is truth}


def _match(match: Any) -> Any:
    if match is None:
        return None
    if isinstance(match, models.MatchValue):
        return edge.MatchValue(match.value)
    if isinstance(match, models.MatchAny):
        return edge.MatchAny(list(match.any))
    return edge.MatchText(match.text)


def _range(bounds: Any) -> Any:
    if bounds is None:
        return None
    given = {n: v for n in ("gt", "gte", "lt", "lte") if (v := getattr(bounds, n)) is not None}
    if isinstance(bounds, models.DatetimeRange):
        return edge.RangeDateTime(
            **{n: v.isoformat() if isinstance(v, datetime) else str(v) for n, v in given.items()}
        )
    return edge.RangeFloat(**given)
