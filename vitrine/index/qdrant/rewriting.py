"""Changes of existing products: each replaces exactly the state that it was made from.

A change carries the `_seq` of the write that it read and happens only where the point still has it;
then it is read back, and made again from the newer state where another process was quicker.

Each copy of a shard looks at its own `_seq`. While the lead of a shard moves, as when a node comes
back, two nodes may for a moment both put writes in order, and two changes of one product may reach
the copies in different orders: then each happens on one copy only. So a change counts as made only
when all copies show it. Where they differ, every address is read, and the change is made again from
the newest state, in the place of all states that were read:

- Nothing that was acknowledged is lost. A state that all copies hold is the newest of those read,
  or it is not among them and its `_seq` keeps the change out: for a write is later than every state
  that it replaces (`_seq` is larger), and what a copy once held it never holds again.
- It comes to an end once one node leads: of the changes made from the same states the first one
  happens on all copies, and the others on none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from qdrant_client import models

from vitrine.errors import IndexUnavailable, NotFound
from vitrine.index.checks import check_product
from vitrine.index.ports import VersionInfo
from vitrine.index.qdrant import clock
from vitrine.index.qdrant.payload import (
    ID,
    SEQ,
    image_keys,
    image_keys_payload,
    point_id,
    product_of,
    product_payload,
)
from vitrine.index.qdrant.point import WORDS, Point, SparseRow
from vitrine.index.qdrant.points import Points
from vitrine.products import Product

__all__ = ["Rewriter", "WordsOf"]

WordsOf = Callable[[Product], tuple[dict[str, object], SparseRow | None]]
"""What payload and vectors hold of a product's words."""

_ATTEMPTS = 20
"""How often a change is made again because another process wrote the same product in between."""
_PAUSE_S = 0.05
"""Seconds before copies that differ are read again, times the tries before: a lead takes a while to
settle."""
_COPY_AWAY_S = 1.0
"""Seconds for which a copy that was away is not asked; no longer, for it may be coming back."""


@dataclass(frozen=True, slots=True)
class _Change:
    """A product's new fields and the writes that they replace."""

    product_id: str
    payload: dict[str, object]
    replaces: frozenset[int]
    words: SparseRow | None

    @property
    def seq(self) -> int:
        """The write that it is."""
        return int(str(self.payload[SEQ]))


class Rewriter:
    """Changes products of one version; safe to use from several threads."""

    def __init__(
        self, points: Points, info: VersionInfo, words_of: WordsOf, *, copies: int
    ) -> None:
        """`copies` is how many copies of each shard there are."""
        self._points = points
        self._info = info
        self._words_of = words_of
        self._copies = copies
        self._away_until = 0.0

    def rewrite(self, product_ids: Sequence[str], change: Callable[[Product], Product]) -> None:
        """Change products as they are now; `NotFound` names the unknown ids."""
        open_, differing = list(product_ids), set[str]()
        for attempt in range(_ATTEMPTS):
            if not open_:
                return
            time.sleep(_PAUSE_S * attempt if differing else 0)
            states = self._states(open_, differing)
            missing = [i for i in open_ if i not in states]
            if missing:
                raise NotFound(f"there is no product {', '.join(map(repr, missing[:10]))}")
            changes = [self._change(states[i], change) for i in open_]
            self._points.change(_operations(changes))
            open_, differing = self._lost(changes)
        if differing:
            raise IndexUnavailable(
                f"the copies of product {min(differing)!r} in Qdrant differ; name all nodes of the "
                "cluster in VITRINE_QDRANT_URL, and try again, or write the product as a whole"
            )
        raise IndexUnavailable(
            f"product {open_[0]!r} is being written by too many at once; try again"
        )

    def _states(self, product_ids: Sequence[str], differing: set[str]) -> dict[str, list[Point]]:
        """What is known of each product that exists: one state, or those of several copies."""
        alike = [i for i in product_ids if i not in differing]
        states = {i: [point] for i, point in self._points.get(alike).items()} if alike else {}
        if differing:
            for point in self._points.get_from_every_node(differing):
                states.setdefault(str(point.payload[ID]), []).append(point)
        return states

    def _change(self, states: Sequence[Point], change: Callable[[Product], Product]) -> _Change:
        replaces = frozenset(_seq(point) for point in states)
        newest = max(states, key=_seq)
        product = change(product_of(newest.payload, self._info.schema))
        check_product(product, self._info.schema)
        unchanged = image_keys_payload(image_keys(newest.payload), self._info)
        keys, words = self._words_of(product)
        seq = {SEQ: max(clock.now(), max(replaces) + 1)}
        payload = product_payload(product, self._info) | keys | unchanged | seq
        return _Change(product.id, payload, replaces, words)

    def _lost(self, changes: Iterable[_Change]) -> tuple[list[str], set[str]]:
        """The products whose change did not happen on all copies, and of these the ones on which
        the copies differ."""
        by_id = {c.product_id: c for c in changes}
        agreed = self._read_back(list(by_id))
        lost = [i for i, c in by_id.items() if agreed.get(i) != c.seq]
        # what copies hold differently is not there when all are asked, nor what has been deleted
        unclear = [i for i in lost if i not in agreed]
        present = self._points.get(unclear, payload=[SEQ]) if unclear else {}
        differing = {i for i in unclear if i in present}
        return [i for i in lost if i in agreed or i in differing], differing

    def _read_back(self, product_ids: Sequence[str]) -> Mapping[str, int]:
        """The `_seq` of each product, where all copies of its shard hold the same one.

        While a copy is away those that are there are asked, one of two, or two of three that agree.
        """
        levels = [models.ReadConsistencyType.ALL, models.ReadConsistencyType.QUORUM]
        levels = levels[: max(0, min(2, self._copies - 1))]
        if time.monotonic() < self._away_until:
            levels = levels[1:]
        for level in levels:
            try:
                return _seqs(self._points.get(product_ids, payload=[SEQ], consistency=level))
            except IndexUnavailable:
                self._away_until = time.monotonic() + _COPY_AWAY_S
        return _seqs(self._points.get(product_ids, payload=[SEQ]))


def _seq(point: Point) -> int:
    return int(point.payload[SEQ])


def _seqs(points: Mapping[str, Point]) -> dict[str, int]:
    return {i: _seq(point) for i, point in points.items()}


def _operations(changes: Sequence[_Change]) -> list[models.UpdateOperation]:
    """The payloads, then the words of those whose payload was replaced.

    A product that is written by another process in between keeps the words of that write.
    """
    operations: list[models.UpdateOperation] = [_operation(change) for change in changes]
    words = {c.product_id: c.words for c in changes if c.words is not None}
    if not words:
        return operations
    written = models.MatchAny(any=[change.seq for change in changes])
    update = models.UpdateVectors(
        points=[
            models.PointVectors(id=point_id(product_id), vector={WORDS: row.model()})
            for product_id, row in words.items()
        ],
        update_filter=models.Filter(must=[models.FieldCondition(key=SEQ, match=written)]),
    )
    return [*operations, models.UpdateVectorsOperation(update_vectors=update)]


def _operation(change: _Change) -> models.OverwritePayloadOperation:
    replaced = models.MatchAny(any=sorted(change.replaces))
    unchanged = models.Filter(
        must=[
            models.HasIdCondition(has_id=[point_id(change.product_id)]),
            models.FieldCondition(key=SEQ, match=replaced),
        ]
    )
    return models.OverwritePayloadOperation(
        overwrite_payload=models.SetPayload(payload=change.payload, filter=unchanged)
    )
