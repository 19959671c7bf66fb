"""The reads that a query needed last time are sent at once when it comes again.

Browsing finds out step by step what to read: a page of an order goes deeper where products tie, a
histogram counts between the extremes that it has read first. The steps of one question hardly
change from one time to the next. So they are remembered (not their answers), all sent together when
the question comes again, and each step takes its answer from these. A step that is different this
time is simply read, so a changed catalog costs a request more and is never answered from the past.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Any, cast

from qdrant_client import models

from vitrine.index.qdrant.point import Point
from vitrine.index.qdrant.points import Points

__all__ = ["ReadAhead", "Reads"]

_QUESTIONS = 256
"""Questions of an open version whose steps are remembered."""
_STEPS = 48
"""Steps of one question that are remembered at most."""

_Step = tuple[Hashable, Callable[[], Any]]


class Reads:
    """The reads of `Points` for one answer; those that were sent ahead are answered already."""

    def __init__(self, points: Points, ahead: dict[Hashable, Any]) -> None:
        self._points = points
        self._ahead = ahead
        self.steps: list[_Step] = []

    def count(self, where: models.Filter | None) -> int:
        """How many points fulfill the filter, exactly."""
        return cast(int, self._read(("count", _text(where)), lambda: self._points.count(where)))

    def values(self, key: str, where: models.Filter | None) -> dict[Any, int]:
        """All values under a key with the number of points that have them, exactly."""
        step = ("values", key, _text(where))
        return cast(dict[Any, int], self._read(step, lambda: self._points.values(key, where)))

    def first(
        self,
        where: models.Filter | None,
        order: models.OrderBy,
        *,
        limit: int,
        payload: bool | list[str] = True,
    ) -> list[Point]:
        """The first points in the order of one payload value; those without it are left out."""
        step = ("first", _text(where), _text(order), limit, str(payload))
        return cast(
            list[Point],
            self._read(
                step, lambda: self._points.first(where, order, limit=limit, payload=payload)
            ),
        )

    def fetcher(
        self, where: Sequence[models.Condition]
    ) -> Callable[[list[models.Condition], models.OrderBy | None, int | None], list[Point]]:
        """How `ordering` reads the points that fulfill these conditions and its own."""

        def fetch(
            conditions: list[models.Condition], order: models.OrderBy | None, limit: int | None
        ) -> list[Point]:
            together = [*where, *conditions]
            both = models.Filter(must=together) if together else None
            if order is None or limit is None:
                return list(self._points.all(both))
            return self.first(both, order, limit=limit)

        return fetch

    def _read(self, step: Hashable, read: Callable[[], Any]) -> Any:
        self.steps.append((step, read))
        return self._ahead.pop(step) if step in self._ahead else read()


class ReadAhead:
    """Remembers the steps of questions; safe to use from several threads."""

    def __init__(self, points: Points) -> None:
        self._points = points
        self._known: dict[Hashable, list[_Step]] = {}
        self._lock = threading.Lock()

    def reads(self, question: Hashable) -> Reads:
        """The reads for a question, with what it needed last time on hand."""
        with self._lock:
            steps = self._known.get(question, [])
        answers = self._points.together([read for _, read in steps])
        return Reads(self._points, dict(zip((step for step, _ in steps), answers, strict=True)))

    def remember(self, question: Hashable, reads: Reads) -> None:
        """Keep the steps of a question that has been answered."""
        with self._lock:
            self._known.pop(question, None)
            if len(reads.steps) <= _STEPS:
                self._known[question] = list(dict(reads.steps).items())
            while len(self._known) > _QUESTIONS:
                del self._known[next(iter(self._known))]


def _text(model: models.Filter | models.OrderBy | None) -> str:
    return "" if model is None else model.model_dump_json(exclude_none=True)
