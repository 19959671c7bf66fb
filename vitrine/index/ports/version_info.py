"""What an index version says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vitrine.fields.schema import Schema

__all__ = [
    "MAX_IMAGES",
    "VersionFilling",
    "VersionInfo",
    "VersionState",
]

MAX_IMAGES = 64
"""Pictures of one product at most, whatever the settings allow."""

VersionState = str
""""building" | "ready" (complete, not live) | "live" """


@dataclass(frozen=True, slots=True)
class VersionFilling:
    """How an ingest or a reindex made a version's vectors: by which device, in which arithmetic
    (`Compute`), so many pictures at once, and in how many seconds from its start, loading the model
    included. A version that was copied or restored has the values of the one it was made from."""

    device: str
    precision: str
    batch: int
    seconds: float


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """What a version says of itself.

    `mapping` is the catalogue mapping it was built with, as plain values.
    """

    name: str
    backend: str
    model: str
    fingerprint: str
    dimension: int
    schema: Schema
    mapping: Mapping[str, Any]
    created: datetime
    state: VersionState = "building"
    count: int = 0
    text_vectors: bool = False
    """Whether every record has a vector of its product's words."""
    words: bool = True
    """Whether it keeps its products' words, so that it can learn and rank by them."""
    max_images: int = MAX_IMAGES
    """Pictures of one product that the version can keep; older ones in Qdrant keep one."""
    filling: VersionFilling | None = None
    """None where it is not known, as of versions that an earlier release filled."""
