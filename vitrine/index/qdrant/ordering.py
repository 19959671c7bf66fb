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

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import total_ordering
from itertools import groupby
from typing import Any

from qdrant_client import models

from vitrine.errors import InvalidCursor
from vitrine.fields.schema import Field, FieldType, Schema
from vitrine.folding import fold
from vitrine.index.qdrant.filters import empty, equal
from vitrine.index.qdrant.payload import ID, value_at, value_key
from vitrine.index.qdrant.sortable_text import depth, encode_prefixes, is_final
from vitrine.queries import RELEVANCE, Sort, SortValue

__all__ = ["ID_LEVELS", "Key", "Order", "Place", "by_id"]

Key = float | str | None
"""What one key of an order orders products by: the score or a field; None comes last."""
Place = tuple[SortValue, str]
"""A product's place in an order: what it is ordered by, a tuple for several keys, and its id."""
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


@total_ordering
@dataclass(frozen=True, slots=True)
class _Descending:
    text: str

    def __lt__(self, other: _Descending) -> bool:
        return other.text < self.text


@dataclass(frozen=True, slots=True)
class _SortKey:
    """One key of an order: a field, or the score (`field` is None)."""

    field: Field | None
    descending: bool
    title_form: Callable[[str], str]

    @property
    def path(self) -> str | None:
        """Payload path that it looks at."""
        return None if self.field is None else value_key(self.field)

    @property
    def is_title(self) -> bool:
        """Whether it orders by text; every product has a title."""
        return self.field is not None and self.field.name == "title"

    def value(self, payload: Payload, score: float | None) -> Key:
        if self.field is None:
            return score
        value = value_at(payload, value_key(self.field))
        if self.is_title:
            return self.title_form(str(value))
        if value is not None and self.field.type is FieldType.DATETIME:
            return _micros(datetime.fromisoformat(value))
        return None if value is None else float(value)

    def rank(self, value: Key) -> tuple[bool, Any]:
        """Compares as the key orders: missing last, the score from high to low."""
        if value is None:
            return True, 0
        if isinstance(value, str):
            return False, _Descending(value) if self.descending else value
        return False, -value if self.descending or self.field is None else value

    def fits(self, value: Key) -> bool:
        """Whether a cursor's value may be one of this key."""
        if self.is_title:
            return isinstance(value, str)
        if isinstance(value, float) and not math.isfinite(value):
            return False
        return value is None or isinstance(value, int | float)

    def levels(self) -> list[_Level]:
        if self.is_title:
            return [
                _Level(f"_title{i}", self.descending, stem="_title") for i in range(depth("_title"))
            ]
        time = self.field is not None and self.field.type is FieldType.DATETIME
        return [_Level(str(self.path), self.descending, time=time)]


_IDS = [_Level(f"_id{i}", stem="_id") for i in range(depth("_id"))]
ID_LEVELS = [level.ordered() for level in _IDS]
"""The orders by the pieces of ids, in which a walk by id reads."""


def by_id(fetch: Fetch, page: int) -> Iterator[Any]:
    """All points by the ids of their products, read as they are needed, about `page` at a time."""
    return Order(RELEVANCE, Schema(())).stream(fetch, None, page)


class Order:
    """An order of products by the keys of a sort, then by id."""

    def __init__(self, sort: Sort, schema: Schema, *, titles: Callable[[str], str] = fold) -> None:
        """`titles` is the form by which the version's titles are ordered."""
        self._keys = [
            _SortKey(None if key.field is None else schema.get(key.field), key.descending, titles)
            for key in sort.keys
        ]

    @property
    def by_score(self) -> bool:
        """Whether one of its keys is the score."""
        return any(key.field is None for key in self._keys)

    @property
    def value_keys(self) -> list[str]:
        """Payload paths that `place` and `sorted` look at."""
        return [ID, *(key.path for key in self._keys if key.path is not None)]

    def place(self, payload: Payload, score: float | None = None) -> Place:
        """Where a product stands; its score counts where one of the keys is relevance."""
        values = [key.value(payload, score) for key in self._keys]
        return values[0] if len(values) == 1 else tuple(values), payload[ID]

    def checked(self, place: Place) -> Place:
        """The place of a cursor; `InvalidCursor` when it is none of this order."""
        values = _values(place)
        if len(values) != len(self._keys) or not all(
            key.fits(value) for key, value in zip(self._keys, values, strict=True)
        ):
            raise InvalidCursor.of("cursor", "is damaged; leave it out for the first page")
        return place

    def sorted(
        self,
        items: Sequence[Any],
        payload: Callable[[Any], Payload],
        score: Callable[[Any], float | None] = lambda _: None,
    ) -> list[Any]:
        """The points in this order."""
        return sorted(items, key=lambda item: self._rank(self.place(payload(item), score(item))))

    def follows(self, payload: Payload, place: Place, score: float | None = None) -> bool:
        """Whether a product comes after a place."""
        return self._rank(self.place(payload, score)) > self._rank(place)

    def stream(self, fetch: Fetch, after: Place | None, page: int) -> Iterator[Any]:
        """All points after a place, in order, read as they are needed, about `page` at a time.

        Nothing has a score here: a key of relevance orders nothing.
        """
        yield from _Walk(self, fetch, page, self._keys).by_key(0, [], after)

    def _rank(self, place: Place) -> tuple[Any, ...]:
        parts = [
            part
            for key, value in zip(self._keys, _values(place), strict=True)
            for part in key.rank(value)
        ]
        return (*parts, place[1])


def _values(place: Place) -> tuple[Key, ...]:
    return place[0] if isinstance(place[0], tuple) else (place[0],)


@dataclass(frozen=True, slots=True)
class _Walk:
    """Reads the points of an order; `after` is the place where it goes on, None from the start."""

    order: Order
    fetch: Fetch
    page: int
    keys: Sequence[_SortKey]

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
        value = None if after is None else _values(after)[number]
        if key.field.type is FieldType.BOOL:
            yield from self._by_truth(number, fixed, after)
        elif after is None or value is not None:
            yield from self._by_level(number, key.levels(), fixed, after)
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
                mine, last = key.rank(float(truth)), key.rank(_values(after)[number])
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
            return _values(place)[number]
        text = place[1] if level.stem == "_id" else str(_values(place)[number])
        return encode_prefixes(text, depth(level.stem))[int(level.key.removeprefix(level.stem))]
