"""A service of its own to measure, through gunicorn as `vitrine serve` runs it."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from vitrine.settings import Settings

__all__ = ["MemoryUse", "Service", "running", "served"]


@dataclass(frozen=True)
class MemoryUse:
    """Megabytes, of shared pages the share (PSS): `own` memory, and pages of `mapped` files, such
    as the index's, which stay with the system's cache and are taken back where it needs room."""

    own: float
    mapped: float


@dataclass(frozen=True)
class Service:
    """A service that is ready, and how long that took."""

    port: int
    process: psutil.Process
    ready_s: float

    def memory(self) -> MemoryUse:
        """The memory of the service and its workers."""
        parts = Counter[str]()
        for process in self._processes():
            rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text("ascii")
            for line in rollup.splitlines()[1:]:
                name, kilobytes, _ = line.split()
                parts[name] += int(kilobytes)
        own = parts["Pss_Anon:"] + parts["Pss_Shmem:"]
        return MemoryUse(own * 1024 / 1e6, parts["Pss_File:"] * 1024 / 1e6)

    def processor_s(self) -> float:
        """Seconds of a core that the service and its workers have taken."""
        times = [process.cpu_times() for process in self._processes()]
        return float(sum(taken.user + taken.system for taken in times))

    def _processes(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


@contextmanager
def served(settings: Settings, *, workers: int = 1) -> Iterator[Service]:
    """A service with so many serving processes (0: as many as it takes by default), ended in the
    end."""
    environment = {
        "VITRINE_DATA_DIR": str(settings.data_dir),
        "VITRINE_MODEL": settings.model,
        "VITRINE_RUNTIME": settings.runtime,
        "VITRINE_WORKERS": str(workers),
    }
    with running("service", environment) as service:
        yield service


@contextmanager
def running(module: str, environment: Mapping[str, str]) -> Iterator[Service]:
    """A program that listens on `VITRINE_PORT`, with these settings besides; ended in the end."""
    port = _free_port()
    environment = os.environ | {
        "VITRINE_PORT": str(port),
        "VITRINE_LOG_LEVEL": "warning",
        **environment,
    }
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", module], env=environment)
    try:
        while not _ready(port):
            if process.poll() is not None or time.perf_counter() - started > 120:
                raise SystemExit("the service did not become ready")
            time.sleep(0.02)
        yield Service(port, psutil.Process(process.pid), time.perf_counter() - started)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def _ready(port: int) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port
