"""How gunicorn runs the service: threads, timeouts, logs and metrics from the settings."""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.http.errors import LimitRequestLine
from gunicorn.workers.gthread import ThreadWorker

from service.models.problem import MEDIA_TYPE
from vitrine.settings import ServiceSettings

__all__ = ["ServiceLogger", "ServiceWorker", "counting_together", "gunicorn_settings"]

_METRICS = "PROMETHEUS_MULTIPROC_DIR"
_LONGEST_ADDRESS = 8190
"""Bytes of a request line, the most that gunicorn allows: a cursor carries a vector."""
_TOO_LONG = {
    "type": "about:blank",
    "title": "URI Too Long",
    "status": 414,
    "detail": f"the address has more than {_LONGEST_ADDRESS} bytes; "
    "send the same search as JSON by POST to /v1/search",
    "instance": "",
    "request_id": "",
}


class ServiceLogger(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """Gunicorn's own messages, in the service's format; access lines are the service's own."""

    def setup(self, cfg: Any) -> None:
        """Let warnings and errors through to the root logger, and nothing else."""
        self.cfg = cfg
        self._access_log_enabled = False
        self.error_log.propagate = True
        self.error_log.setLevel("WARNING")


class ServiceWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """Threads that answer an address too long to be read with a problem document."""

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        """Answer a request that could not be read."""
        if not isinstance(exc, LimitRequestLine):
            super().handle_error(req, client, addr, exc)
            return
        body = json.dumps(_TOO_LONG).encode()
        head = (
            f"HTTP/1.1 414 URI Too Long\r\nContent-Type: {MEDIA_TYPE}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        with suppress(OSError):
            client.sendall(head.encode() + body)


def gunicorn_settings(settings: ServiceSettings, listening: int) -> dict[str, Any]:
    """Gunicorn's settings; `listening` is a bound socket's descriptor, which gunicorn then owns.

    The application is made in each serving process, after the fork, because the threads of the
    model runtimes do not survive one.
    """
    return {
        "bind": f"fd://{listening}",
        "worker_class": ServiceWorker,
        "workers": settings.workers,
        "threads": settings.threads,
        "timeout": settings.request_timeout_s,
        "graceful_timeout": settings.graceful_timeout_s,
        "keepalive": 5,
        "preload_app": False,
        "limit_request_line": _LONGEST_ADDRESS,
        "logger_class": ServiceLogger,
        "accesslog": None,
        "control_socket_disable": True,
        "proc_name": "vitrine",
    }


@contextmanager
def counting_together(settings: ServiceSettings) -> Iterator[None]:
    """Have several serving processes count into one folder, which this process removes."""
    if settings.workers == 1:
        yield
        return
    owner, folder = os.getpid(), tempfile.mkdtemp(prefix="vitrine-metrics-")
    os.environ[_METRICS] = folder
    try:
        yield
    finally:
        if os.getpid() == owner:  # a serving process leaves this way too
            del os.environ[_METRICS]
            shutil.rmtree(folder, ignore_errors=True)
