"""Texts that no cache has met."""

from __future__ import annotations

import itertools

__all__ = ["NewTexts"]


class NewTexts:
    """Short queries or titles, all of one length and no two the same."""

    def __init__(self) -> None:
        self._numbers = itertools.count(10_000)

    def some(self, count: int) -> list[str]:
        """So many that were never handed out."""
        return [f"red dress {number}" for number in itertools.islice(self._numbers, count)]
