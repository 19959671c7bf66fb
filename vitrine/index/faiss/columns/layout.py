"""Which columns a catalogue's fields need, and how a product's values get into them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vitrine.fields.colors import families
from vitrine.fields.schema import Field, FieldType, Schema
from vitrine.filters import folded_words
from vitrine.folding import fold
from vitrine.index.faiss.columns.joined_keywords import joined_keywords
from vitrine.index.faiss.columns.ragged import Strings
from vitrine.index.faiss.columns.types import (
    MISSING_BOOL,
    MISSING_TIME,
    Column,
    Keywords,
    Numbers,
    OrderedTexts,
)
from vitrine.index.faiss.columns.words import WordPostings
from vitrine.index.sort_values import microseconds
from vitrine.products import Product
from vitrine.storage.array_file import ArrayInParts
from vitrine.words import Analyzer, exact_keys, term_frequencies

__all__ = [
    "EXACT",
    "ID",
    "TITLE_ORDER",
    "WORDS",
    "ColumnKind",
    "Layout",
    "layout",
    "written",
]

ID = "id"
"""The column of ids in order, which every segment has."""
TITLE_ORDER = "title~order"
"""The folded titles in order."""
WORDS = "~words"
"""The words of every product, which every segment has."""
EXACT = "~exact"
"""What a product is found by exactly: id, codes, title, group."""


def written(name: str) -> str:
    """The column of a COLOR field that filters: families and the colors as written."""
    return f"{name}~written"


@dataclass(frozen=True)
class ColumnKind:
    """One column: its values from products, its class's ways to merge and to load.

    `joined` are the arrays of all rows of several parts, for a file, where that takes less memory
    than their column.
    """

    build: Callable[[Sequence[Product]], Column]
    concat: Callable[[Sequence[Any]], Column]
    load: Callable[[Any], Column]
    joined: Callable[[Sequence[Any]], Mapping[str, NDArray[Any] | ArrayInParts]] | None = None

    def joined_arrays(self, parts: Sequence[Any]) -> Mapping[str, NDArray[Any] | ArrayInParts]:
        """The arrays of all rows of all parts, in order."""
        return self.concat(parts).arrays() if self.joined is None else self.joined(parts)


Layout: TypeAlias = dict[str, ColumnKind]


def layout(schema: Schema, analyzer: Analyzer) -> Layout:
    """The columns of a schema by name, `ID` first; words are those of the analyzer's language."""
    columns: Layout = {ID: _ordered(lambda p: p.id)}
    for field in schema:
        if field.name != ID:
            columns |= _columns(field)
    if "title" in schema:
        columns[TITLE_ORDER] = _ordered(lambda p: fold(p.title))
    columns[WORDS] = ColumnKind(
        partial(_postings, schema=schema, analyzer=analyzer),
        WordPostings.concat,
        WordPostings.stored,
        WordPostings.joined,
    )
    columns[EXACT] = _keywords(exact_keys)
    return columns


def _postings(products: Sequence[Product], *, schema: Schema, analyzer: Analyzer) -> WordPostings:
    return WordPostings.of(term_frequencies(p, schema, analyzer) for p in products)


def _columns(field: Field) -> Layout:
    name = field.name
    if field.type.numeric:
        return {name: _numbers(name, np.float64, np.nan, float)}
    if field.type is FieldType.DATETIME:
        return {name: _numbers(name, np.int64, MISSING_TIME, microseconds)}
    if field.type is FieldType.BOOL:
        return {name: _numbers(name, np.int8, MISSING_BOOL, int)}
    if field.type is FieldType.TEXT:
        return {name: _keywords(partial(_words, name=name))}
    if field.type is FieldType.PATH:
        return {name: _keywords(partial(_path_prefixes, name=name))}
    if field.type is FieldType.COLOR:
        return {
            name: _keywords(partial(_families, name=name)),
            written(name): _keywords(partial(_written_colors, name=name)),
        }
    return {name: _keywords(partial(_texts, name=name))}


def _texts(product: Product, *, name: str) -> tuple[str, ...]:
    value: Any = product.value(name)
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else value


def _words(product: Product, *, name: str) -> tuple[str, ...]:
    """The words of a text; the empty word stands for "has a value", as a text may hold no word."""
    value = product.value(name)
    return () if value is None else ("", *folded_words(str(value)))


def _families(product: Product, *, name: str) -> tuple[str, ...]:
    return product.colors if name == "color" else families(_texts(product, name=name))


def _written_colors(product: Product, *, name: str) -> tuple[str, ...]:
    colors = (color.strip().casefold() for color in _texts(product, name=name))
    return (*_families(product, name=name), *colors)


def _path_prefixes(product: Product, *, name: str) -> tuple[str, ...]:
    """Men/Tops/Jackets gives Men, Men/Tops, Men/Tops/Jackets."""
    prefixes = []
    for path in _texts(product, name=name):
        levels = path.strip("/").split("/")
        prefixes += ["/".join(levels[:depth]) for depth in range(1, len(levels) + 1)]
    return tuple(prefixes)


def _numbers(name: str, dtype: Any, missing: float, read: Callable[[Any], float]) -> ColumnKind:
    def build(products: Sequence[Product]) -> Numbers:
        values = (p.value(name) for p in products)
        return Numbers(np.asarray([missing if v is None else read(v) for v in values], dtype))

    return ColumnKind(build, Numbers.concat, lambda arrays: Numbers(arrays["values"]))


def _keywords(read: Callable[[Product], Sequence[str]]) -> ColumnKind:
    return ColumnKind(
        lambda products: Keywords.of([read(p) for p in products]),
        Keywords.concat,
        Keywords.stored,
        joined_keywords,
    )


def _ordered(read: Callable[[Product], str]) -> ColumnKind:
    return ColumnKind(
        lambda products: OrderedTexts(Strings.of([read(p) for p in products])),
        OrderedTexts.concat,
        OrderedTexts.stored,
    )
