"""The service and its serving processes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr

from vitrine.settings.groups.checks import matching
from vitrine.settings.groups.log import LogSettings

__all__ = ["ServiceSettings"]

_KeyIds = Annotated[
    str,
    matching(
        r"(\s*\w+\s*(,|$))*",
        "must be ids of search keys, separated by commas, as `vitrine keys list` shows them",
    ),
]


class ServiceSettings(LogSettings):
    """The service and its serving processes."""

    host: str = Field("127.0.0.1", description="address the service binds")
    port: int = Field(8000, ge=0, le=65535, description="port the service binds; 0: any free one")
    workers: int = Field(
        0,
        ge=0,
        le=256,
        description="serving processes; 0: one for two cores, from one to eight",
    )
    threads: int = Field(16, ge=1, le=256, description="threads of each serving process")
    request_timeout_s: int = Field(
        60, ge=1, le=3600, description="seconds after which a stuck serving process is replaced"
    )
    graceful_timeout_s: int = Field(
        30, ge=1, le=3600, description="seconds that running requests get when the service stops"
    )
    admin_token: SecretStr = Field(
        SecretStr(""), description="bearer token of the admin API; empty: the admin API answers 403"
    )
    require_key: bool = Field(
        False, description="whether searches need a search key (`vitrine keys add`)"
    )
    revoked_keys: _KeyIds = Field(
        "",
        description="ids of search keys, separated by commas, that are refused, besides those"
        " revoked by `vitrine keys revoke`",
    )
    client_rate: float = Field(
        0, ge=0, le=100_000, description="requests a second of one client address; 0: any number"
    )
