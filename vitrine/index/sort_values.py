"""Values that products are ordered by, as both backends compare them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import total_ordering

__all__ = ["EPOCH", "Descending", "microseconds"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(when: datetime) -> int:
    """Microseconds since 1970, exactly: a float could not tell all times apart."""
    return (when - EPOCH) // timedelta(microseconds=1)


@total_ordering
@dataclass(frozen=True, slots=True)
class Descending:
    """A text that is the greater, the earlier it comes by code point."""

    text: str

    def __lt__(self, other: Descending) -> bool:
        return other.text < self.text
