"""Which products of a sample have a value."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["Membership"]


class Membership:
    """The products (n,) by each of their values: terms, colors, categories."""

    def __init__(self, values: Sequence[Iterable[str]]) -> None:
        self._size = len(values)
        rows: defaultdict[str, list[int]] = defaultdict(list)
        for row, named in enumerate(values):
            for value in set(named):
                rows[value].append(row)
        self._rows = {value: np.array(of_it, dtype=np.int64) for value, of_it in rows.items()}

    def any_of(self, values: Iterable[str]) -> NDArray[np.bool_]:
        """The products that have one of the values, bool (n,)."""
        having = np.zeros(self._size, dtype=bool)
        for value in values:
            if value in self._rows:
                having[self._rows[value]] = True
        return having

    def all_of(self, choices: Iterable[Iterable[str]]) -> NDArray[np.bool_]:
        """The products that have one value of every choice, bool (n,)."""
        having = np.ones(self._size, dtype=bool)
        for choice in choices:
            having &= self.any_of(choice)
        return having
