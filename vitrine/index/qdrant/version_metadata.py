"""What a version says of itself, as its collection's metadata hold it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from vitrine.fields.schema import Schema
from vitrine.index.ports import MAX_IMAGES, VersionFilling, VersionInfo

__all__ = ["new_metadata", "read_metadata", "ready_metadata"]

FORMAT = 2
"""Of points and metadata; another number is not read, but for `ONE_PICTURE`."""
ONE_PICTURE = 1
"""The format of versions that keep one picture of a product, and no vector of its words."""


def new_metadata(info: VersionInfo) -> dict[str, Any]:
    """The metadata of a version that is still to be filled."""
    return {
        "format": FORMAT,
        "state": "building",
        "model": info.model,
        "fingerprint": info.fingerprint,
        "dimension": info.dimension,
        "text_vectors": info.text_vectors,
        "created": info.created.isoformat(),
        # as text, for Qdrant keeps no order of keys
        "schema": json.dumps(info.schema.to_dict()),
        "mapping": json.dumps(dict(info.mapping)),
        "words": True,
    }


def ready_metadata(filling: VersionFilling | None) -> dict[str, Any]:
    """What changes when a version is complete."""
    ready: dict[str, Any] = {"state": "ready"}
    return ready if filling is None else ready | {"filling": json.dumps(asdict(filling))}


def read_metadata(name: str, stored: Mapping[str, Any]) -> VersionInfo | None:
    """The version "building" or "ready", without its count; None for a format that is not read."""
    if stored.get("format") not in (FORMAT, ONE_PICTURE):
        return None
    filling = stored.get("filling")
    return VersionInfo(
        name=name,
        backend="qdrant",
        model=stored["model"],
        fingerprint=stored["fingerprint"],
        dimension=int(stored["dimension"]),
        schema=Schema.from_dict(json.loads(stored["schema"])),
        mapping=json.loads(stored["mapping"]),
        created=datetime.fromisoformat(stored["created"]),
        words=bool(stored.get("words", False)),
        state=stored["state"],
        text_vectors=bool(stored.get("text_vectors")),
        max_images=1 if stored["format"] == ONE_PICTURE else MAX_IMAGES,
        filling=None if filling is None else VersionFilling(**json.loads(filling)),
    )
