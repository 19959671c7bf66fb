"""Clients that are slow, silent or half gone, and how long others wait meanwhile.

`python -m tests.integration.service.slow_clients 60` watches a service with its own deadlines for a
minute and prints what was seen.
"""

from __future__ import annotations

import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from tests.integration.service.process import PATIENCE_S, ServiceProcess

__all__ = ["PATHS", "Crowd", "crowded", "longest_waits"]

PATHS = ("/health/live", "/health/ready", "/v1/search?q=red")
HEAD = b"POST /v1/search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
BODY = HEAD + b"Content-Length: 9000\r\n\r\n{"
ANSWERED = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"


class SlowClient:
    """Sends a beginning and then a little at a time; comes again whenever its connection ends."""

    def __init__(self, port: int, beginning: bytes, little: bytes = b"") -> None:
        self.ended = 0
        self._port, self._beginning, self._little = port, beginning, little
        self._connect()

    def step(self) -> None:
        """Look whether the connection has ended, and send a little more."""
        try:
            while self._socket.recv(65_536):
                pass
        except BlockingIOError:
            self._send(self._little)
        except ConnectionError:
            self._again()
        else:
            self._again()

    def close(self) -> None:
        self._socket.close()

    def _connect(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE_S)
        self._send(self._beginning)
        self._socket.setblocking(False)

    def _send(self, data: bytes) -> None:
        with suppress(ConnectionError, BlockingIOError):  # the next step finds it out
            self._socket.sendall(data)

    def _again(self) -> None:
        self.ended += 1
        self._socket.close()
        self._connect()


class Crowd:
    """16 slow bodies, 16 halves of heads, and 200 idle clients, half of them after a request."""

    def __init__(self, port: int) -> None:
        beginnings = {
            "slow body": [(BODY, b" ")] * 16,
            "half a head": [(HEAD[: number * 5], b"") for number in range(1, 17)],
            "silent": [(b"", b"")] * 100,
            "idle": [(ANSWERED, b"")] * 100,
        }
        self._clients = {
            kind: [SlowClient(port, *sent) for sent in clients]
            for kind, clients in beginnings.items()
        }

    def step(self) -> None:
        for clients in self._clients.values():
            for client in clients:
                client.step()

    def ended(self) -> dict[str, int]:
        """How often the connections of each kind were ended, in all."""
        return {kind: sum(c.ended for c in clients) for kind, clients in self._clients.items()}

    def close(self) -> None:
        for clients in self._clients.values():
            for client in clients:
                client.close()


def longest_waits(service: ServiceProcess, crowd: Crowd, seconds: float) -> Counter[str]:
    """The longest wait for each path while the crowd goes on."""
    waits: Counter[str] = Counter()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        crowd.step()
        for path in PATHS:
            began = time.monotonic()
            assert service.get(path).status_code == 200, path
            waits[path] = max(waits[path], time.monotonic() - began)
        time.sleep(0.1)
    return waits


@contextmanager
def crowded(service: ServiceProcess) -> Iterator[Crowd]:
    """The crowd before a service that is ready."""
    service.wait_until("/health/ready")
    service.get(PATHS[-1])
    with closing(Crowd(service.port)) as crowd:
        yield crowd


def main(seconds: float) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        ServiceProcess(Path(folder), threads=8) as service,
        crowded(service) as crowd,
    ):
        waits = longest_waits(service, crowd, seconds)
        print(f"{seconds:g} s; connections ended: {crowd.ended()}")
        for path, longest in waits.items():
            print(f"{path}: {longest:.3f} s at the longest")


if __name__ == "__main__":
    main(float(sys.argv[1]))
