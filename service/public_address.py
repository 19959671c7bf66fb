"""The address under which clients know the service, and who they are, behind a proxy.

What a client says about itself (SCRIPT_NAME, Forwarded, X-Forwarded-*) is ignored unless the
connection comes from a trusted proxy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from vitrine.settings import AddressSettings

__all__ = ["PublicAddress", "TrustedProxies"]

_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")
_FORWARDED = "HTTP_X_FORWARDED_"

Environ = dict[str, Any]
WsgiApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True)
class TrustedProxies:
    """The networks whose X-Forwarded-* fields are believed."""

    networks: tuple[Any, ...]

    @classmethod
    def of(cls, text: str) -> TrustedProxies:
        """Addresses and networks separated by commas; `ValueError` names an invalid one."""
        return cls(tuple(ip_network(part.strip()) for part in text.split(",") if part.strip()))

    def trust(self, address: str) -> bool:
        """Whether the address belongs to one of them."""
        parsed = _parsed(address)
        return parsed is not None and any(
            parsed.version == network.version and parsed in network for network in self.networks
        )

    def client(self, peer: str, forwarded: str) -> str:
        """The last address on the way here that does not belong to a trusted proxy."""
        way = [part.strip() for part in forwarded.split(",") if part.strip()]
        for address in reversed(way):
            if _parsed(address) is None:
                break
            peer = address
            if not self.trust(address):
                break
        return peer


class PublicAddress:
    """A WSGI application that is given the address that clients see.

    The path may come with the prefix or without it; both conventions of proxies work.
    """

    def __init__(self, app: WsgiApp, settings: AddressSettings) -> None:
        self._app = app
        self._proxies = TrustedProxies.of(settings.trusted_proxies)
        self._public = urlsplit(settings.public_url) if settings.public_url else None

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Pass the request on."""
        forwarded = {
            name: str(environ.pop(_FORWARDED + name, ""))
            for name in ("FOR", "PROTO", "HOST", "PREFIX")
        }
        environ["SCRIPT_NAME"] = ""
        if self._proxies.trust(environ["REMOTE_ADDR"]):
            self._believe(environ, forwarded)
        if self._public is not None:
            environ["wsgi.url_scheme"] = self._public.scheme
            environ["HTTP_HOST"] = self._public.netloc
            environ["SCRIPT_NAME"] = self._public.path.rstrip("/")
        _take_prefix(environ)
        return self._app(environ, start_response)

    def _believe(self, environ: Environ, forwarded: dict[str, str]) -> None:
        environ["REMOTE_ADDR"] = self._proxies.client(environ["REMOTE_ADDR"], forwarded["FOR"])
        if _last(forwarded["PROTO"]) in ("http", "https"):
            environ["wsgi.url_scheme"] = _last(forwarded["PROTO"])
        if _HOST.fullmatch(_last(forwarded["HOST"])):
            environ["HTTP_HOST"] = _last(forwarded["HOST"])
        prefix = _last(forwarded["PREFIX"]).rstrip("/")
        if _PREFIX.fullmatch(prefix):
            environ["SCRIPT_NAME"] = prefix


def _take_prefix(environ: Environ) -> None:
    """Remove the prefix from the path if the proxy has left it there."""
    prefix, path = environ["SCRIPT_NAME"], environ["PATH_INFO"]
    if prefix and (path == prefix or path.startswith(f"{prefix}/")):
        environ["PATH_INFO"] = path[len(prefix) :] or "/"


def _last(values: str) -> str:
    """The value set by the nearest proxy, which is the last one."""
    return values.rpartition(",")[2].strip()


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.removeprefix("[").partition("]")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
