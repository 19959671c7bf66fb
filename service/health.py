"""`/health`: whether the process lives, and whether it can answer a search."""

from __future__ import annotations

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import Field

from service.container import current_readiness, current_warm_up
from service.models.base import Answer, answer

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
    current_warm_up().require()
    return answer(ReadyAnswer.model_validate(current_readiness().check(), from_attributes=True))
