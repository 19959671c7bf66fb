"""Settings: environment variables `VITRINE_*`, grouped by room, validated when a program starts."""

from vitrine.settings.groups import (
    PREFIX,
    AddressSettings,
    DataSettings,
    FaissSettings,
    FetchSettings,
    ImageSettings,
    IndexSettings,
    IngestSettings,
    LimitSettings,
    LogSettings,
    ModelSettings,
    QdrantSettings,
    ServiceSettings,
)
from vitrine.settings.loading import (
    Settings,
    load_settings,
    refuse_unknown_variables,
    settings_tables,
)

__all__ = [
    "PREFIX",
    "AddressSettings",
    "DataSettings",
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
    "Settings",
    "load_settings",
    "refuse_unknown_variables",
    "settings_tables",
]
