"""Columns of a mapping: where each field comes from, and how its values are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from vitrine.fields.currencies import currency_code
from vitrine.fields.numbers import DecimalMark
from vitrine.fields.paths import value_at
from vitrine.fields.scalars import is_empty
from vitrine.fields.source_table import Names, Strict, Text

__all__ = ["AttributeColumn", "Column", "ColumnLike", "ImagesTable", "ProductColumns", "label_of"]


class Column(Strict):
    """How one field is read: `names` are its columns, of which the first with a value counts."""

    names: Annotated[Names, Field(alias="from")]
    label: Text | None = None
    """What people call the field; None: its name says it."""
    optional: bool = False
    split: Text | None = None
    values: dict[str, str | bool | int | float] = Field(default_factory=dict)
    html: bool | None = None
    factor: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    decimal_mark: DecimalMark | None = None
    on_error: Literal["empty", "refuse"] | None = None

    def raw(self, values: Mapping[str, Any]) -> Any:
        """The first value that is there, None where none is; one that means "" is not there.

        An empty cell is there where `values` say what "" means.
        """
        translations = self._translations
        for name in self.names:
            value = value_at(values, name)
            if not is_empty(value):
                if not self._means_nothing(value):
                    return value
            elif name in values and "" in translations:
                return translations[""]
        return None

    def _means_nothing(self, value: Any) -> bool:
        return bool(self._translations) and self._translations.get(_folded(value)) == ""

    @cached_property
    def _translations(self) -> dict[str, str | bool | int | float]:
        return {_folded(key): value for key, value in self.values.items()}

    def raw_values(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """The values of all columns that are there, in their order; those that mean "" are not."""
        parts = (value_at(values, name) for name in self.names)
        return tuple(p for p in parts if not (is_empty(p) or self._means_nothing(p)))

    @model_serializer(mode="wrap")
    def _plain(self, handler: SerializerFunctionWrapHandler) -> Any:
        """The column as short as a mapping file writes it."""
        stored: dict[str, Any] = handler(self)
        names = self.names[0] if len(self.names) == 1 else list(self.names)
        options = {
            key: value
            for key, value in stored.items()
            if key not in ("from", "names")
            and value != type(self).model_fields[key].get_default(call_default_factory=True)
        }
        return {"from": names, **options} if options else names


def _folded(value: Any) -> str:
    return str(value).strip().casefold() if isinstance(value, str | int | float) else ""


def _tabled(value: Any) -> Any:
    """A column's name or a list of names as the table that says the same."""
    if isinstance(value, str | list | tuple):
        return {"from": value}
    if isinstance(value, dict | Column):
        return value
    raise ValueError("must be the name of a column, a list of names, or a table with from")


ColumnLike: TypeAlias = Annotated[Column, BeforeValidator(_tabled)]


class AttributeColumn(Column):
    """A table [fields.NAME]: a further field."""

    type: Literal["keyword", "number", "money", "bool", "datetime", "text"]
    understand: bool = False
    """Whether the search box understands the field's values in a query."""
    embed: bool = False
    """Whether the field's values are part of the text that the model embeds of a product."""

    @model_validator(mode="after")
    def _embeds_words(self) -> Self:
        if self.embed and self.type not in ("keyword", "text"):
            raise ValueError("embed is for fields of type keyword or text")
        return self


class ProductColumns(Strict):
    """The table [product]: the built-in fields and their columns."""

    id: ColumnLike
    title: ColumnLike
    images: ColumnLike
    price: ColumnLike | None = None
    compare_at_price: ColumnLike | None = None
    currency: Annotated[str, AfterValidator(currency_code)] | None = None
    currency_from: ColumnLike | None = None
    decimal_mark: DecimalMark | None = None
    url: ColumnLike | None = None
    color: ColumnLike | None = None
    category: ColumnLike | None = None
    description: ColumnLike | None = None
    brand: ColumnLike | None = None
    in_stock: ColumnLike | None = None
    group_id: ColumnLike | None = None
    codes: ColumnLike | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_image_key(cls, table: Any) -> Any:
        """`image = "photo"` is the same as `images = "photo"`."""
        if isinstance(table, Mapping) and "image" in table and "images" not in table:
            return {("images" if key == "image" else key): v for key, v in table.items()}
        return table

    def columns(self) -> Iterator[tuple[str, Column]]:
        """Field name and column of every mapped built-in field but the pictures."""
        for name in type(self).model_fields:
            column = self.currency_from if name == "currency" else getattr(self, name)
            if isinstance(column, Column) and name not in ("images", "currency_from"):
                yield name, column


def label_of(field: str, mapping: Mapping[str, Any]) -> str | None:
    """What a mapping, as it is stored with a version, calls a field; None where it says nothing."""
    for table in ("product", "fields"):
        column = mapping.get(table, {}).get(field)
        if isinstance(column, Mapping) and "label" in column:
            return str(column["label"])
    return None


class ImagesTable(Strict):
    """The table [images]: where pictures named by the catalogue are, and how they are asked for."""

    base: Text | None = None
    user_agent: Text | None = None
    max: Annotated[int, Field(ge=1, le=100)] = 8
