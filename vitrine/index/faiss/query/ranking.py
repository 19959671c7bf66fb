"""Rows of several segments with their scores, in one order, as arrays: a thousand candidates cost no thousand objects."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.columns.layout import ID, TITLE_ORDER
from vitrine.index.faiss.columns.ragged import Ints
from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.query.facets import Selection
from vitrine.index.faiss.query.ordering import Entry, Key
from vitrine.index.faiss.segment import Segment
from vitrine.index.faiss.vectors.exact import Scored
from vitrine.queries import Sort

__all__ = ["Ranking"]

_AT_ONCE = 64
"""Positions read from the arrays together."""


@dataclass(frozen=True, eq=False)
class Ranking:
    """Position i is row `rows[i]` of `segments[places[i]]` with `scores[i]`; three arrays (n,)."""

    segments: tuple[Segment, ...]
    places: Ints
    rows: Ints
    scores: NDArray[np.float64]

    @classmethod
    def of(cls, found: Sequence[tuple[Segment, Scored]]) -> Ranking:
        """The scored rows of each segment, in no order."""
        segments = tuple(segment for segment, _ in found)
        places = np.repeat(np.arange(len(found)), [len(scored.rows) for _, scored in found])
        rows = np.concatenate([scored.rows for _, scored in found] or [np.zeros(0, np.int64)])
        return cls(
            segments,
            places,
            rows.astype(np.int64),
            np.concatenate([scored.scores for _, scored in found] or [np.zeros(0)]),
        )

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, positions: Ints | Mask) -> Ranking:
        """These positions, in their order."""
        return Ranking(
            self.segments, self.places[positions], self.rows[positions], self.scores[positions]
        )

    def id(self, position: int) -> str:
        """The product id at a position."""
        segment = self.segments[int(self.places[position])]
        return segment.id(int(self.rows[position]))

    def by_score(self) -> Ranking:
        """Ordered by score descending, then id."""
        order = np.argsort(-self.scores, kind="stable")
        ordered = self.scores[order]
        if np.any(ordered[1:] == ordered[:-1]):
            order = np.lexsort((self._ids(), -self.scores))
        return self.take(order)

    def sorted(self, sort: Sort) -> Ranking:
        """Ordered by a field, then id."""
        if sort.field == "title":
            values = self._ranks(
                lambda segment, row: segment.ordered(TITLE_ORDER).texts[row],
                lambda s: s.ordered(TITLE_ORDER).ranks,
            )
            missing = np.zeros(len(self), np.bool_)
        else:
            name = str(sort.field)
            missing = ~self._gather(
                lambda segment, rows: segment.numbers(name).present[rows], np.bool_
            )
            values = self._gather(lambda segment, rows: segment.numbers(name).values[rows], None)
            values = np.where(missing, 0, values)
        return self.take(np.lexsort((self._ids(), -values if sort.descending else values, missing)))

    def collapsed(self, field: str) -> Ranking:
        """Without those that follow another one of their group."""
        if field == ID:
            return self
        groups = self._groups(field)
        firsts = np.unique(groups, return_index=True)[1]
        kept = groups < 0
        kept[firsts] = True
        return self.take(kept)

    def after(self, key: Key | None, sort: Sort) -> Iterator[Entry]:
        """The entries from the first one after a key."""
        start = (
            0
            if key is None
            else bisect_right(range(len(self)), key, key=lambda i: self._entry(i, sort).key)
        )
        for begin in range(start, len(self), _AT_ONCE):
            these = slice(begin, begin + _AT_ONCE)
            for place, row, score in zip(
                self.places[these].tolist(),
                self.rows[these].tolist(),
                self.scores[these].tolist(),
                strict=True,
            ):
                yield Entry(self.segments[place], row, score, sort)

    def selections(self) -> list[Selection]:
        """The rows by segment."""
        return [
            Selection(segment, self.rows[self.places == place])
            for place, segment in enumerate(self.segments)
        ]

    def _entry(self, position: int, sort: Sort) -> Entry:
        return Entry(
            self.segments[self.places[position]],
            int(self.rows[position]),
            self.scores[position].item(),
            sort,
        )

    def _ids(self) -> NDArray[Any]:
        return self._ranks(lambda segment, row: segment.id(row), lambda segment: segment.ids.ranks)

    def _ranks(
        self, text: Callable[[Segment, int], str], ranks: Callable[[Segment], NDArray[np.int32]]
    ) -> NDArray[Any]:
        """Numbers that order the positions as their texts do: a segment's own ranks, or those among several segments' texts."""
        used = np.unique(self.places)
        if len(used) <= 1:
            return ranks(self.segments[used[0]])[self.rows] if len(used) else np.zeros(0, np.int32)
        texts = [
            text(self.segments[p], r)
            for p, r in zip(self.places.tolist(), self.rows.tolist(), strict=True)
        ]
        rank = {t: i for i, t in enumerate(sorted(set(texts)))}
        return np.asarray([rank[t] for t in texts])

    def _gather(self, read: Callable[[Segment, Ints], NDArray[Any]], dtype: Any) -> NDArray[Any]:
        found: NDArray[Any] | None = None
        for place, segment in enumerate(self.segments):
            mine = self.places == place
            values = read(segment, self.rows[mine])
            found = np.zeros(len(self), values.dtype) if found is None else found
            found[mine] = values
        return np.zeros(0, dtype) if found is None else found

    def _groups(self, field: str) -> Ints:
        """A number for each group; each row without one has a negative number of its own."""
        numbers: dict[str, int] = {}
        found = -1 - np.arange(len(self))
        for place, segment in enumerate(self.segments):
            mine, column = np.flatnonzero(self.places == place), segment.keywords(field)
            codes = column.first_codes[self.rows[mine]]
            mine, codes = mine[codes >= 0], codes[codes >= 0]
            distinct, inverse = np.unique(codes, return_inverse=True)
            named = np.asarray(
                [numbers.setdefault(column.words[int(code)], len(numbers)) for code in distinct],
                np.int64,
            )
            found[mine] = named[inverse]
        return found
