"""The application of an embedder: texts and prepared pictures in, vectors out."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

import numpy as np
from flask import Flask, Response, request
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from werkzeug.exceptions import Unauthorized

from service.container import current_vitrine, current_warm_up, put_vitrine
from service.errors import refuse, register_errors
from service.headers import register_headers
from service.incoming import StrictRequest
from service.logs import register_access_log
from service.metrics import register_metrics
from service.warming import WarmUp
from vitrine.embedding import Embedder
from vitrine.embedding.ports import PREPARATION
from vitrine.embedding.remote import FINGERPRINT, MOST_TEXTS, TRUNCATED, ModelDescription
from vitrine.errors import InvalidQuery
from vitrine.serving import run_once
from vitrine.wiring import Vitrine

__all__ = ["build_embedder", "load_model"]

_PROBES = ("/health/live", "/health/ready", "/metrics")


class TextsRequest(BaseModel):
    """Texts to embed."""

    model_config = ConfigDict(extra="forbid")

    texts: list[str] = Field(max_length=MOST_TEXTS)


class _Embedding(Flask):
    request_class = StrictRequest


def build_embedder(vitrine: Vitrine, *, warm_up: WarmUp | None = None) -> Flask:
    """A new application over the container; it loads nothing itself."""
    app = _Embedding("embedder", static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=int(vitrine.settings.max_body_mb * 1_000_000))
    put_vitrine(app, vitrine, None, warm_up or WarmUp(load=load_model))
    register_headers(app, vitrine.settings)
    register_errors(app)
    app.before_request(_let_in)
    register_metrics(app)
    register_access_log(app)
    app.add_url_rule("/health/live", view_func=_live)
    app.add_url_rule("/health/ready", view_func=_ready)
    app.add_url_rule("/v1/model", view_func=_model)
    app.add_url_rule("/v1/texts", view_func=_texts, methods=["POST"])
    app.add_url_rule("/v1/pictures", view_func=_pictures, methods=["POST"])
    return app


def load_model(vitrine: Vitrine) -> None:
    """Load the configured model and run it once."""
    run_once(vitrine.embedder)


def _let_in() -> None:
    """Only those who know the token, where there is one; 503 while the model is being loaded."""
    if request.path in _PROBES:
        return
    token = current_vitrine().settings.embedder_token.get_secret_value()
    scheme, _, sent_token = request.headers.get("Authorization", "").partition(" ")
    sound = hmac.compare_digest(sent_token.strip().encode("latin-1", "replace"), token.encode())
    if token and (scheme.lower() != "bearer" or not sound):
        raise Unauthorized("the embedder's token is missing or wrong; set VITRINE_EMBEDDER_TOKEN")
    current_warm_up().require()


def _live() -> Response:
    return Response("live\n", mimetype="text/plain")


def _ready() -> Response:
    current_warm_up().require()
    return Response("ready\n", mimetype="text/plain")


def _model() -> Response:
    """What the model is, and how it wants its pictures."""
    embedder = current_vitrine().embedder
    info, compute = embedder.info, embedder.compute
    description = ModelDescription.model_validate(
        {
            "name": info.name,
            "fingerprint": info.fingerprint,
            "dimension": info.dimension,
            "logit_scale": info.logit_scale,
            "image_size": info.image_size,
            "device": compute.device,
            "precision": compute.precision,
            "text_graphs": compute.text_graphs,
            "preparation": PREPARATION,
            "pictures": embedder.pictures,
        }
    )
    return Response(description.model_dump_json(), mimetype="application/json")


def _texts() -> Response:
    """A row per text."""
    try:
        texts = TextsRequest.model_validate_json(request.get_data()).texts
    except ValidationError as error:
        refuse(error)
    embedder = current_vitrine().embedder
    cut = [place for place, text in enumerate(texts) if embedder.truncates(text)]
    return _answer(embedder, embedder.embed_texts(texts), cut)


def _pictures() -> Response:
    """A row per picture: the body is levels as `Embedder.preprocess` gives them."""
    embedder = current_vitrine().embedder
    height, width = embedder.pictures.shape
    levels = np.frombuffer(request.get_data(), np.uint8)
    if len(levels) % (height * width * 3):
        message = f"must hold whole pictures of {height} x {width} x 3 bytes"
        raise InvalidQuery.of("body", message)
    return _answer(embedder, embedder.embed_pixels(levels.reshape(-1, height, width, 3)))


def _answer(embedder: Embedder, rows: NDArray[np.float32], cut: Sequence[int] = ()) -> Response:
    headers = {FINGERPRINT: embedder.info.fingerprint}
    if cut:
        headers[TRUNCATED] = ",".join(map(str, cut))
    return Response(
        rows.astype("<f4").tobytes(), mimetype="application/octet-stream", headers=headers
    )
