"""The table [source] of a mapping: how a catalogue's file is read, and which of its rows count."""

from __future__ import annotations

import codecs
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

__all__ = ["Format", "Names", "SourceTable", "Strict"]

Format: TypeAlias = Literal["csv", "tsv", "json", "jsonl", "xml", "xlsx", "parquet"]


class Strict(BaseModel):
    """A table of a mapping: unknown keys and wrong types are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


def _listed(value: Any) -> Any:
    """One value, or a list of them, as a tuple."""
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _encoding(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise ValueError(
            f"{name!r} is not an encoding; write it like utf-8, windows-1252 or shift_jis"
        ) from None


def _separator(text: str) -> str:
    separator = {"tab": "\t", "\\t": "\t"}.get(text.casefold(), text)
    if len(separator) != 1 or separator in '"\r\n':
        raise ValueError(f'{text!r} is not a separator; write one character, such as ";", or "tab"')
    return separator


Text = Annotated[str, Field(min_length=1)]
Names = Annotated[tuple[Text, ...], BeforeValidator(_listed), Field(min_length=1)]
"""A column, or several of which the first that has a value counts."""
Times = Annotated[tuple[Text, ...], BeforeValidator(_listed), Field(min_length=1, max_length=2)]
"""The columns of a first and a last time, or one of both."""
Scalars = Annotated[tuple[str | bool | int | float, ...], BeforeValidator(_listed)]


class SourceTable(Strict):
    """How the source is read; what is not said is found out, and said when it is a guess."""

    format: Format | None = None
    encoding: Annotated[str, AfterValidator(_encoding)] | None = None
    separator: Annotated[str, AfterValidator(_separator)] | None = None
    quote: Literal["none", '"', "'"] | None = None
    skip_lines: Annotated[int, Field(ge=0, le=1000)] = 0
    sheet: Text | None = None
    items: Text | None = None
    """Where the rows are in JSON or XML: "products[]", "channel.item"."""
    expand: Text | None = None
    """A list within a row, each entry of which makes a row of its own: "variants"."""
    rows: Literal["product", "variants"] = "product"
    group_by: Names | None = None
    begins: dict[str, Scalars] = Field(default_factory=dict)
    """Rows that begin a product, where its variants have nothing that names it: the rows up to the
    next one belong to it, and share what it has in the columns of `group_by`."""
    pictures: dict[str, Scalars] = Field(default_factory=dict)
    """Rows among them that only bring pictures of it."""
    pairs: dict[Text, Text] = Field(default_factory=dict)
    """Columns of names -> columns of values: "Option1 Name" -> "Option1 Value". A row's pairs are
    read as "@pairs[Color]", whatever case the name is written in."""
    valid: dict[Text, Times] = Field(default_factory=dict)
    """Columns whose cells count only between two times -> the column of the first time and that of
    the last, or one column that holds both: "2026-01-01/2026-01-31". Days are taken whole."""
    where: dict[str, Scalars] = Field(default_factory=dict)
    shown: dict[str, Scalars] = Field(default_factory=dict)
    """Of the rows that `where` wants, those that are products; the others may have prices."""
    prices_of: Text | None = None
    """The ids of a row's variants: where it has no price, it takes the least of theirs."""
    optional: bool = False
    """Whether columns that the source lacks are taken as empty, as for exports that vary."""
