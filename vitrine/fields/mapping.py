"""The mapping file: which column of a source becomes which field of a product."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator
from collections.abc import Mapping as MappingABC
from difflib import get_close_matches
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from pydantic import Field as Key

from vitrine.errors import FieldError, InvalidMapping
from vitrine.fields.currencies import currency_code
from vitrine.fields.numbers import DecimalMark
from vitrine.fields.reading import FieldReader
from vitrine.fields.schema import BUILT_IN_FIELDS, Field, FieldType, Schema
from vitrine.products import Product

__all__ = ["ROW_NUMBER", "AttributeColumn", "Mapping", "ProductColumns", "built_in_mappings"]

ROW_NUMBER = "@row"
"""In place of a column for `id`: the row's number in the source, from 0, for sources that have no id column."""

_IN_QUERIES = """
    not or and q text image like unlike weights filter facets sort limit cursor candidates min_score collapse explain colors
"""
RESERVED = frozenset(_IN_QUERIES.split())
"""Names that mean something else in queries and answers."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")

Column = Annotated[str, Key(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ProductColumns(_Strict):
    """The table [product]: the built-in fields and their columns."""

    id: Column
    title: Column
    image: Column
    price: Column | None = None
    currency: Annotated[str, AfterValidator(currency_code)] | None = None
    currency_from: Column | None = None
    decimal_mark: DecimalMark | None = None
    color: Column | None = None
    category: Column | None = None
    description: Column | None = None
    brand: Column | None = None
    in_stock: Column | None = None
    group_id: Column | None = None

    def columns(self) -> Iterator[tuple[str, str]]:
        """Field name and column of every mapped built-in field but the image; ROW_NUMBER counts as a column."""
        for name in BUILT_IN_FIELDS:
            column = self.currency_from if name == "currency" else getattr(self, name)
            if column is not None:
                yield name, column


class AttributeColumn(_Strict):
    """A table [fields.NAME]: a further field."""

    source: Column = Key(alias="from")
    type: Literal["keyword", "number", "money", "bool", "datetime", "text"]


class Mapping(_Strict):
    """A catalogue's mapping; it travels with the index version it was used for."""

    product: ProductColumns
    fields: dict[str, AttributeColumn] = {}

    @classmethod
    def load(cls, name_or_path: str | Path) -> Mapping:
        """Read a TOML file, or the built-in mapping of that name; `InvalidMapping` says what is wrong with it."""
        name = str(name_or_path)
        try:
            text = _built_in(name) or Path(name_or_path).read_text(encoding="utf-8")
            return cls.from_dict(tomllib.loads(text))
        except (OSError, UnicodeDecodeError) as error:
            known = ", ".join(built_in_mappings())
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise InvalidMapping.of(
                "",
                f"the mapping {name!r} cannot be read ({reason}); give a TOML file, or one of: {known}",
            ) from None
        except tomllib.TOMLDecodeError as error:
            raise InvalidMapping.of("", f"{name} is not valid TOML: {error}") from None

    @classmethod
    def from_dict(cls, stored: MappingABC[str, Any]) -> Mapping:
        """The mapping of plain values, as `to_dict` gives them and TOML holds them."""
        try:
            mapping = cls.model_validate(stored)
        except ValidationError as error:
            raise InvalidMapping([_fault(dict(e)) for e in error.errors()]) from None
        faults = list(mapping._clashes())
        if faults:
            raise InvalidMapping(faults)
        return mapping

    def to_dict(self) -> dict[str, Any]:
        """Plain values that JSON and TOML can hold."""
        return self.model_dump(by_alias=True, exclude_none=True)

    def schema(self) -> Schema:  # type: ignore[override]  # pydantic's deprecated method of that name is not wanted here
        """The fields that products of this mapping have; a mapped price brings its currency."""
        names = [name for name, _ in self.product.columns()]
        if "price" in names and "currency" not in names:
            names.insert(names.index("price") + 1, "currency")
        built_in = tuple(Field(name, BUILT_IN_FIELDS[name]) for name in names)
        return Schema(
            built_in
            + tuple(Field(name, FieldType(column.type)) for name, column in self.fields.items())
        )

    def columns(self) -> dict[str, str]:
        """Key of the mapping -> column of the source, for every column that is read."""
        named = {
            f"product.{name}": column
            for name, column in self.product.columns()
            if column != ROW_NUMBER
        }
        further = {f"fields.{name}": column.source for name, column in self.fields.items()}
        return {**named, "product.image": self.product.image, **further}

    def require_columns(self, present: Collection[str]) -> None:
        """Check that the source has every mapped column; `InvalidMapping` names those it lacks and lists those it has."""
        there = ", ".join(sorted(present)) or "none"
        faults = []
        for key, column in self.columns().items():
            if column not in present:
                near = get_close_matches(column, present, 1)
                hint = f" (did you mean {near[0]!r}?)" if near else ""
                faults.append(
                    FieldError(
                        key, f"the source has no column {column!r}{hint}; its columns are: {there}"
                    )
                )
        if faults:
            raise InvalidMapping(faults)

    def read(self, row: MappingABC[str, Any], number: int) -> Product:
        """The product of a source's row; a column that the row lacks is an empty field. `InvalidProduct` with every fault."""
        return self._reader.product(
            {field: number if c == ROW_NUMBER else row.get(c) for field, c in self._columns}
        )

    @cached_property
    def _reader(self) -> FieldReader:
        return FieldReader(currency=self.product.currency, mark=self.product.decimal_mark)

    @cached_property
    def _columns(self) -> tuple[tuple[Field, str], ...]:
        schema = self.schema()
        named = {
            **dict(self.product.columns()),
            **{name: column.source for name, column in self.fields.items()},
        }
        return tuple((field, named[field.name]) for field in schema if field.name in named)

    def _clashes(self) -> Iterator[FieldError]:
        if self.product.currency and self.product.currency_from:
            yield FieldError(
                "product.currency", "is given together with currency_from; keep one of them"
            )
        if (self.product.currency or self.product.currency_from) and not self.product.price:
            yield FieldError("product.currency", "is given without a price; map price as well")
        schema = self.schema()
        bounds = {f.name + end: f.name for f in schema if f.type.ranged for end in ("_min", "_max")}
        for name in self.fields:
            key = f"fields.{name}"
            if name in BUILT_IN_FIELDS:
                yield FieldError(
                    key, f"is a built-in field; map it under [product] as {name} = ..."
                )
            elif name in RESERVED:
                yield FieldError(
                    key,
                    f"{name!r} has a meaning of its own in queries; choose another name, such as {name}_value",
                )
            elif name in bounds:
                yield FieldError(
                    key,
                    f"{name!r} is how a query bounds the field {bounds[name]!r}; choose another name",
                )
            elif _NAME.fullmatch(name) is None:
                yield FieldError(
                    key,
                    "must start with a letter and hold only letters A-Z, digits and _ (at most 64)",
                )


def built_in_mappings() -> tuple[str, ...]:
    """Names of the mappings that come with Vitrine."""
    return tuple(
        sorted(
            f.name.removesuffix(".toml")
            for f in resources.files("vitrine.fields.mappings").iterdir()
            if f.name.endswith(".toml")
        )
    )


def _built_in(name: str) -> str | None:
    known = name in built_in_mappings()
    return (
        (resources.files("vitrine.fields.mappings") / f"{name}.toml").read_text(encoding="utf-8")
        if known
        else None
    )


def _fault(error: MappingABC[str, Any]) -> FieldError:
    path = [str(part) for part in error["loc"]]
    allowed = _keys(path)
    if error["type"] == "missing":
        what = "a table" if len(path) == 1 else "the column it is read from"
        return FieldError(
            ".".join(path),
            f"is missing; name {what}"
            + (f', or "{ROW_NUMBER}" for the row number' if path[-1] == "id" else ""),
        )
    if error["type"] == "extra_forbidden":
        near = get_close_matches(path[-1], allowed, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        further = " (further fields go under [fields.NAME])" if path[0] == "product" else ""
        return FieldError(
            ".".join(path),
            f"is no key of a mapping{hint}; allowed here: {', '.join(allowed)}{further}",
        )
    message = str(error["msg"]).removeprefix("Value error, ")
    return FieldError(".".join(path), message[:1].lower() + message[1:])


def _keys(path: list[str]) -> tuple[str, ...]:
    if len(path) == 1:
        return ("product", "fields")
    return tuple(ProductColumns.model_fields) if path[0] == "product" else ("from", "type")
