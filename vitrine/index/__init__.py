"""Where vectors and products are kept and searched: the ports and their adapters (`faiss`,
`qdrant`)."""

from vitrine.index.ports import (
    IndexAnswer,
    IndexQuery,
    IndexVersions,
    PageToken,
    Stamp,
    VectorIndex,
    VersionFilling,
    VersionInfo,
)

__all__ = [
    "IndexAnswer",
    "IndexQuery",
    "IndexVersions",
    "PageToken",
    "Stamp",
    "VectorIndex",
    "VersionFilling",
    "VersionInfo",
]
