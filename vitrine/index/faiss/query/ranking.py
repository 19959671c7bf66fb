"""Rows of several segments with their scores, in one order, as arrays: no object per candidate."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.columns.layout import ID, TITLE_ORDER
from vitrine.index.faiss.columns.ragged import Ints
from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.query.collapse import group_numbers
from vitrine.index.faiss.query.facets import SelectedRows
from vitrine.index.faiss.query.ordering import Entry, SortKey, directed
from vitrine.index.faiss.segment import Segment
from vitrine.index.faiss.vectors.exact import ScoredRows
from vitrine.queries import Sort

__all__ = ["Ranking"]

_AT_ONCE = 64
"""Positions read from the arrays together."""
_POSITION_BYTES = 32


@dataclass(frozen=True, eq=False)
class Ranking:
    """Position i is row `rows[i]` of `segments[places[i]]`, with score and picture; arrays (n,)."""

    segments: tuple[Segment, ...]
    places: Ints
    scored: ScoredRows

    @classmethod
    def of(cls, scored: Sequence[tuple[Segment, ScoredRows]]) -> Ranking:
        """The scored rows of each segment, in no order."""
        best = [rows for _, rows in scored]
        empty = ScoredRows(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64))
        return cls(
            tuple(segment for segment, _ in scored),
            np.repeat(np.arange(len(scored)), [len(rows.rows) for rows in best]),
            ScoredRows.concat([*best, empty]),
        )

    @property
    def rows(self) -> Ints:
        """The row of each position in its segment."""
        return self.scored.rows

    @property
    def scores(self) -> NDArray[np.float64]:
        """The score of each position."""
        return self.scored.scores

    def __len__(self) -> int:
        return len(self.rows)

    def nbytes(self) -> int:
        """Bytes of memory."""
        return _POSITION_BYTES * len(self) + 1000

    def take(self, positions: Ints | Mask) -> Ranking:
        """These positions, in their order."""
        return Ranking(self.segments, self.places[positions], self.scored.take(positions))

    def with_scores(self, scores: NDArray[np.float64]) -> Ranking:
        """The same positions with other scores (n,)."""
        return Ranking(self.segments, self.places, replace(self.scored, scores=scores))

    def id(self, position: int) -> str:
        """The product id at a position."""
        segment = self.segments[int(self.places[position])]
        return segment.id(int(self.rows[position]))

    def by_score(self) -> Ranking:
        """Ordered by score descending, then id."""
        return self.take(self._order([-self.scores]))

    def sorted(self, sort: Sort) -> Ranking:
        """Ordered by the keys of a sort, then id."""
        columns: list[NDArray[Any]] = []
        for key in sort.keys:
            columns += self._columns(key)
        return self.take(self._order(columns))

    def _order(self, columns: Sequence[NDArray[Any]]) -> Ints:
        """The positions by these columns, the one that counts most first, then by id.

        Ids are read only of what ties: those of all candidates cost more than the search.
        """
        keys = tuple(reversed(columns))
        order = np.argsort(keys[0]) if len(keys) == 1 else np.lexsort(keys)
        tied = np.ones(max(len(order) - 1, 0), np.bool_)
        for column in columns:
            values = column[order]
            tied &= values[1:] == values[:-1]
        several = np.flatnonzero(np.append(tied, False) | np.append(False, tied))
        if len(several) > 1:
            positions = order[several]
            ids = self.take(positions)._ranks(ID)
            order[several] = positions[np.lexsort((ids, *(key[positions] for key in keys)))]
        return order

    def _columns(self, key: Sort) -> Sequence[NDArray[Any]]:
        """What one key orders by, the column that counts most first."""
        if key.field is None:
            return (-self.scores,)
        if key.field == "title":
            return directed(self._ranks(TITLE_ORDER), None, key)
        columns = [segment.numbers(key.field) for segment in self.segments]
        present = self._gathered([column.present for column in columns]).astype(np.bool_)
        return directed(self._gathered([column.values for column in columns]), ~present, key)

    def collapsed(self, field: str) -> Ranking:
        """Without those that follow another one of their group."""
        if field == ID:
            return self
        groups = self._groups(field)
        remaining = groups < 0
        remaining[np.unique(groups, return_index=True)[1]] = True
        return self.take(remaining)

    def after(self, key: SortKey | None, sort: Sort) -> Iterator[Entry]:
        """The entries from the first one after a key."""
        start = 0
        if key is not None:
            positions = range(len(self))
            start = bisect_right(positions, key, key=lambda i: self._entry(i, sort).key)
        for begin in range(start, len(self), _AT_ONCE):
            some = slice(begin, begin + _AT_ONCE)
            for place, row, score, image in zip(
                self.places[some].tolist(),
                self.rows[some].tolist(),
                self.scores[some].tolist(),
                self.scored.images[some].tolist(),
                strict=True,
            ):
                yield Entry(self.segments[place], row, sort, score, image)

    def selections(self) -> list[SelectedRows]:
        """The rows by segment."""
        return self._by_segment(None)

    def grouped_selections(self, field: str) -> list[SelectedRows]:
        """The rows by segment, with the groups that a facet under `collapse` counts."""
        return self._by_segment(self._groups(field))

    def _by_segment(self, groups: Ints | None) -> list[SelectedRows]:
        selections = []
        for place, segment in enumerate(self.segments):
            inside = self.places == place
            own = None if groups is None else groups[inside]
            selections.append(SelectedRows(segment, self.rows[inside], own))
        return selections

    def _entry(self, position: int, sort: Sort) -> Entry:
        segment = self.segments[self.places[position]]
        return Entry(segment, int(self.rows[position]), sort, self.scores[position].item())

    def _ranks(self, column: str) -> NDArray[Any]:
        """Numbers that order the positions as their texts do.

        Those of the one segment that they are in, else those among the texts themselves.
        """
        used = np.unique(self.places)
        if not len(used):
            return np.zeros(0, np.int32)
        if len(used) == 1:
            ranks: NDArray[Any] = self.segments[used[0]].ordered(column).ranks[self.rows]
            return ranks
        texts = [
            self.segments[place].ordered(column).texts[row]
            for place, row in zip(self.places.tolist(), self.rows.tolist(), strict=True)
        ]
        rank = {text: i for i, text in enumerate(sorted(set(texts)))}
        return np.asarray([rank[text] for text in texts])

    def _gathered(self, columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """The value of each position, from a column of each segment."""
        gathered = np.zeros(len(self), columns[0].dtype if columns else np.float64)
        for place, column in enumerate(columns):
            inside = self.places == place
            gathered[inside] = column[self.rows[inside]]
        return gathered

    def _groups(self, field: str) -> Ints:
        """A number for each group; each row without one has a negative number of its own."""
        groups = np.zeros(len(self), np.int64)
        insides = [np.flatnonzero(self.places == place) for place in range(len(self.segments))]
        rows = [self.rows[inside] for inside in insides]
        for inside, own in zip(insides, group_numbers(self.segments, rows, field), strict=True):
            groups[inside] = own
        return groups
