"""What `vitrine doctor` checks of the service: whether it can listen at its address."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

import httpx

from vitrine.wiring import Vitrine

__all__ = ["port"]

_TIMEOUT_S = 3.0
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # where a wildcard address is reached
_REMEDIES = {
    errno.EACCES: "this user may not bind it; set VITRINE_PORT to 1024 or more",
    errno.EADDRNOTAVAIL: "this machine does not have the address; correct VITRINE_HOST",
}


def port(vitrine: Vitrine) -> Iterator[str]:
    """A fault where the service could not listen at its address, unless it does so already."""
    host, number = vitrine.settings.host, vitrine.settings.port
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, number, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the service does
            probe.bind(address)
    except (socket.gaierror, UnicodeError) as error:  # the latter of "a..b"
        yield f"VITRINE_HOST: {host} is not an address ({getattr(error, 'strerror', error)})"
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            yield f"{host}, port {number}: {_REMEDIES.get(error.errno or 0, error.strerror)}"
        elif not _is_service(_ANY.get(host, host), number):
            yield f"port {number} is taken by another program; stop it, or set VITRINE_PORT"


def _is_service(host: str, number: int) -> bool:
    """Whether it is Vitrine's service that answers there."""
    address = httpx.URL(scheme="http", host=host, port=number, path="/health/live")
    try:
        answered = httpx.get(address, timeout=_TIMEOUT_S, trust_env=False)
        return bool(answered.json() == {"status": "live"})
    except (httpx.HTTPError, ValueError):
        return False
