"""What a version says of itself, as a file in its folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from vitrine.errors import IndexUnavailable
from vitrine.fields.schema import Schema
from vitrine.index.ports import VersionFilling, VersionInfo
from vitrine.storage.atomic import atomic_write

__all__ = ["VersionMetadata"]


@dataclass(frozen=True)
class VersionMetadata:
    """Everything of a `VersionInfo` that does not change by itself."""

    name: str
    model: str
    fingerprint: str
    dimension: int
    schema: Schema
    mapping: Mapping[str, Any]
    created: datetime
    complete: bool = False
    text_vectors: bool = False
    filling: VersionFilling | None = None

    def write(self, path: Path) -> None:
        """Store it, durably and in one step."""
        stored = vars(self) | {
            "schema": self.schema.to_dict(),
            "mapping": dict(self.mapping),
            "created": self.created.isoformat(),
            "filling": None if self.filling is None else asdict(self.filling),
        }
        atomic_write(path, json.dumps(stored, ensure_ascii=False, indent=1).encode())

    @classmethod
    def read(cls, path: Path) -> VersionMetadata:
        """Load it; `FileNotFoundError` when there is none, `IndexUnavailable` when damaged."""
        try:
            stored = json.loads(path.read_bytes())
            created = datetime.fromisoformat(stored.pop("created"))
            schema = Schema.from_dict(stored.pop("schema"))
            filled = stored.pop("filling", None)
            filling = None if filled is None else VersionFilling(**filled)
            return cls(**stored, created=created, schema=schema, filling=filling)
        except (ValueError, TypeError, KeyError) as error:
            raise IndexUnavailable(
                f"{path} is damaged ({error}); restore a backup, or publish another version"
            ) from error

    def info(self, *, live: bool, count: int) -> VersionInfo:
        """The version's description at this moment."""
        return VersionInfo(
            name=self.name,
            backend="faiss",
            model=self.model,
            fingerprint=self.fingerprint,
            dimension=self.dimension,
            schema=self.schema,
            mapping=self.mapping,
            created=self.created,
            state="live" if live else "ready" if self.complete else "building",
            count=count,
            text_vectors=self.text_vectors,
            filling=self.filling,
        )
