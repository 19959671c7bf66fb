"""How programs log."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vitrine.settings.groups.group import SettingsGroup

__all__ = ["LogSettings"]


class LogSettings(SettingsGroup):
    """How programs log."""

    log_format: Literal["human", "json"] = Field(
        "human", description="log lines for people or for machines"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="least severe level logged"
    )
