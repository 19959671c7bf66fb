"""The mapping file: which column of a source becomes which field of a product."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator
from collections.abc import Mapping as MappingABC
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, ValidationError
from pydantic import Field as Key

from vitrine.errors import FieldError, InvalidMapping
from vitrine.fields.built_in import built_in_mappings, built_in_text
from vitrine.fields.colors import ColorWords
from vitrine.fields.columns import AttributeColumn, Column, ImagesTable, ProductColumns
from vitrine.fields.mapping_faults import ROW_NUMBER, fault_of
from vitrine.fields.paths import head
from vitrine.fields.reading import FieldReader, FieldRule, FieldWarning
from vitrine.fields.schema import BUILT_IN_FIELDS, Field, FieldType, Schema
from vitrine.fields.source_table import Names, SourceTable, Strict
from vitrine.fields.validity import valid_now
from vitrine.products import Product

__all__ = ["ROW_NUMBER", "AttributeColumn", "MappedRow", "Mapping", "ProductColumns"]

_IN_QUERIES = """
    not or and q text image like unlike weights filter facets sort limit cursor candidates min_score
    collapse explain colors
"""
_DERIVED = ("@pairs", "@group", "@variant")
"""Columns that reading through a mapping adds to a row."""
RESERVED = frozenset(_IN_QUERIES.split())
"""Names that mean something else in queries and answers."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class MappedRow:
    """What a row of a source becomes: a product, its pictures as the source names them, remarks.

    `warnings` tell of values that could not be read and were left empty, or look wrong.
    """

    product: Product
    images: tuple[Any, ...]
    warnings: tuple[FieldWarning, ...] = ()


def _language(code: str) -> str:
    if re.fullmatch("[a-z]{2}", code) is None:
        raise ValueError(f"{code!r} is not a two-letter code such as en, de or ja")
    return code


class Mapping(Strict):
    """A catalogue's mapping; it travels with the index version it was used for."""

    product: ProductColumns
    source: SourceTable = SourceTable()
    fields: dict[str, AttributeColumn] = Key(default_factory=dict)
    images: ImagesTable = ImagesTable()
    colors: dict[str, Names] = Key(default_factory=dict)
    language: Annotated[str, AfterValidator(_language)] | None = None
    """Of the texts; None: nothing is said, and words are read as English."""

    @classmethod
    def load(cls, name_or_path: str | Path) -> Mapping:
        """Read a TOML file, or the built-in mapping of that name.

        `InvalidMapping` says what is wrong with it.
        """
        name = str(name_or_path)
        try:
            text = built_in_text(name) or Path(name_or_path).read_text(encoding="utf-8")
            return cls.from_dict(tomllib.loads(text))
        except (OSError, UnicodeDecodeError) as error:
            known = ", ".join(built_in_mappings())
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise InvalidMapping.of(
                "",
                f"the mapping {name!r} cannot be read ({reason}); "
                f"give a TOML file, or one of: {known}",
            ) from None
        except tomllib.TOMLDecodeError as error:
            raise InvalidMapping.of("", f"{name} is not valid TOML: {error}") from None

    @classmethod
    def from_dict(cls, stored: MappingABC[str, Any]) -> Mapping:
        """The mapping of plain values, as `to_dict` gives them and TOML holds them."""
        try:
            mapping = cls.model_validate(stored)
        except ValidationError as error:
            raise InvalidMapping([fault_of(dict(e)) for e in error.errors()]) from None
        faults = list(mapping._clashes())
        if faults:
            raise InvalidMapping(faults)
        return mapping

    def to_dict(self) -> dict[str, Any]:
        """Plain values that JSON and TOML can hold; what is not said is left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)

    def __getstate__(self) -> dict[Any, Any]:
        """For pickle: the keys of the mapping, without what reading made of them."""
        state = super().__getstate__()
        keys = type(self).model_fields.keys()
        return {**state, "__dict__": {key: state["__dict__"][key] for key in keys}}

    def schema(self) -> Schema:  # type: ignore[override]  # pydantic's deprecated method
        """The fields that products of this mapping have; a mapped price brings its currency."""
        names = [name for name, _ in self.product.columns()]
        if "price" in names and "currency" not in names:
            names.insert(names.index("price") + 1, "currency")
        built_in = tuple(Field(name, BUILT_IN_FIELDS[name]) for name in BUILT_IN_FIELDS)
        return Schema(
            tuple(field for field in built_in if field.name in names)
            + tuple(Field(name, FieldType(column.type)) for name, column in self.fields.items())
        )

    def columns(self) -> dict[str, str]:
        """Key of the mapping -> column of the source, for every column that must be there.

        Of a path it is the column that it begins in. Columns that may be absent are not named.
        """
        required = self._named() if self.source.optional else self._required()
        if self.source.optional:
            required = {key: required[key] for key in ("product.id", "product.title")}
        return {
            key: head(names[0]) if set(names[0]) & set(".[") else names[0]
            for key, names in required.items()
            if len(names) == 1 and names[0] != ROW_NUMBER
        }

    def heads(self) -> tuple[str, ...]:
        """All columns that the mapping names anywhere, as the source would call them."""
        names = [name for named in self._named().values() for name in named if name != ROW_NUMBER]
        source = self.source
        names += [*source.where, *source.shown, *source.begins, *source.pictures]
        names += [*(source.group_by or ()), *([source.prices_of] if source.prices_of else ())]
        names += [name for pair in self.source.pairs.items() for name in pair]
        names += [name for times in self.source.valid.values() for name in times]
        return tuple(dict.fromkeys([*names, *map(head, names)]))

    def own_columns(self) -> frozenset[str]:
        """Columns that a variant does not take from its product: its ids and codes."""
        codes = self.product.codes.names if self.product.codes else ()
        return frozenset((*self.product.id.names, *codes, *(self.source.group_by or ())))

    def price_columns(self) -> frozenset[str]:
        """Columns of prices, now and before a reduction, and of the times of a sale."""
        columns = (self.product.price, self.product.compare_at_price)
        prices = frozenset(name for column in columns if column for name in column.names)
        return prices.union(*(t for name, t in self.source.valid.items() if name in prices))

    def field_columns(self) -> tuple[str, ...]:
        """All columns that fields are read from, pictures apart."""
        pictures = set(self.product.images.names)
        names = [
            name
            for key, named in self._named().items()
            if key != "product.images"
            for name in named
        ]
        names += self.source.pairs.values()
        return tuple(dict.fromkeys(name for name in names if name not in pictures))

    def require_columns(self, present: Collection[str]) -> None:
        """Check that the source has every mapped column that is not optional.

        `InvalidMapping` names those it lacks, and lists those it has once, after the last.
        """
        if self.source.optional:
            return self._require_any(present)
        known = {*present, *_DERIVED}
        lacking = {
            key: names
            for key, names in self._required().items()
            if not any(name in known or head(name) in known for name in names)
        }
        if lacking:
            raise _lacking_columns(lacking, present)
        return None

    def read(self, row: MappingABC[str, Any], number: int) -> Product:
        """The product of a source's row; `InvalidProduct` with what makes it none."""
        return self.read_row(row, number).product

    def read_row(self, row: MappingABC[str, Any], number: int) -> MappedRow:
        """The product of a source's row and what else it says.

        A column that the row lacks is an empty field. Values that cannot be read are left empty
        with a warning, but for the id, the title, the price and where `on_error` says "refuse":
        then `InvalidProduct` tells every fault.
        """
        row, expired = valid_now(row, self.source.valid)
        fields = {
            field: number if column.names == (ROW_NUMBER,) else _raw(field, column, row)
            for field, column in self._columns
        }
        product, warnings = self._reader.lenient(fields)
        return MappedRow(product, self.raw_images(row), (*expired, *warnings))

    def price_of(self, row: MappingABC[str, Any]) -> tuple[float, Any] | None:
        """The amount of the row's price and the cell that says it; None where none can be read."""
        column = self.product.price
        raw = column.raw(valid_now(row, self.source.valid)[0]) if column else None
        try:
            amount = self._reader.read(Field("price", FieldType.MONEY), raw)
        except ValueError:
            return None
        return (amount, raw) if isinstance(amount, float) else None

    def raw_id(self, row: MappingABC[str, Any]) -> str | None:
        """The id as the row has it, for a message about a row that is not a product."""
        value = self.product.id.raw(row)
        plain = isinstance(value, str | int) and str(value).strip()
        return str(value).strip().removeprefix("'")[:512] if plain else None

    def raw_images(self, row: MappingABC[str, Any]) -> tuple[Any, ...]:
        """The values of all columns of pictures that are not empty, in the order of the mapping."""
        return self.product.images.raw_values(row)

    @cached_property
    def _reader(self) -> FieldReader:
        columns = {**dict(self.product.columns()), **self.fields}
        return FieldReader(
            currency=self.product.currency,
            mark=self.product.decimal_mark,
            rules={name: _rule(name, column) for name, column in columns.items()},
            color_words=ColorWords.of(self.colors),
        )

    @cached_property
    def _columns(self) -> tuple[tuple[Field, Column], ...]:
        named = {**dict(self.product.columns()), **self.fields}
        return tuple((field, named[field.name]) for field in self.schema() if field.name in named)

    def _named(self) -> dict[str, tuple[str, ...]]:
        """Key of the mapping -> the columns among which it is looked for."""
        named = {f"product.{name}": column.names for name, column in self.product.columns()}
        further = {f"fields.{name}": column.names for name, column in self.fields.items()}
        return {**named, "product.images": self.product.images.names, **further}

    def _required(self) -> dict[str, tuple[str, ...]]:
        columns = {
            **{f"product.{name}": column for name, column in self.product.columns()},
            "product.images": self.product.images,
            **{f"fields.{name}": column for name, column in self.fields.items()},
        }
        required = {
            key: column.names
            for key, column in columns.items()
            if not column.optional and column.names != (ROW_NUMBER,)
        }
        if self.source.group_by is not None:
            required["source.group_by"] = self.source.group_by
        source = self.source
        if source.prices_of is not None:
            required["source.prices_of"] = (source.prices_of,)
        tables = {"where": source.where, "shown": source.shown}
        return required | {
            f"source.{key}.{name}": (name,) for key, table in tables.items() for name in table
        }

    def _require_any(self, present: Collection[str]) -> None:
        """Of an export that varies, the id and the title must be there."""
        known = {*present, *_DERIVED}
        for key in ("product.id", "product.title"):
            names = self._named()[key]
            if names != (ROW_NUMBER,) and not any(head(name) in known for name in names):
                raise _lacking_columns({key: names}, present)

    def _clashes(self) -> Iterator[FieldError]:
        product = self.product
        if product.currency and product.currency_from:
            yield FieldError(
                "product.currency", "is given together with currency_from; keep one of them"
            )
        if (product.currency or product.currency_from) and not product.price:
            yield FieldError("product.currency", "is given without a price; map price as well")
        if self.source.rows == "variants" and self.source.group_by is None:
            yield FieldError("source.group_by", "is missing; name the column that variants share")
        for word, families in self.colors.items():
            yield from ColorWords.faults(word, families)
        schema = self.schema()
        bounds = {f.name + end: f.name for f in schema if f.type.ranged for end in ("_min", "_max")}
        for name in self.fields:
            fault = _name_fault(name, bounds)
            if fault is not None:
                yield FieldError(f"fields.{name}", fault)


def _raw(field: Field, column: Column, row: MappingABC[str, Any]) -> Any:
    """A field's first value that is there; of codes, all of them."""
    return list(column.raw_values(row)) if field.name == "codes" else column.raw(row)


def _name_fault(name: str, bounds: MappingABC[str, str]) -> str | None:
    if name in BUILT_IN_FIELDS:
        return f"is a built-in field; map it under [product] as {name} = ..."
    if name in RESERVED:
        return (
            f"{name!r} has a meaning of its own in queries; "
            f"choose another name, such as {name}_value"
        )
    if name in bounds:
        return f"{name!r} is how a query bounds the field {bounds[name]!r}; choose another name"
    if _NAME.fullmatch(name) is None:
        return "must start with a letter and hold only letters A-Z, digits and _ (at most 64)"
    return None


def _lacking_columns(
    lacking: MappingABC[str, tuple[str, ...]], present: Collection[str]
) -> InvalidMapping:
    """The error for fields whose columns, any of the names, a source lacks."""
    faults = [FieldError(key, _no_column(names, present)) for key, names in lacking.items()]
    columns = ", ".join(sorted(present)) or "none"
    last = faults.pop()
    return InvalidMapping(
        [*faults, FieldError(last.field, f"{last.message}; its columns are: {columns}")]
    )


def _no_column(names: tuple[str, ...], present: Collection[str]) -> str:
    near = get_close_matches(names[0], present, 1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    names_text = " or ".join(map(repr, names))
    return f"the source has no column {names_text}{hint}"


def _rule(name: str, column: Column) -> FieldRule:
    return FieldRule(
        split=column.split,
        values={key.strip().casefold(): value for key, value in column.values.items()},
        html=column.html,
        factor=column.factor,
        mark=column.decimal_mark,
        refuse=column.on_error == "refuse"
        or (column.on_error is None and name in ("id", "title", "price", "currency")),
    )
