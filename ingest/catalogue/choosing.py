"""Which mapping a catalogue is read with: the one that is named, or that of the export it is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ingest.sources import FolderSource, Row, Source, open_source
from vitrine.errors import InvalidMapping, SourceUnavailable
from vitrine.fields import BUILT_IN_FIELDS, Mapping, built_in_mappings, recognize
from vitrine.settings import FetchSettings

__all__ = ["AUTO", "ChosenMapping", "MappingChoice", "choose_mapping", "seen_columns"]

AUTO = "auto"
"""The name by which a mapping is asked to be found out."""
_LOOKED_AT = 100
"""Rows that are read to see which columns there are."""


@dataclass(frozen=True, slots=True)
class MappingChoice:
    """What the operator says: a mapping's file or name, and what exports do not say themselves.

    `currency` is that of all prices, `images` the address or folder where relative names begin.
    """

    mapping: str | None = None
    currency: str | None = None
    images: str | None = None


@dataclass(frozen=True, slots=True)
class ChosenMapping:
    """A mapping, and a sentence to announce where it was recognized."""

    mapping: Mapping
    note: str | None = None


def choose_mapping(spec: str, settings: FetchSettings, choice: MappingChoice) -> ChosenMapping:
    """The mapping for a source; `InvalidMapping` when its columns are those of no known export."""
    if choice.mapping not in (None, AUTO):
        return ChosenMapping(_completed(Mapping.load(str(choice.mapping)), choice))
    source = open_source(spec, settings)
    if isinstance(source, FolderSource):
        return ChosenMapping(_completed(Mapping.load("image_folder"), choice))
    columns = seen_columns(source)
    if not columns:
        raise SourceUnavailable.of("source", f"{spec} contains no products")
    name = recognize(columns)
    if name is not None:
        note = f"recognized the export by its columns; using the built-in mapping {name}"
        return ChosenMapping(_completed(Mapping.load(name), choice), note)
    mapping = _own_names(columns)
    if mapping is None:
        raise InvalidMapping.of("", _unknown(spec, columns))
    note = "the columns are named as the fields are; using them as they are"
    return ChosenMapping(_completed(mapping, choice), note)


def seen_columns(source: Source) -> tuple[str, ...]:
    """The columns of a source's first rows."""
    columns = dict.fromkeys(source.columns(()))
    if source.name != "-":
        for row in islice(source.rows(), _LOOKED_AT):
            if isinstance(row, Row):
                columns.update(dict.fromkeys(row.values))
    return tuple(columns)


def _completed(mapping: Mapping, choice: MappingChoice) -> Mapping:
    """The mapping with what the operator adds to it."""
    if choice.currency is None and choice.images is None:
        return mapping
    stored: dict[str, Any] = mapping.to_dict()
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
