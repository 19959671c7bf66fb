"""The public address of the service, and what other sites may do with it."""

from __future__ import annotations

import re
from ipaddress import ip_network
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from vitrine.settings.groups.checks import is_address
from vitrine.settings.groups.group import SettingsGroup

__all__ = ["AddressSettings"]

_OWN_PATHS = ("admin", "assets", "docs", "health", "metrics", "product", "static", "try", "v1")


class AddressSettings(SettingsGroup):
    """The public address of the service, and what other sites may do with it."""

    public_url: str = Field(
        "", description="address that clients know, such as https://shop.example/search"
    )
    trusted_proxies: str = Field(
        "",
        description="addresses or networks, separated by commas, whose X-Forwarded-For, -Proto, "
        "-Host and -Prefix are believed",
    )
    cors_origins: str = Field(
        "",
        description="origins, separated by commas, whose pages may call the API; * for any",
    )
    frame_ancestors: str = Field(
        "", description="origins, separated by commas, that may show the pages in a frame"
    )

    @field_validator("public_url")
    @classmethod
    def _known_public_url(cls, url: str) -> str:
        if url and not is_address(url):
            raise ValueError("must be http:// or https://, a host and perhaps a port and a path")
        parts = urlsplit(url)
        if parts.query or parts.fragment or parts.username:
            raise ValueError("must end with the path, and name no user")
        if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*/?", parts.path):
            raise ValueError("must have a path of letters, digits and . _ ~ - only")
        first = parts.path.split("/")[1] if parts.path.strip("/") else ""
        if first in _OWN_PATHS:
            raise ValueError(f"must not begin with /{first}, which is a path of the service itself")
        return url.rstrip("/")

    @field_validator("trusted_proxies")
    @classmethod
    def _known_networks(cls, text: str) -> str:
        for part in filter(None, map(str.strip, text.split(","))):
            try:
                ip_network(part)
            except ValueError:
                raise ValueError(
                    f"{part!r} is not an address or a network; write 10.0.0.5 or 10.0.0.0/8"
                ) from None
        return text

    @field_validator("cors_origins", "frame_ancestors")
    @classmethod
    def _known_origins(cls, text: str) -> str:
        for part in (part.strip() for part in text.split(",")):
            if part and part != "*" and not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d+)?", part):
                raise ValueError(f"{part!r} is not an origin; write https://shop.example")
        return text
