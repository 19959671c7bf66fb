"""Ingest for `vitrine.open`: a source by name, or rows in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ingest.catalogue import MappingChoice, choose_mapping
from ingest.pipeline.models import Summary
from ingest.sources import MemorySource, ShapedSource, Source, open_source
from ingest.tasks.bulk_ingest import run
from vitrine.errors import InvalidMapping
from vitrine.fields import Mapping as CatalogueMapping
from vitrine.fields.schema import BUILT_IN_FIELDS
from vitrine.wiring import Vitrine

__all__ = ["ingest_catalogue"]


def ingest_catalogue(
    vitrine: Vitrine,
    source: str | Path | Iterable[Mapping[str, Any]],
    mapping: str | Path | Mapping[str, Any] | None,
) -> Summary:
    """Ingest or update what `source` holds.

    Without a mapping an export is recognized by its columns, as `vitrine ingest` does.
    `InvalidMapping` where that fails, and where rows need a mapping and have none.
    """
    loaded = _loaded(mapping)
    if isinstance(source, str | Path):
        settings, name = vitrine.settings, str(source)
        chosen = loaded or choose_mapping(name, settings, MappingChoice()).mapping
        return run(vitrine, open_source(name, settings, chosen), chosen)
    rows = MemorySource(list(source))
    chosen = loaded or _from_columns(rows)
    return run(vitrine, ShapedSource(rows, chosen), chosen)


def _loaded(mapping: str | Path | Mapping[str, Any] | None) -> CatalogueMapping | None:
    if isinstance(mapping, Mapping):
        return CatalogueMapping.from_dict(mapping)
    return None if mapping is None else CatalogueMapping.load(mapping)


def _from_columns(source: Source) -> CatalogueMapping:
    """The mapping of rows whose columns are named as the fields are."""
    names = {*BUILT_IN_FIELDS, "image"}
    columns = source.columns(names)
    strange = sorted(set(columns) - names)
    if strange:
        raise InvalidMapping.of(
            "mapping",
            f"is needed for {', '.join(map(repr, strange))}; without one the rows may hold"
            f" {', '.join(sorted(names))}",
        )
    return CatalogueMapping.from_dict({"product": {name: name for name in columns}})
