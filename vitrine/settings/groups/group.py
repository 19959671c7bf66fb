"""What every group of settings is: values of the environment that do not change."""

from __future__ import annotations

from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["PREFIX", "SettingsGroup"]

PREFIX = "VITRINE_"


class SettingsGroup(BaseSettings):
    """Fields read from `VITRINE_*`; an empty variable counts as not set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
    )
