"""The embedded backend: SQLite is the record of truth, columns and vector indexes are derived."""

from vitrine.index.faiss.versions import FaissVersions, open_versions

__all__ = ["FaissVersions", "open_versions"]
