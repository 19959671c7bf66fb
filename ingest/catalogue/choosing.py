"""Which mapping a catalogue is read with: the one that is named, or that of the export it is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from collections.abc import Mapping as MappingABC
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from ingest.catalogue.language_guess import guess_language
from ingest.sources import FolderSource, Row, Source, StreamSource, open_source
from vitrine.errors import InvalidMapping, SourceUnavailable
from vitrine.fields import BUILT_IN_FIELDS, Mapping, built_in_mappings, recognize
from vitrine.fields.markup import plain_text
from vitrine.fields.paths import value_at
from vitrine.fields.words import word_lists
from vitrine.settings import FetchSettings

__all__ = ["AUTO", "ChosenMapping", "MappingChoice", "choose_mapping"]

AUTO = "auto"
"""The name by which a mapping is asked to be found out."""
_LOOKED_AT = 100
"""Rows that are read to see which columns there are, and in which language."""


@dataclass(frozen=True, slots=True)
class MappingChoice:
    """What the operator says: a mapping's file or name, and what exports do not say themselves.

    `currency` is that of all prices, `images` the address or folder where relative names begin,
    `language` the code of the one that the texts are written in.
    """

    mapping: str | None = None
    currency: str | None = None
    images: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class ChosenMapping:
    """A mapping, and a sentence to announce where it was recognized."""

    mapping: Mapping
    note: str | None = None


def choose_mapping(
    spec: str, settings: FetchSettings, choice: MappingChoice, *, live: Mapping | None = None
) -> ChosenMapping:
    """The mapping for a source; `InvalidMapping` when its columns are those of no known export,
    and not those that `live` needs, the mapping of the version that is live."""
    if choice.mapping not in (None, AUTO):
        return ChosenMapping(_completed(Mapping.load(str(choice.mapping)), choice))
    source = open_source(spec, settings)
    if isinstance(source, FolderSource):
        return ChosenMapping(_completed(Mapping.load("image_folder"), choice))
    rows = _first_rows(source)
    columns = tuple(dict.fromkeys([*source.columns(()), *(name for row in rows for name in row)]))
    if not columns:
        raise SourceUnavailable.of("source", f"{spec} contains no products")
    known = recognize(columns)
    if known is not None:
        mapping: Mapping | None = Mapping.load(known.mapping)
        note = f"recognized the export by its columns; using the built-in mapping {known.mapping}"
    else:
        mapping = _own_names(columns)
        note = "the columns are named as the fields are; using them as they are"
    if mapping is None and live is not None and _has_columns(live, columns):
        return ChosenMapping(_completed(live, choice), "using the mapping of the live version")
    if mapping is None:
        raise InvalidMapping.of("", _unknown(spec, columns))
    code = _language(mapping, rows) or (known.language if known is not None else None)
    if mapping.language is choice.language is None and code not in (None, "en"):
        choice = replace(choice, language=code)
        note += f"; the language of its texts seems to be {code!r}, unless another is given"
    return ChosenMapping(_completed(mapping, choice), note)


def _has_columns(mapping: Mapping, columns: Collection[str]) -> bool:
    try:
        mapping.require_columns(columns)
    except InvalidMapping:
        return False
    return True


def _first_rows(source: Source) -> list[MappingABC[str, Any]]:
    if isinstance(source, StreamSource):
        return source.first_rows(_LOOKED_AT)
    return [row.values for row in islice(source.rows(), _LOOKED_AT) if isinstance(row, Row)]


def _language(mapping: Mapping, rows: Sequence[MappingABC[str, Any]]) -> str | None:
    """The language of the titles, descriptions and colors, None where it is not clear."""
    product = mapping.product
    columns = [column for column in (product.title, product.description, product.color) if column]
    names = [name for column in columns for name in column.names]
    texts = (value_at(row, name) for row in rows for name in names)
    return guess_language(plain_text(text) for text in texts if isinstance(text, str))


def _completed(mapping: Mapping, choice: MappingChoice) -> Mapping:
    """The mapping with what the operator adds to it."""
    stored: dict[str, Any] = mapping.to_dict()
    if choice.language is not None:
        stored["language"] = choice.language
        for name, (label, *_) in word_lists("fields").get(choice.language, {}).items():
            if name in mapping.fields:
                stored["fields"][name].setdefault("label", label)
    if choice.currency is not None:
        stored["product"].pop("currency_from", None)
        stored["product"]["currency"] = choice.currency
    if choice.images is not None:
        stored["images"] = {**stored.get("images", {}), "base": choice.images}
    return Mapping.from_dict(stored)


def _own_names(columns: Collection[str]) -> Mapping | None:
    """A mapping of columns that are named as Vitrine's own fields are, in any case."""
    own = {name.removeprefix("@").casefold(): name for name in columns}  # "@id" is XML's
    own.update({name: name for name in columns})
    pictures = [own[name] for name in ("images", "image") if name in own]
    if not pictures or not {"id", "title"} <= own.keys():
        return None
    named = {name: own[name] for name in BUILT_IN_FIELDS if name in own and name != "currency"}
    currency = {"currency_from": own["currency"]} if {"price", "currency"} <= own.keys() else {}
    return Mapping.from_dict({"product": {**named, **currency, "images": pictures[0]}})


def _unknown(spec: str, columns: Collection[str]) -> str:
    return (
        f"the columns of {spec} are those of no export that is known: {', '.join(columns)}. "
        f"Draft a mapping with `vitrine map {spec} > shop.toml`, look it over, and give it with "
        f"--map shop.toml; built in are {', '.join(built_in_mappings())}"
    )
