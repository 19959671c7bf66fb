"""The application factory."""

from __future__ import annotations

from flask import Flask
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI
from werkzeug.routing import BaseConverter

from service.container import put_vitrine
from service.errors import refuse, register_errors
from service.headers import register_headers
from service.health import health
from service.incoming import StrictRequest
from service.models.problem import Problem
from service.openapi import docs
from service.products import products
from service.search import search
from vitrine.wiring import Vitrine

__all__ = ["create_app"]


class IdConverter(BaseConverter):
    """A product id in a path: any text, slashes included."""

    regex = ".+?"
    part_isolating = False


class Service(OpenAPI):
    """The Flask application of the service."""

    request_class = StrictRequest


def create_app(vitrine: Vitrine) -> Flask:
    """A new application over the container; nothing is loaded or opened yet."""
    app = Service(
        "service",
        info=Info(title="Vitrine", version="1"),
        doc_ui=False,
        validation_error_callback=refuse,
        validation_error_model=Problem,
    )
    limit = int(vitrine.settings.max_body_mb * 1_000_000)
    app.config.update(MAX_CONTENT_LENGTH=limit, MAX_FORM_MEMORY_SIZE=limit, MAX_FORM_PARTS=16)
    app.url_map.converters["id"] = IdConverter
    app.url_map.merge_slashes = False
    put_vitrine(app, vitrine)
    register_headers(app)
    register_errors(app)
    for room in (search, products, health):
        app.register_api(room)
    app.register_blueprint(docs)
    return app
