"""A Redis server for one test session, on a free loopback port.

Without the program the tests fail, they do not skip.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import SystemRandom

import redis

from tests.support.waiting import until

_PORTS = range(20_000, 32_000)
"""Below those that the system lends to connections (ip_local_port_range): nothing but a test takes
one of these before the server that it is for has started. Ray takes those from 10,001 to 19,999."""


def free_port() -> int:
    """A port that nobody listens on now."""
    while True:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", SystemRandom().choice(_PORTS)))
            return int(probe.getsockname()[1])


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """The URL of a server that keeps nothing beyond the block."""
    program = shutil.which("redis-server")
    assert program is not None, (
        "redis-server is missing; install it (Debian: apt-get install redis-server)"
    )
    port = free_port()
    command = [
        program,
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--dir",
        str(folder),
    ]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(60)


def _wait(port: int) -> None:
    def answers() -> bool:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False

    with redis.Redis(port=port) as client:
        until(answers, "redis-server answers")
