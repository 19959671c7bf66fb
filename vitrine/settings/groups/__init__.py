"""The settings by room: each room is handed its own group and knows no other.

`Settings` (vitrine.settings.loading) is all of them, read from the environment at start.
"""

from __future__ import annotations

from vitrine.settings.groups.address import AddressSettings
from vitrine.settings.groups.data import DataSettings
from vitrine.settings.groups.edge import EdgeSettings
from vitrine.settings.groups.faiss import FaissSettings
from vitrine.settings.groups.fetch import FetchSettings
from vitrine.settings.groups.group import PREFIX, SettingsGroup
from vitrine.settings.groups.images import ImageSettings
from vitrine.settings.groups.index import IndexSettings
from vitrine.settings.groups.ingest import IngestSettings
from vitrine.settings.groups.limits import LimitSettings
from vitrine.settings.groups.log import LogSettings
from vitrine.settings.groups.model import ModelSettings
from vitrine.settings.groups.qdrant import QdrantSettings
from vitrine.settings.groups.service import ServiceSettings

__all__ = [
    "GROUPS",
    "PREFIX",
    "AddressSettings",
    "DataSettings",
    "EdgeSettings",
    "FaissSettings",
    "FetchSettings",
    "ImageSettings",
    "IndexSettings",
    "IngestSettings",
    "LimitSettings",
    "LogSettings",
    "ModelSettings",
    "QdrantSettings",
    "ServiceSettings",
]

GROUPS: tuple[type[SettingsGroup], ...] = (
    DataSettings,
    ModelSettings,
    ImageSettings,
    FetchSettings,
    IndexSettings,
    FaissSettings,
    QdrantSettings,
    ServiceSettings,
    AddressSettings,
    EdgeSettings,
    LimitSettings,
    IngestSettings,
    LogSettings,
)
"""In the order in which they are documented."""
