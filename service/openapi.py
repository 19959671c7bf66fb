"""`/openapi.json` from the models that validate, with the live fields; `/docs` shows it."""

from __future__ import annotations

from copy import deepcopy
from importlib.resources import files
from typing import Any, cast

import orjson
from flask import Blueprint, Response, current_app, g, send_from_directory
from flask_openapi3.openapi import OpenAPI

from service.client_schema import for_generators
from service.container import current_vitrine
from service.models.problem import MEDIA_TYPE
from vitrine.errors import VitrineError
from vitrine.fields.schema import Field, FieldType, Schema
from vitrine.settings import LimitSettings

__all__ = ["docs", "live_spec"]

docs = Blueprint("docs", __name__)

_SWAGGER = str(files("flask_openapi3_swagger") / "templates" / "swagger")
_FILTERED = (
    ("/v1/search", "get"),
    ("/v1/facets/{field}", "get"),
    ("/v1/products", "get"),
    ("/v1/products/{product_id}/similar", "get"),
)
"""The operations whose further parameters are fields of the catalogue."""
_UPLOAD = "/upload"
"""Ends the paths that are described with a form alone, the ones before it with JSON alone.

Both take either, but generators of clients stumble over an operation with two kinds of bodies.
"""


@docs.get("/openapi.json")
def openapi_json() -> Response:
    """The description of the API in OpenAPI 3.1."""
    return Response(
        orjson.dumps(live_spec(cast(OpenAPI, current_app))), content_type="application/json"
    )


@docs.get("/docs/swagger/<path:name>")
def swagger(name: str) -> Response:
    """Scripts and styles of Swagger UI, as its package brings them."""
    return send_from_directory(_SWAGGER, name, max_age=86_400)


def live_spec(app: OpenAPI) -> dict[str, Any]:
    """The specification of the app, with the limits that are set and the live filters."""
    spec = deepcopy(app.api_doc)
    settings = current_vitrine().settings
    spec["servers"] = [{"url": g.base or "/"}]
    for path, operations in spec["paths"].items():
        for operation in operations.values():
            _describe_errors(operation)
            if path.endswith(_UPLOAD):
                _describe_form(operation, spec["components"]["schemas"])
    schema = _live_schema()
    for path, method in _FILTERED:
        parameters = spec["paths"][path][method]["parameters"]
        _describe_limits(parameters, settings)
        parameters.extend(_filters(schema))
    for request in ("SearchRequest", "DetectRequest"):
        properties = spec["components"]["schemas"][request]["properties"]
        _describe_limits(
            [{"name": name, "schema": schema} for name, schema in properties.items()], settings
        )
    for_generators(spec, app)
    return spec


def _live_schema() -> Schema:
    """The live fields; none while the index does not answer, for the rest of the document holds."""
    try:
        return current_vitrine().versions.live().info.schema
    except VitrineError:
        return Schema(())


def _describe_errors(operation: dict[str, Any]) -> None:
    problem = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    operation["responses"].pop("422", None)
    operation["responses"]["4XX"] = {
        "description": "The request cannot be answered as it is",
        **problem,
    }
    operation["responses"]["5XX"] = {"description": "The service cannot answer now", **problem}


def _describe_form(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """The request as a form: the picture as a file, the JSON in a part."""
    content = operation["requestBody"]["content"]
    body = content["application/json"]["schema"]
    name = body["$ref"].rpartition("/")[2]
    example = {k: v for k, v in schemas[name].get("example", {}).items() if k != "image"}
    form = {
        "image": {"type": "string", "format": "binary"},
        "request": {"allOf": [body], "example": example},
    }
    content.clear()
    content["multipart/form-data"] = {
        "schema": {"type": "object", "properties": form, "additionalProperties": False},
        "encoding": {"request": {"contentType": "application/json"}},
    }


def _describe_limits(parameters: list[dict[str, Any]], settings: LimitSettings) -> None:
    most = {"limit": settings.max_limit, "candidates": settings.max_candidates}
    for parameter in parameters:
        if parameter["name"] in most:
            parameter["schema"]["maximum"] = most[parameter["name"]]


def _filters(schema: Schema) -> list[dict[str, Any]]:
    """Parameters that filter on the catalogue's fields."""
    parameters = []
    for field in schema:
        if field.type is not FieldType.DATETIME:
            parameters.append(
                _filter(field.name, field, "equals; repeat it for any of several values")
            )
        if field.type.ranged:
            parameters.append(_filter(f"{field.name}_min", field, "at least"))
            parameters.append(_filter(f"{field.name}_max", field, "at most"))
    return parameters


def _filter(name: str, field: Field, meaning: str) -> dict[str, Any]:
    kind = (
        {"type": "number"}
        if field.type.numeric
        else {"type": "boolean"}
        if field.type is FieldType.BOOL
        else {"type": "string"}
    )
    several = {"type": "array", "items": kind}
    single = field.type.ranged and name != field.name
    text = "contains every word" if field.type is FieldType.TEXT else meaning
    return {
        "name": name,
        "in": "query",
        "description": f"{field.type} field of the catalogue: {text}",
        "schema": kind if single or field.type is FieldType.TEXT else several,
    }
