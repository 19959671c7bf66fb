"""An embedder runs as the service does: one process, a bounded queue, limits for slow clients."""

from __future__ import annotations

import os
import select
import signal
import socket

from flask import Flask

from service.edge.worker import ServingEdge
from service.embedding.app import build_embedder, load_model
from service.serving import Report, Server
from service.warming import WarmUp
from vitrine.wiring import Vitrine

__all__ = ["EmbedderServer"]


class EmbedderServer(Server):
    """Serves the model alone: no index is opened.

    `alive` is a pipe whose other end the service holds that started it and keeps its socket: it
    ends with that.
    """

    name = "the embedder"

    def __init__(
        self,
        vitrine: Vitrine,
        listening: socket.socket,
        report: Report,
        *,
        alive: int | None = None,
    ) -> None:
        self._alive = alive
        self.inherited = alive is not None
        super().__init__(vitrine, listening, report)
        self.warm_up = WarmUp(load=load_model)

    def make_app(self) -> Flask:
        """The embedder's application."""
        return build_embedder(self.vitrine, warm_up=self.warm_up)

    def follow(self) -> None:
        """Nothing to follow: there are no versions."""

    def show_load(self, edge: ServingEdge) -> None:
        """Show the load, a few times a second; then see whether the service is still there."""
        super().show_load(edge)
        if self._alive is not None and select.select([self._alive], [], [], 0)[0]:
            os.kill(os.getppid(), signal.SIGTERM)
