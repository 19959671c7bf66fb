"""Connections to addresses that may be fetched from, under one deadline for a whole fetch.

The host's addresses are checked and the connection goes to a checked address, so a name that
resolves differently a moment later (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any

import httpcore

from vitrine.errors import InvalidImage
from vitrine.images.addresses import is_public, resolve

__all__ = ["GuardedNetwork"]


class GuardedNetwork(httpcore.NetworkBackend):
    """Opens connections to checked addresses only, all under the calling thread's deadline."""

    def __init__(self, private: bool) -> None:
        self._private = private
        self._system = httpcore.SyncBackend()
        self._clock = threading.local()

    def start(self, seconds: float) -> None:
        """Set the deadline of what this thread does next."""
        self._clock.deadline = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds until the deadline; `httpcore.ReadTimeout` when it has passed."""
        left = float(self._clock.deadline) - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the deadline has passed")
        return left

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of the host that may be fetched from and answers."""
        addresses = resolve(host, port, timeout_s=self.remaining())
        allowed = [address for address in addresses if self._private or is_public(address)]
        if not allowed:
            raise InvalidImage(
                "forbidden_address",
                f"the host {host!r} is in a private network; "
                "set VITRINE_FETCH_PRIVATE=true where such addresses may be fetched from",
            )
        for address in allowed[:-1]:
            try:
                return self._connect(address, port, socket_options)
            except httpcore.ConnectError:
                continue
        return self._connect(allowed[-1], port, socket_options)

    def _connect(
        self, address: str, port: int, socket_options: Iterable[Any] | None
    ) -> httpcore.NetworkStream:
        return _TimedStream(
            self._system.connect_tcp(
                address, port, self.remaining(), socket_options=socket_options
            ),
            self,
        )


class _TimedStream(httpcore.NetworkStream):
    """A connection on which every wait ends at the calling thread's deadline."""

    def __init__(self, stream: httpcore.NetworkStream, network: GuardedNetwork) -> None:
        self._stream = stream
        self._network = network

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read `max_bytes` at most."""
        return self._stream.read(max_bytes, self._network.remaining())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all the bytes."""
        self._stream.write(buffer, self._network.remaining())

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """The connection under TLS; the certificate must be the host name's, not the address's."""
        return _TimedStream(
            self._stream.start_tls(ssl_context, server_hostname, self._network.remaining()),
            self._network,
        )

    def get_extra_info(self, info: str) -> Any:
        """What httpcore asks about the connection."""
        return self._stream.get_extra_info(info)
