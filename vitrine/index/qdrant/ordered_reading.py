"""Products in exactly our order, read from Qdrant page by page.

Qdrant orders by one number or time and breaks ties as it likes. An order such as "price descending,
then id" is here a list of levels: price, first piece of the id, second piece, and so on
(`sortable_text`). The walk over the levels:

1. Read a page ordered by the level's key, among the points that agree on all levels above it.
2. Group it by the level's value. Qdrant returns a full prefix of the order, so every group but the
   last is complete: nothing outside the page can have the same value. Such a group is sorted here
   by the whole order and given out.
3. The last group may go on beyond the page. It is read again by the next level, with its value as a
   condition ("price = 10 and ..."), which is the same walk one level deeper.
4. Go on beyond the last value ("price > 10"), until a page is not full.

Where the order has several keys, the levels of the next one follow those of the one before. Points
without a value have no place in Qdrant's order of it: they are a walk of their own at the end, by
the next key, with "has no price" as a condition. Of truths, which Qdrant does not order by, there
is a walk for each.

Every point is given out once: the groups of a level part the points by value, and step 4 begins
where step 3 ended. The order is right because the levels together are the whole order: two
different ids differ in a piece, or both are longer than all pieces together, and those few points
are read whole and sorted here. To go on after a place, the walk begins at the deepest level that
agrees with it. A page costs one request for each level on which products tie, however large the
catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from qdrant_client import models

from vitrine.fields.schema import FieldType, Schema
from vitrine.index.qdrant.filters import empty, equal
from vitrine.index.qdrant.ordering import (
    Order,
    Payload,
    Place,
    SortKey,
    values_of,
)
from vitrine.index.qdrant.payload import value_at
from vitrine.index.qdrant.sortable_text import depth, encode_prefixes, is_final
from vitrine.index.sort_values import EPOCH, microseconds
from vitrine.queries import RELEVANCE

__all__ = ["ID_LEVELS", "Fetch", "by_id", "in_order"]

Fetch = Callable[[list[models.Condition], models.OrderBy | None, int | None], list[Any]]
"""Reads the points that fulfill the conditions: the first n in that order, or all of them
(None)."""


@dataclass(frozen=True, slots=True)
class _Level:
    """One number or time to order by."""

    key: str
    descending: bool = False
    time: bool = False
    stem: str | None = None
    """Of which text this is a piece, None for a value of its own."""

    def same(self, value: Any) -> models.Condition:
        if self.stem is not None:
            return equal(self.key, value)
        return self._range(gte=value, lte=value)

    def beyond(self, value: Any) -> models.Condition:
        return self._range(lt=value) if self.descending else self._range(gt=value)

    def _range(self, **bounds: Any) -> models.Condition:
        if self.time:
            times = {name: EPOCH + timedelta(microseconds=int(v)) for name, v in bounds.items()}
            return models.FieldCondition(key=self.key, range=models.DatetimeRange(**times))
        return models.FieldCondition(key=self.key, range=models.Range(**bounds))

    def ordered(self) -> models.OrderBy:
        return models.OrderBy(
            key=self.key,
            direction=models.Direction.DESC if self.descending else models.Direction.ASC,
        )

    def value(self, payload: Payload) -> Any:
        value = value_at(payload, self.key)
        return microseconds(datetime.fromisoformat(value)) if self.time else value


_IDS = [_Level(f"_id{i}", stem="_id") for i in range(depth("_id"))]
ID_LEVELS = [level.ordered() for level in _IDS]
"""The orders by the pieces of ids, in which a walk by id reads."""


def by_id(fetch: Fetch, page: int) -> Iterator[Any]:
    """All points by the ids of their products, read as they are needed, about `page` at a time."""
    return in_order(Order(RELEVANCE, Schema(())), fetch, None, page)


def in_order(order: Order, fetch: Fetch, after: Place | None, page: int) -> Iterator[Any]:
    """All points after a place, in order, read as they are needed, about `page` at a time.

    Nothing has a score here: a key of relevance orders nothing.
    """
    yield from _Walk(order, fetch, page, order.keys).by_key(0, [], after)


def _levels(key: SortKey) -> list[_Level]:
    """The levels of one key: a title has one for each piece of its text."""
    if key.is_title:
        return [_Level(f"_title{i}", key.descending, stem="_title") for i in range(depth("_title"))]
    time = key.field is not None and key.field.type is FieldType.DATETIME
    return [_Level(str(key.path), key.descending, time=time)]


@dataclass(frozen=True, slots=True)
class _Walk:
    """Reads the points of an order; `after` is the place where it goes on, None from the start."""

    order: Order
    fetch: Fetch
    page: int
    keys: Sequence[SortKey]

    def by_key(
        self, number: int, fixed: list[models.Condition], after: Place | None
    ) -> Iterator[Any]:
        """The points under the fixed conditions by the keys from this one on, then by id."""
        if number == len(self.keys):
            yield from self._by_level(number, _IDS, fixed, after)
            return
        key = self.keys[number]
        if key.field is None:
            yield from self.by_key(number + 1, fixed, after)
            return
        value = None if after is None else values_of(after)[number]
        if key.field.type is FieldType.BOOL:
            yield from self._by_truth(number, fixed, after)
        elif after is None or value is not None:
            yield from self._by_level(number, _levels(key), fixed, after)
        if not key.is_title:
            without = [*fixed, empty(str(key.path))]
            yield from self.by_key(number + 1, without, after if value is None else None)

    def _by_truth(
        self, number: int, fixed: list[models.Condition], after: Place | None
    ) -> Iterator[Any]:
        key = self.keys[number]
        for truth in (True, False) if key.descending else (False, True):
            beyond = after
            if after is not None:
                mine, last = key.rank(float(truth)), key.rank(values_of(after)[number])
                if mine < last:
                    continue
                beyond = after if mine == last else None
            yield from self.by_key(number + 1, [*fixed, equal(str(key.path), truth)], beyond)

    def _by_level(
        self,
        number: int,
        levels: list[_Level],
        fixed: list[models.Condition],
        after: Place | None,
    ) -> Iterator[Any]:
        """The points under the fixed conditions after the place, which fulfills them itself."""
        level, bound = levels[0], fixed
        if after is not None:
            value = self._value_at(number, level, after)
            yield from self._ties(number, levels, fixed, value, after)
            bound = [*fixed, level.beyond(value)]
        while True:
            points = self.fetch(bound, level.ordered(), self.page)
            groups = [
                (value, list(group))
                for value, group in groupby(points, key=lambda p: level.value(p.payload))
            ]
            full = len(points) >= self.page
            for _, group in groups[:-1] if full else groups:
                yield from self.order.sorted(group, lambda p: p.payload)
            if not full:
                return
            last, group = groups[-1]
            if level.stem == "_id" and is_final(last):
                yield from group  # ids are unique
            else:
                yield from self._ties(number, levels, fixed, last, None)
            bound = [*fixed, level.beyond(last)]

    def _ties(
        self,
        number: int,
        levels: list[_Level],
        fixed: list[models.Condition],
        value: Any,
        after: Place | None,
    ) -> Iterator[Any]:
        """The points that share this level's value, by the next level, or the next key.

        Where no level is left to tell them apart they are read all at once and sorted here.
        """
        level, deeper = levels[0], levels[1:]
        shared = [*fixed, level.same(value)]
        whole = level.stem is None or is_final(value)  # else the text goes on
        if whole and level.stem != "_id":
            yield from self.by_key(number + 1, shared, after)
            return
        if whole and after is not None:
            return  # the place itself: ids are unique
        if deeper and not whole:
            yield from self._by_level(number, deeper, shared, after)
            return
        for point in self.order.sorted(self.fetch(shared, None, None), lambda p: p.payload):
            if after is None or self.order.follows(point.payload, after):
                yield point

    @staticmethod
    def _value_at(number: int, level: _Level, place: Place) -> Any:
        if level.stem is None:
            return values_of(place)[number]
        text = place[1] if level.stem == "_id" else str(values_of(place)[number])
        return encode_prefixes(text, depth(level.stem))[int(level.key.removeprefix(level.stem))]
