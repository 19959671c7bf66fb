"""Orders of products: by the keys of a sort, then by id."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vitrine.errors import InvalidCursor
from vitrine.fields.schema import Field, FieldType, Schema
from vitrine.folding import fold
from vitrine.index.qdrant.payload import ID, value_at, value_key
from vitrine.index.sort_values import Descending, microseconds
from vitrine.queries import Sort, SortValue

__all__ = ["Key", "Order", "Payload", "Place", "SortKey", "values_of"]

Key = float | str | None
"""What one key of an order orders products by: the score or a field; None comes last."""
Place = tuple[SortValue, str]
"""A product's place in an order: what it is ordered by, a tuple for several keys, and its id."""
Payload = Mapping[str, Any]
"""Keys of a point that were read."""


@dataclass(frozen=True, slots=True)
class SortKey:
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
        """What the key orders a product by; None where it has none."""
        if self.field is None:
            return score
        value = value_at(payload, value_key(self.field))
        if self.is_title:
            return self.title_form(str(value))
        if value is not None and self.field.type is FieldType.DATETIME:
            return microseconds(datetime.fromisoformat(value))
        return None if value is None else float(value)

    def rank(self, value: Key) -> tuple[bool, Any]:
        """Compares as the key orders: missing last, the score from high to low."""
        if value is None:
            return True, 0
        if isinstance(value, str):
            return False, Descending(value) if self.descending else value
        return False, -value if self.descending or self.field is None else value

    def fits(self, value: Key) -> bool:
        """Whether a cursor's value may be one of this key."""
        if self.is_title:
            return isinstance(value, str)
        if isinstance(value, float) and not math.isfinite(value):
            return False
        return value is None or isinstance(value, int | float)


class Order:
    """An order of products by the keys of a sort, then by id."""

    def __init__(self, sort: Sort, schema: Schema, *, titles: Callable[[str], str] = fold) -> None:
        """`titles` is the form by which the version's titles are ordered."""
        self.keys = [
            SortKey(None if key.field is None else schema.get(key.field), key.descending, titles)
            for key in sort.keys
        ]

    @property
    def by_score(self) -> bool:
        """Whether one of its keys is the score."""
        return any(key.field is None for key in self.keys)

    @property
    def value_keys(self) -> list[str]:
        """Payload paths that `place` and `sorted` look at."""
        return [ID, *(key.path for key in self.keys if key.path is not None)]

    def place(self, payload: Payload, score: float | None = None) -> Place:
        """Where a product stands; its score counts where one of the keys is relevance."""
        values = [key.value(payload, score) for key in self.keys]
        return values[0] if len(values) == 1 else tuple(values), payload[ID]

    def checked(self, place: Place) -> Place:
        """The place of a cursor; `InvalidCursor` when it is none of this order."""
        values = values_of(place)
        if len(values) != len(self.keys) or not all(
            key.fits(value) for key, value in zip(self.keys, values, strict=True)
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

    def _rank(self, place: Place) -> tuple[Any, ...]:
        parts = [
            part
            for key, value in zip(self.keys, values_of(place), strict=True)
            for part in key.rank(value)
        ]
        return (*parts, place[1])


def values_of(place: Place) -> tuple[Key, ...]:
    """What each key of the order has at a place."""
    return place[0] if isinstance(place[0], tuple) else (place[0],)
