"""The requests of jobs over whole catalogues, and their progress through a source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

__all__ = ["IngestMode", "IngestRequest", "ReindexRequest", "SourceReport"]


class IngestMode(StrEnum):
    """What becomes of products that a source does not name."""

    UPDATE = "update"
    """They stay as they are."""
    SYNC = "sync"
    """They are removed: the live version then holds exactly what the source names."""
    REPLACE = "replace"
    """A new version is built from the source alone and takes the live one's place."""


@dataclass(frozen=True)
class ReindexRequest:
    """The request of a reindex; None means the live version's products, or the settings' model.

    `mapping` is how the source is read, as `Mapping.to_dict` gives it; None is the live version's.
    """

    source: str | None = None
    model: str | None = None
    verify: bool = True
    allow_shrink: bool = False
    mapping: dict[str, Any] | None = None


@dataclass(frozen=True)
class IngestRequest:
    """The arguments of `vitrine ingest`: a source, how to read it, what to do with other products.

    `mapping` is as `Mapping.to_dict` gives it; None recognizes the export by its columns, and
    `currency`, `images` and `language` then say what it does not say itself.
    """

    source: str
    mapping: dict[str, Any] | None = None
    currency: str | None = None
    images: str | None = None
    language: str | None = None
    mode: str = IngestMode.UPDATE
    allow_shrink: bool = False


@dataclass(frozen=True)
class SourceReport:
    """How far a job has come with its source, in rows, or how it came out.

    `done` rows are in the index, `unchanged` ones of them were there already; `failed` ones are in
    the ledger, `left_out` ones the mapping does not want; `removed` counts products. `share` is how
    much of the source has been read, from 0 to 1, and `rate` rows per second lately; None is
    unknown. `settled` says that the job's own counts hold these by now, `refused` that the source
    was not to be trusted and nothing was changed because of it. `nodes` are pictures per second
    lately of each machine of a cluster. `batch` is how many pictures were embedded at once; 0 is
    unknown.
    """

    done: int = 0
    unchanged: int = 0
    failed: int = 0
    left_out: int = 0
    removed: int = 0
    total: int | None = None
    share: float | None = None
    rate: float | None = None
    eta_s: float | None = None
    settled: bool = False
    refused: bool = False
    nodes: Mapping[str, float] = field(default_factory=dict)
    batch: int = 0
