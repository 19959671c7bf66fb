"""The ports of the index: what every backend offers, and the values that travel through them."""

from vitrine.index.ports.queries import SCORE_DECIMALS, IndexAnswer, IndexQuery, PageToken
from vitrine.index.ports.vector_index import Stamp, VectorIndex
from vitrine.index.ports.version_info import MAX_IMAGES, VersionFilling, VersionInfo, VersionState
from vitrine.index.ports.versions import IndexVersions

__all__ = [
    "MAX_IMAGES",
    "SCORE_DECIMALS",
    "IndexAnswer",
    "IndexQuery",
    "IndexVersions",
    "PageToken",
    "Stamp",
    "VectorIndex",
    "VersionFilling",
    "VersionInfo",
    "VersionState",
]
