"""Products in exactly our order, read from Qdrant page by page.

Qdrant orders by one number or time and breaks ties as it likes. An order such as "price descending,
then id" is here a list of levels: price, first piece of the id, second piece, and so on
(`sortable_text`). The walk over the levels:

1. Read a page ordered by the level's key, among the points that agree on all levels above it. 2.
Group it by the level's value. Qdrant returns a full prefix of the order, so every group but the
last is complete: nothing outside the page can have the same value. Such a group is sorted here by
the whole order and given out. 3. The last group may go on beyond the page. It is read again by the
next level, with its value as a condition ("price = 10 and ..."), which is the same walk one level
deeper. 4. Go on beyond the last value ("price > 10"), until a page is not full.

Every point is given out once: the groups of a level part the points by value, and step 4 begins
where step 3 ended. The order is right because the levels together are the whole order: two
different ids differ in a piece, or both are longer than all pieces together, and those few points
are read whole and sorted here. To go on after a place, the walk begins at the deepest level that
agrees with it. A page costs one request for each level on which products tie, however large the
catalogue.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from qdrant_client import models

from vitrine.errors import InvalidCursor
from vitrine.fields.schema import FieldType, Schema
from vitrine.index.qdrant.filters import empty, equal
from vitrine.index.qdrant.payload import ID, value_at, value_key
from vitrine.index.qdrant.sortable_text import depth, encode_prefixes, is_final
from vitrine.queries import Sort

__all__ = ["Key", "Order", "Place"]

Key = float | str | None
"""What products are ordered by before their id: the score or field; None comes last."""
Place = tuple[Key, str]
"""A product's place in an order: its key and its id."""
Payload = Mapping[str, Any]
Fetch = Callable[[list[models.Condition], models.OrderBy | None, int | None], list[Any]]
"""Reads the points that fulfill the conditions: the first n in that order, or all of them
(None)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _micros(when: datetime) -> int:
    return (when - _EPOCH) // timedelta(microseconds=1)


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
            times = {name: _EPOCH + timedelta(microseconds=int(v)) for name, v in bounds.items()}
            return models.FieldCondition(key=self.key, range=models.DatetimeRange(**times))
        return models.FieldCondition(key=self.key, range=models.Range(**bounds))

    def ordered(self) -> models.OrderBy:
        return models.OrderBy(
            key=self.key,
            direction=models.Direction.DESC if self.descending else models.Direction.ASC,
        )

    def value(self, payload: Payload) -> Any:
        value = value_at(payload, self.key)
        return _micros(datetime.fromisoformat(value)) if self.time else value


class Order:
    """An order of products by a field, or by id alone."""

    def __init__(self, sort: Sort, schema: Schema) -> None:
        self.descending = sort.descending and sort.field is not None
        self._field = None if sort.field is None or sort.field == ID else schema.get(sort.field)
        self._title = sort.field == "title"
        self._ids = [_Level(f"_id{i}", stem="_id") for i in range(depth("_id"))]

    @property
    def value_keys(self) -> list[str]:
        """Payload paths that `place` and `sorted` look at."""
        own = [] if self._field is None else [value_key(self._field)]
        return [ID, *own]

    def place(self, payload: Payload) -> Place:
        """Where a product stands."""
        return self._key(payload), payload[ID]

    def checked(self, place: Place) -> Place:
        """The place of a cursor; `InvalidCursor` when it is none of this order."""
        key = place[0]
        fits = (
            key is None
            if self._field is None
            else isinstance(key, str)
            if self._title
            else key is None or isinstance(key, int | float)
        )
        if not fits or (isinstance(key, float) and not math.isfinite(key)):
            raise InvalidCursor.of("cursor", "is damaged; leave it out for the first page")
        return place

    def sorted(self, payloads: Sequence[Any], payload: Callable[[Any], Payload]) -> list[Any]:
        """The points in this order, those without the field last."""
        by_id = sorted(payloads, key=lambda p: payload(p)[ID])
        with_key = [p for p in by_id if self._key(payload(p)) is not None]
        without = [p for p in by_id if self._key(payload(p)) is None]
        if self._field is None:
            return by_id

        def key(point: Any) -> Any:
            return self._key(payload(point))

        return sorted(with_key, key=key, reverse=self.descending) + without

    def stream(self, fetch: Fetch, after: Place | None, page: int) -> Iterator[Any]:
        """All points after a place, in order, read as they are needed, about `page` at a time."""
        if self._field is None:
            yield from self._walk(fetch, self._ids, [], after, page)
            return
        if after is None or after[0] is not None:
            yield from self._walk(fetch, self._levels(), [], after, page)
            after = None
        if not self._title:
            yield from self._walk(fetch, self._ids, [empty(value_key(self._field))], after, page)

    def _key(self, payload: Payload) -> Key:
        if self._field is None:
            return None
        if self._title:
            return str(payload["title"]).casefold()
        value = value_at(payload, value_key(self._field))
        return (
            None
            if value is None
            else _micros(datetime.fromisoformat(value))
            if self._field.type is FieldType.DATETIME
            else value
        )

    def _levels(self) -> list[_Level]:
        if self._field is None:
            return self._ids
        if self._title:
            return [
                _Level(f"_title{i}", self.descending, stem="_title") for i in range(depth("_title"))
            ] + self._ids
        time = self._field.type is FieldType.DATETIME
        return [_Level(value_key(self._field), self.descending, time=time), *self._ids]

    def _walk(
        self,
        fetch: Fetch,
        levels: list[_Level],
        fixed: list[models.Condition],
        after: Place | None,
        page: int,
    ) -> Iterator[Any]:
        """The points under the fixed conditions after the place, which fulfills them itself."""
        level, bound = levels[0], fixed
        if after is not None:
            value = self._value_at(level, after)
            yield from self._ties(fetch, levels, fixed, value, after, page)
            bound = [*fixed, level.beyond(value)]
        while True:
            points = fetch(bound, level.ordered(), page)
            groups = [
                (value, list(group))
                for value, group in groupby(points, key=lambda p: level.value(p.payload))
            ]
            full = len(points) >= page
            for _, group in groups[:-1] if full else groups:
                yield from self.sorted(group, lambda p: p.payload)
            if not full:
                return
            last, group = groups[-1]
            if level.stem == "_id" and is_final(last):
                yield from group  # ids are unique
            else:
                yield from self._ties(fetch, levels, fixed, last, None, page)
            bound = [*fixed, level.beyond(last)]

    def _ties(
        self,
        fetch: Fetch,
        levels: list[_Level],
        fixed: list[models.Condition],
        value: Any,
        after: Place | None,
        page: int,
    ) -> Iterator[Any]:
        """The points that share this level's value, by the next level.

        Where no level is left to tell them apart they are read all at once and sorted here.
        """
        level, deeper = levels[0], levels[1:]
        shared = [*fixed, level.same(value)]
        if level.stem is not None and is_final(
            value
        ):  # the whole text is shared: its further pieces do not exist
            deeper = [other for other in deeper if other.stem != level.stem]
            if not deeper and after is not None:
                return  # the place itself: ids are unique
        elif deeper and level.stem is not None and deeper[0].stem != level.stem:
            deeper = []  # texts that go on beyond their last piece
        if deeper:
            yield from self._walk(fetch, deeper, shared, after, page)
            return
        for point in self.sorted(fetch(shared, None, None), lambda p: p.payload):
            if after is None or self.follows(point.payload, after):
                yield point

    def follows(self, payload: Payload, after: Place) -> bool:
        """Whether a product comes after a place."""
        key, product_id = self.place(payload)
        if key == after[0]:
            return product_id > after[1]
        if key is None or after[0] is None:
            return key is None
        if self.descending:  # an order has keys of one type
            return key < after[0]  # type: ignore[operator]
        return key > after[0]  # type: ignore[operator]

    @staticmethod
    def _value_at(level: _Level, place: Place) -> Any:
        if level.stem is None:
            return place[0]
        text = place[1] if level.stem == "_id" else str(place[0])
        return encode_prefixes(text, depth(level.stem))[int(level.key.removeprefix(level.stem))]
