"""The fields of a catalogue and what each may be used for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from vitrine.errors import InvalidInput

__all__ = ["BUILT_IN_FIELDS", "Field", "FieldType", "Schema"]


class FieldType(StrEnum):
    """What a field holds, which decides how it filters, facets and sorts."""

    KEYWORD = "keyword"
    """One or several exact words; filters by equality, facets by value."""
    COLOR = "color"
    """Color words; filters by family or by the color as written, facets by family."""
    PATH = "path"
    """Categories such as Men/Tops/Jackets; a filter on Men/Tops matches, facets count prefixes."""
    NUMBER = "number"
    MONEY = "money"
    """An amount, compared as a number."""
    BOOL = "bool"
    DATETIME = "datetime"
    """A point in time, UTC."""
    TEXT = "text"
    """Prose; matches when it contains every word asked for, whatever the case."""

    @property
    def numeric(self) -> bool:
        """Whether ranges, histograms and sorting apply as to numbers."""
        return self in (FieldType.NUMBER, FieldType.MONEY)

    @property
    def ranged(self) -> bool:
        """Whether gt, gte, lt and lte apply."""
        return self.numeric or self is FieldType.DATETIME

    @property
    def multiple(self) -> bool:
        """Whether a product may have several values."""
        return self in (FieldType.KEYWORD, FieldType.COLOR, FieldType.PATH)

    @property
    def facets(self) -> bool:
        """Whether the field can be counted by value or drawn as a histogram."""
        return self.multiple or self.numeric or self is FieldType.BOOL


@dataclass(frozen=True, slots=True)
class Field:
    """One named field of a catalogue."""

    name: str
    type: FieldType

    def __hash__(self) -> int:
        """By the name, which is quicker: rows are read by field."""
        return hash(self.name)

    @property
    def facet(self) -> bool:
        """Whether it is worth counting: identifiers are not."""
        return self.type.facets and self.name not in ("id", "group_id", "codes")

    @property
    def sortable(self) -> bool:
        """Whether products can be ordered by it: numbers, money, times, truths, and the title."""
        return self.type.ranged or self.type is FieldType.BOOL or self.name == "title"


BUILT_IN_FIELDS: Mapping[str, FieldType] = {
    "id": FieldType.KEYWORD,
    "title": FieldType.TEXT,
    "price": FieldType.MONEY,
    "compare_at_price": FieldType.MONEY,
    "currency": FieldType.KEYWORD,
    "url": FieldType.TEXT,
    "color": FieldType.COLOR,
    "category": FieldType.PATH,
    "description": FieldType.TEXT,
    "brand": FieldType.KEYWORD,
    "in_stock": FieldType.BOOL,
    "group_id": FieldType.KEYWORD,
    "codes": FieldType.KEYWORD,
}


@dataclass(frozen=True)
class Schema:
    """The fields that one catalogue has, in the order of its mapping."""

    fields: tuple[Field, ...]

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    def __contains__(self, name: object) -> bool:
        return any(f.name == name for f in self.fields)

    def get(self, name: str) -> Field | None:
        """The field of that name, or None."""
        return next((f for f in self.fields if f.name == name), None)

    def require(self, name: str, *, wrong: type[InvalidInput], where: str | None = None) -> Field:
        """The field of that name; otherwise `wrong` naming the fields there are."""
        field = self.get(name)
        if field is None:
            raise wrong.of(
                where or name, f"there is no field {name!r}; the catalogue has {self.names()}"
            )
        return field

    def names(self) -> str:
        """All field names, for a message."""
        return ", ".join(f.name for f in self.fields)

    @property
    def facets(self) -> tuple[str, ...]:
        """Names of the fields that can be counted."""
        return tuple(f.name for f in self.fields if f.facet)

    @property
    def sorts(self) -> tuple[str, ...]:
        """Names of the fields that can order products."""
        return tuple(f.name for f in self.fields if f.sortable)

    def to_dict(self) -> dict[str, str]:
        """Name -> type, as it is stored with an index version."""
        return {f.name: f.type.value for f in self.fields}

    @classmethod
    def from_dict(cls, stored: Mapping[str, str]) -> Schema:
        """The schema that `to_dict` stored."""
        return cls(tuple(Field(name, FieldType(kind)) for name, kind in stored.items()))
