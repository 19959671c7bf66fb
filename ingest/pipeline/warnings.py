"""What a run took but found odd: the same remark once, with how often it was made."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from dataclasses import dataclass, field

from ingest.failures import CatalogueWarning

__all__ = ["RunWarnings"]

_REMARKS = 10_000
"""Different remarks that a run keeps; more are counted by their reason only."""
_PICTURES = 50_000
"""Pictures whose products are counted at once."""
_SHARED = 3
"""Products of different groups that share a picture before it is told."""


@dataclass
class _Picture:
    """A picture's name, and the first groups of products that came with it."""

    name: str
    id: str
    place: str
    groups: set[str] = field(default_factory=set)
    count: int = 0


class RunWarnings:
    """Gathers the remarks of one run; safe to use from several threads."""

    def __init__(self, source: str, run: int) -> None:
        self._source = source
        self._run = run
        self._remarks: dict[tuple[str, str], CatalogueWarning] = {}
        self._counts: Counter[tuple[str, str]] = Counter()
        self._pictures: OrderedDict[str, _Picture] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, reason: str, message: str, *, id: str = "", place: str = "") -> None:
        """Note a remark about a product, or about the source."""
        with self._lock:
            self._add(reason, message, id, place)

    def saw_picture(self, key: str, name: str, *, id: str, group: str, place: str) -> None:
        """Note that a product comes with a picture; variants of one group may share theirs."""
        with self._lock:
            seen = self._pictures.pop(key, None) or _Picture(name, id, place)
            self._pictures[key] = seen  # the last one now
            seen.count += 1
            if len(seen.groups) < _SHARED:
                seen.groups.add(group)
            if len(self._pictures) > _PICTURES:
                self._tell_shared(*self._pictures.popitem(last=False))

    def finish(self) -> tuple[CatalogueWarning, ...]:
        """All remarks of the run."""
        with self._lock:
            while self._pictures:
                self._tell_shared(*self._pictures.popitem(last=False))
            return tuple(
                CatalogueWarning(
                    w.reason, w.message, w.source, w.id, w.place, self._counts[key], self._run
                )
                for key, w in self._remarks.items()
            )

    def by_reason(self) -> dict[str, int]:
        """How many products each kind of remark was made of."""
        counts: Counter[str] = Counter()
        with self._lock:
            for (reason, _), count in self._counts.items():
                counts[reason] += count
        return dict(counts.most_common())

    def _add(self, reason: str, message: str, id: str, place: str) -> None:
        key = (reason, message)
        if key not in self._remarks and len(self._remarks) >= _REMARKS:
            self._counts[reason, ""] += 1
            return
        self._remarks.setdefault(key, CatalogueWarning(reason, message, self._source, id, place))
        self._counts[key] += 1

    def _tell_shared(self, _: str, seen: _Picture) -> None:
        if len(seen.groups) >= _SHARED:
            message = f"{seen.count} products share the picture {seen.name}; is it a placeholder?"
            self._add("shared_picture", message, seen.id, seen.place)
