"""How gunicorn runs the service: threads, timeouts, logs and metrics from the settings."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gunicorn.glogging import Logger

from service.edge.worker import EdgeWorker
from vitrine.settings import ServiceSettings
from vitrine.storage.owned_folder import OwnedFolder

__all__ = ["METRICS_FOLDER", "ServiceLogger", "counting_together", "gunicorn_settings"]

METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the folder in which serving processes count together."""
_FOLDER = "vitrine-metrics-"


class ServiceLogger(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """Gunicorn's own messages, in the service's format; access lines are the service's own."""

    def setup(self, cfg: Any) -> None:
        """Let warnings and errors through to the root logger, and nothing else."""
        self.cfg = cfg
        self._access_log_enabled = False
        self.error_log.propagate = True
        self.error_log.setLevel("WARNING")


def gunicorn_settings(settings: ServiceSettings, listening: int) -> dict[str, Any]:
    """Gunicorn's settings; `listening` is a bound socket's descriptor, which gunicorn then owns.

    The application is made in each serving process, after the fork, because the threads of the
    model runtimes do not survive one.
    """
    return {
        "bind": f"fd://{listening}",
        "worker_class": EdgeWorker,
        "workers": settings.workers,
        "timeout": settings.request_timeout_s,
        "graceful_timeout": settings.graceful_timeout_s,
        "preload_app": False,
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
    owner, folder = os.getpid(), OwnedFolder(_FOLDER)
    os.environ[METRICS_FOLDER] = str(folder.path)
    try:
        yield
    finally:
        if os.getpid() == owner:  # a serving process leaves this way too
            del os.environ[METRICS_FOLDER]
            folder.remove()
