"""Where everything is kept."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from vitrine.settings.groups.group import SettingsGroup

__all__ = ["DataSettings"]


class DataSettings(SettingsGroup):
    """Where everything is kept."""

    data_dir: Path = Field(Path("data"), description="folder of everything Vitrine keeps")
    secret_key: SecretStr = Field(
        SecretStr(""),
        description="key of the signatures on cursors and search keys, the same on all machines; "
        "empty: one is made and kept in DATA_DIR",
    )

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, key: SecretStr) -> SecretStr:
        if 0 < len(key.get_secret_value()) < 32:
            raise ValueError("must have 32 characters or more, as `openssl rand -hex 32` prints")
        return key
