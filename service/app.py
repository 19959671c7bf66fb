"""The application factory."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Flask, Request, request
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI
from werkzeug.routing import BaseConverter, MapAdapter

from service.access import register_access
from service.admin import admin as admin_api
from service.auth import SCHEME
from service.catalogues import catalogues
from service.container import current_warm_up, put_vitrine
from service.cross_origin import register_cross_origin
from service.errors import refuse, register_errors
from service.headers import register_headers
from service.health import health
from service.incoming import StrictRequest
from service.logs import register_access_log
from service.metrics import register_metrics
from service.models.problem import Problem
from service.openapi import docs
from service.pages import pages
from service.photos import photos
from service.products import products
from service.public_address import PublicAddress
from service.recognition import recognition
from service.schedules import schedules
from service.search import search
from service.thumbnails import thumbnails
from service.warming import WarmUp
from vitrine.errors import FieldError, InvalidQuery
from vitrine.wiring import Vitrine

if TYPE_CHECKING:
    from ingest.admin import Admin

__all__ = ["build", "with_whole_id"]

_ABOUT = """Search a shop's products by words or by picture, behind price and color filters.

Every refusal is a problem document (RFC 9457, `application/problem+json`) that names the field,
what is wrong and what is allowed.
A field of a request's body that is optional and has no default may be null: that is as good as
leaving it out, except in the changes of a product, where null empties a field of the catalogue.
Every answer has an `X-Request-ID`, yours where you send one; the log names it."""


_SEARCHING = (search.name, products.name, thumbnails.name, recognition.name, photos.name)
_PRODUCTS = "/v1/products/"
_OF_THE_ID = "\udc2f"
"""Stands for a slash of an id while the path is matched; no text that came as UTF-8 holds it."""


class IdConverter(BaseConverter):
    """A product id in a path: any text, slashes included."""

    regex = ".+?"
    part_isolating = False

    def to_python(self, value: str) -> str:
        """The id, with its own slashes."""
        return value.replace(_OF_THE_ID, "/")


def with_whole_id(path: str, environ: dict[str, Any]) -> str:
    """The path to be matched, in which an id that was sent whole cannot be taken apart.

    `/v1/products/a%2Fimage` is the product `a/image`, `/v1/products/a/image` the picture of `a`.
    The path alone does not tell them apart, for it is unquoted; the raw address does.
    """
    raw = str(environ.get("RAW_URI", "")).partition("?")[0]
    whole = raw.partition(_PRODUCTS)[2]
    if not path.startswith(_PRODUCTS) or not whole or "/" in whole:
        return path
    return _PRODUCTS + path.removeprefix(_PRODUCTS).replace("/", _OF_THE_ID)


class Service(OpenAPI):
    """The Flask application of the service."""

    request_class = StrictRequest

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself: none here is asynchronous, for which Flask looks at every call."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Flask's, which also knows which slashes of the address belong to a product's id."""
        adapter = super().create_url_adapter(request)
        if adapter is not None and request is not None:
            adapter.path_info = with_whole_id(adapter.path_info, request.environ)
        return adapter


def build(vitrine: Vitrine, *, admin: Admin | None = None, warm_up: WarmUp | None = None) -> Flask:
    """A new application over the container; see `service.create_app`."""
    app = Service(
        "service",
        info=Info(title="Vitrine", version="1", description=_ABOUT),
        doc_ui=False,
        static_folder="static",
        security_schemes=SCHEME,
        validation_error_callback=refuse,
        validation_error_model=Problem,
    )
    limit = int(vitrine.settings.max_body_mb * 1_000_000)
    app.config.update(MAX_CONTENT_LENGTH=limit, MAX_FORM_MEMORY_SIZE=limit, MAX_FORM_PARTS=16)
    app.url_map.converters["id"] = IdConverter
    app.url_map.merge_slashes = False
    put_vitrine(app, vitrine, admin, warm_up)
    register_headers(app, vitrine.settings)
    register_cross_origin(app, vitrine.settings.cors_origins)
    register_errors(app)
    app.before_request(_require_loaded)
    register_metrics(app)
    register_access(app, vitrine.settings, vitrine.signer)
    register_access_log(app)
    for blueprint in (
        search,
        products,
        thumbnails,
        recognition,
        photos,
        admin_api,
        catalogues,
        schedules,
        health,
    ):
        app.register_api(blueprint)
    app.before_request(_refuser_of_parameters(app))
    app.register_blueprint(docs)
    app.register_blueprint(pages)
    app.wsgi_app = PublicAddress(app.wsgi_app, vitrine.settings)  # type: ignore[method-assign]
    return app


def _refuser_of_parameters(app: Service) -> Callable[[], None]:
    """Refuses parameters where the API's description has none; elsewhere the models do."""
    paths = app.api_doc["paths"]
    plain = {
        (method.upper(), rule.rule)
        for rule in app.url_map.iter_rules()
        for method, operation in paths.get(_described_path(rule.rule), {}).items()
        if rule.rule.startswith("/v1/")
        and all(each["in"] != "query" for each in operation.get("parameters", ()))
    }

    def refuse_parameters() -> None:
        rule = request.url_rule
        if rule is not None and (request.method, rule.rule) in plain and request.args:
            raise InvalidQuery(
                [FieldError(name, "unknown; there are no parameters here") for name in request.args]
            )

    return refuse_parameters


def _described_path(rule: str) -> str:
    """`/v1/products/<id:product_id>` as the description has it, `/v1/products/{product_id}`."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule)


def _require_loaded() -> None:
    """Answer 503 at once where the index and its model are needed but still loading."""
    if request.blueprint in _SEARCHING:
        current_warm_up().require()
