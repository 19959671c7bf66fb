"""Which index backend answers, and its own settings."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vitrine.settings.groups.faiss import FaissSettings
from vitrine.settings.groups.qdrant import QdrantSettings

__all__ = ["IndexSettings"]


class IndexSettings(FaissSettings, QdrantSettings):
    """Which index backend answers, and its own settings."""

    backend: Literal["faiss", "qdrant"] = Field(
        "faiss", description="index backend: faiss (embedded, SQLite beneath) or qdrant"
    )
