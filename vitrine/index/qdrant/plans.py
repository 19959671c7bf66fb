"""Whether a search compares all products under its filter or goes through the graph."""

from __future__ import annotations

import threading

from vitrine.filters import MATCH_ALL, Filter

__all__ = ["PlanMemory"]

_REMEMBERED = 1024
"""Filters whose counts are remembered for an open version."""


class PlanMemory:
    """Chooses the plan from what the filter matched last time, so that no search waits for a count.

    A wrong choice costs time, never an answer: the count that goes out beside the search corrects
    it.
    """

    def __init__(self, *, exact_below: int) -> None:
        self._exact_below = exact_below
        self._counts: dict[Filter, int] = {}
        self._lock = threading.Lock()

    def exact(self, tree: Filter) -> bool | None:
        """Whether to compare all; None when nothing is known, not even the size of the version."""
        with self._lock:
            known = self._counts.get(tree, self._counts.get(MATCH_ALL))
        return None if known is None else known <= self._exact_below

    def learn(self, tree: Filter, matching: int) -> bool:
        """Remember how many products a filter matched; returns whether all of them are compared."""
        with self._lock:
            self._counts.pop(tree, None)
            self._counts[tree] = matching
            while len(self._counts) > _REMEMBERED:
                del self._counts[next(iter(self._counts))]
        return matching <= self._exact_below
