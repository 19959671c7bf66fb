"""All versions of one catalogue's embedded index: a folder each, and a pointer to the live one."""

from vitrine.index.faiss.versions.versions import FaissVersions, open_versions

__all__ = ["FaissVersions", "open_versions"]
