"""Serves a stand-in model as `vitrine embedder` serves a real one; a process of its own."""

from __future__ import annotations

from service.embedding.serving import EmbedderServer
from service.serving import run
from tests.unit.service.test_embedder import Model
from vitrine.settings import load_settings
from vitrine.wiring import Vitrine

if __name__ == "__main__":
    run(Vitrine(load_settings(), embedder=lambda _: Model()), EmbedderServer)
