"""An embedder runs as the service does: one process, a bounded queue, limits for slow clients."""

from __future__ import annotations

from flask import Flask

from service.embedding.app import build_embedder
from service.serving import Server

__all__ = ["EmbedderServer"]


class EmbedderServer(Server):
    """Serves the model alone: no index is opened."""

    name = "the embedder"

    def make_app(self) -> Flask:
        """The embedder's application."""
        return build_embedder(self.vitrine)

    def follow(self) -> None:
        """There is no version to follow."""
