"""Runs the service under gunicorn, from the bound socket to the last answer."""

from __future__ import annotations

import gc
import logging
import os
import select
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

from service.edge.limits import EdgeLimits
from service.edge.worker import ServingEdge
from service.embedding.child import EmbedderChild, embedder_beside
from service.gunicorn_settings import counting_together, gunicorn_settings
from service.logs import configure_service_logging
from service.ready_processes import ReadyProcesses
from service.warming import WarmUp
from vitrine.cores import usable_cores
from vitrine.errors import InvalidSettings, ModelLoading, ModelUnavailable, VitrineError
from vitrine.freed_memory import collect_cycles_seldom, keep_freed_memory
from vitrine.settings import PREFIX, Settings
from vitrine.storage.data_folder import require_writable
from vitrine.unix_sockets import UNIX
from vitrine.wiring import Vitrine

__all__ = ["Report", "Server", "listen", "run"]

log = logging.getLogger(__name__)

_BACKLOG = 2048
_MOST_PROCESSES = 8
"""Serving processes where the settings leave it to the cores: with their threads they stay below
the 512 that a container of the Compose stack may have."""
_LOOK_S = 1.0
"""Seconds between checks of the live version when nobody searches."""


def run(
    vitrine: Vitrine,
    kind: Callable[[Vitrine, socket.socket, Report], Server] | None = None,
    *,
    listening: socket.socket | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then let running requests end.

    `kind` serves another app; `listening` is a socket that is bound already.

    Nothing of the container may be in use yet: each serving process opens what it needs after the
    fork.

    Raises `InvalidSettings` when the address cannot be bound, the data folder not be written or the
    index not be shared by the serving processes, and
    `ModelUnavailable` when a serving process finds at its start that no model can be had.
    """
    settings = vitrine.settings = _with_processes(vitrine.settings)
    configure_service_logging(settings)
    require_writable(settings.data_dir)
    _require_index_for_all(settings)
    _ = vitrine.signer  # made once, before there are several processes
    keep_freed_memory()
    collect_cycles_seldom()
    server = (kind or Server)(vitrine, listening or listen(settings), Report())
    master = os.getpid()
    with embedder_beside(vitrine) as server.embedder, counting_together(settings):
        gc.freeze()  # what is there stays shared with the serving processes
        try:
            server.run()
        except SystemExit as stopped:
            if os.getpid() != master:
                raise  # a serving process ends
            server.report.raise_if_any()
            if server.embedder is not None and server.embedder.refused:
                raise ModelUnavailable(
                    "the embedder cannot start; see its messages above"
                ) from None
            if stopped.code:
                raise


def _with_processes(settings: Settings) -> Settings:
    """The settings with a number of serving processes.

    Two cores get one: there the forward pass and one process use both. With more, each process
    has 35 MB of its own, as measured over three products, and what it caches; the index's files
    are mapped and shared, and the model is in the embedder alone.
    """
    if settings.workers:
        return settings
    workers = 1 if _is_index_of_one(settings) else min(max(1, usable_cores() // 2), _MOST_PROCESSES)
    return settings.model_copy(update={"workers": workers})


def _is_index_of_one(settings: Settings) -> bool:
    return settings.backend == "qdrant" and "://" not in settings.qdrant_url


def _require_index_for_all(settings: Settings) -> None:
    """Qdrant's local mode is one process's own: beside it another finds the folder locked."""
    if _is_index_of_one(settings) and settings.workers > 1:
        raise InvalidSettings.of(
            f"{PREFIX}WORKERS",
            f"must be 1 where {PREFIX}QDRANT_URL is a folder or :memory:, not {settings.workers}; "
            "start a Qdrant server for more",
        )


def listen(settings: Settings) -> socket.socket:
    """A socket on the address of the settings; `InvalidSettings` when it cannot be bound."""
    host, port = settings.host, settings.port
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
            0
        ][0]
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, UnicodeError) as error:  # the latter of a host such as "a..b"
        cause = str(getattr(error, "strerror", None) or error)
        cause = cause.partition(" (while")[0]  # the rest repeats the address
        why = (
            f"cannot listen on {host}:{port} ({cause}); "
            "stop what listens there, or choose another address"
        )
        raise InvalidSettings.of(f"{PREFIX}HOST, {PREFIX}PORT", why) from None


def _url_of(listening: socket.socket) -> str:
    """The address at which the socket is reached."""
    if listening.family == socket.AF_UNIX:
        return f"{UNIX}{listening.getsockname()}"
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Report:
    """What kept a serving process from starting, for the process that started it."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)

    def send(self, sentence: str) -> None:
        os.write(
            self._write, sentence.encode()[: select.PIPE_BUF - 1] + b"\0"
        )  # so short a write is never torn

    def raise_if_any(self) -> None:
        """Raise the first sentence that was sent."""
        try:
            message = os.read(self._read, select.PIPE_BUF)
        except BlockingIOError:
            return
        raise ModelUnavailable(message.partition(b"\0")[0].decode("utf-8", "replace"))


class _Arbiter(Arbiter):  # type: ignore[misc]  # gunicorn ships no types
    """Gunicorn's, which also looks after the embedder."""

    def stop(self, graceful: bool = True) -> None:
        """As gunicorn's, which removes the file of a Unix socket unless systemd handed it over:
        nor is it to be removed while another process keeps it for the next embedder."""
        self.systemd = self.app.inherited
        super().stop(graceful)

    def manage_workers(self) -> None:
        """As gunicorn's, once a second."""
        self.app.tend()
        super().manage_workers()

    def reap_workers(self) -> None:
        """Look first how the embedder ended, since gunicorn clears all children away."""
        self.app.tend()
        super().reap_workers()


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """Gunicorn with the service's settings; the application is made in each serving process."""

    name = "Vitrine"
    inherited = False
    """Whether another process keeps the socket when this one ends."""
    embedder: EmbedderChild | None = None
    """The embedder that this service has started for its processes."""

    def __init__(self, vitrine: Vitrine, listening: socket.socket, report: Report) -> None:
        self.report = report
        self.vitrine = vitrine
        self._url = _url_of(listening)
        self.limits = EdgeLimits.of(vitrine.settings)
        self._gunicorn_settings = gunicorn_settings(vitrine.settings, listening.detach())
        self.warm_up = WarmUp()
        self._ready = ReadyProcesses()
        self._made = threading.Event()
        self._ended = threading.Event()
        self._announced = False
        super().__init__()

    def run(self) -> None:
        """Serve until the end."""
        _Arbiter(self).run()

    def tend(self) -> None:
        """Keep the embedder running; called in the process that starts the serving ones."""
        if self.embedder is not None:
            self.embedder.tend()
            if self.embedder.refused:
                os.kill(os.getpid(), signal.SIGTERM)

    def load_config(self) -> None:
        """Hand gunicorn its settings."""
        hooks: dict[str, Callable[..., Any]] = {
            "post_fork": self._warm,
            "post_worker_init": lambda _: self._made.set(),
            "worker_exit": self._close,
        }
        for name, value in (self._gunicorn_settings | hooks).items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application of one serving process."""
        self._app = self.make_app()
        return self._app

    def make_app(self) -> Flask:
        """A new application."""
        from service import create_app

        return create_app(self.vitrine, warm_up=self.warm_up)

    def show_load(self, edge: ServingEdge) -> None:
        """Show in the metrics how many requests wait, how many connections are open and what the
        models have done."""
        from service.metrics import metrics_of

        shown = metrics_of(self._app)
        shown.follow_models(self.vitrine.embedders.loaded)
        shown.waiting.set(edge.workload.waiting)
        shown.connections.set(edge.connections)

    def leaves_connections(self) -> bool:
        """Whether this process is not ready, but another one is."""
        return self.warm_up.obstacle is not None and self._ready.has_other()

    def count_refusal(self, reason: str) -> None:
        """Count a request that was refused before the application saw it."""
        from service.metrics import metrics_of  # here, after the folder of its counts is known

        metrics_of(self._app).refused.labels(reason).inc()

    def _warm(self, _: Arbiter, worker: Worker) -> None:
        """Load the model while the application is made, and beside the first requests; until it is
        there searches answer 503."""
        self.warm_up.begin()
        threading.Thread(
            target=self._load_model, args=(worker,), name="warm-up", daemon=True
        ).start()

    def _load_model(self, worker: Worker) -> None:
        longest_s = self.vitrine.settings.request_timeout_s

        def go_on(obstacle: VitrineError) -> bool:
            self._made.wait(longest_s)  # before that the process takes no signal
            hopeless = isinstance(obstacle, ModelUnavailable | InvalidSettings) and not isinstance(
                obstacle, ModelLoading
            )
            if not hopeless or worker.age > self.vitrine.settings.workers:
                self._announce(worker)
                return True  # the index may come back; a process that is replaced had its model
            self.report.send(str(obstacle))
            os.kill(worker.ppid, signal.SIGTERM)
            return False

        if self.warm_up.run(self.vitrine, self._ended, go_on):
            self._ready.join()
            self._made.wait(longest_s)
            self._announce(worker)
            self.follow()

    def _announce(self, worker: Worker) -> None:
        if worker.age == 1 and not self._announced:
            self._announced = True
            processes, threads = self._gunicorn_settings["workers"], self.limits.threads
            several = "1 process" if processes == 1 else f"{processes} processes"
            beside = "" if self.embedder is None else ", an embedder beside"
            how = f"{several} of {threads} threads{beside}"
            log.info("%s answers on %s (%s)", self.name, self._url, how)

    def follow(self) -> None:
        """Prepare a version that was published while nobody searched before the next search."""
        while not self._ended.wait(_LOOK_S):
            with suppress(VitrineError):  # a search will tell
                self.vitrine.live.current()

    def _close(self, _: Arbiter, __: Worker) -> None:
        self._ended.set()
        self.vitrine.close()
