"""`/health`: whether the process lives, and whether it can answer a search."""

from __future__ import annotations

from time import time_ns

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import Field

from service.container import current_vitrine, is_warming
from service.models.base import Answer
from service.rendering import answer
from vitrine.errors import ModelLoading

__all__ = ["health"]

health = APIBlueprint("health", __name__, abp_tags=[Tag(name="Operation")])


class LiveAnswer(Answer):
    """The process answers."""

    status: str = Field(default="live", description="always live")


class ReadyAnswer(Answer):
    """Searches are answered."""

    status: str = Field(default="ready", description="always ready")
    version: str
    model: str
    backend: str
    products: int = Field(description="in the live version")


@health.get("/health/live", responses={200: LiveAnswer})
def live() -> Response:
    """Tell that the process answers; it touches neither model nor index."""
    return answer(LiveAnswer())


@health.get("/health/ready", responses={200: ReadyAnswer})
def ready() -> Response:
    """Embed a probe and read the live version; 503 says what is missing."""
    if is_warming():
        raise ModelLoading("the model is being loaded; try again soon")
    vitrine = current_vitrine()
    serving = vitrine.live.current()
    serving.embedder.embed_texts([f"probe {time_ns()}"])  # a text that no cache knows
    info = serving.index.info
    return answer(
        ReadyAnswer(
            version=info.name,
            model=info.model,
            backend=info.backend,
            products=serving.index.count(),
        )
    )
