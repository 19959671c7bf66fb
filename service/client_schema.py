"""The description of the API as generators of clients want it: plain names, no null defaults."""

from __future__ import annotations

import json
import re
from typing import Any

from flask import Flask

from service.models.base import REQUEST_MODELS

__all__ = ["for_generators"]

_NAMES = {
    "cancel": "cancel_job",
    "discard": "discard_version",
    "fields": "list_fields",
    "image": "get_product_image",
    "job": "get_job",
    "jobs": "list_jobs",
    "live": "check_live",
    "product": "get_product",
    "publish": "publish_version",
    "ready": "check_ready",
    "retry": "retry_failures",
    "search_by_anything": "search",
    "similar": "list_similar",
    "versions": "list_versions",
}
"""Operations that are not called as their functions; a name stays once it has been published."""
_CONVERTED = re.compile(r"<(?:\w+:)?(\w+)>")


def for_generators(spec: dict[str, Any], app: Flask) -> None:
    """Change the document in place: operation ids, null defaults and the null that goes with them.

    A field that may be left out of a request takes null as well, but a client that is generated
    from the document need not know both ways to say the same.
    """
    for rule in app.url_map.iter_rules():
        path = _CONVERTED.sub(r"{\1}", rule.rule)
        for method, operation in spec["paths"].get(path, {}).items():
            if method.upper() in (rule.methods or ()):
                name = rule.endpoint.rpartition(".")[2]
                operation["operationId"] = _NAMES.get(name, name)
                # a summary is plain text, the description below it Markdown
                operation["summary"] = operation["summary"].replace("`", "")
    for name, schema in spec["components"]["schemas"].items():
        for field in schema.get("properties", {}).values():
            _without_null(field, request=name in REQUEST_MODELS)
            if name in REQUEST_MODELS:
                _default_in_words(field)
    for operations in spec["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                _without_null(parameter["schema"], request=True)


def _without_null(schema: dict[str, Any], *, request: bool) -> None:
    if "default" not in schema or schema["default"] is not None:
        return
    del schema["default"]
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if not request or not kinds:
        return
    del schema["anyOf"]
    if len(kinds) == 1:
        for key, value in kinds[0].items():
            schema.setdefault(key, value)
    else:
        schema["anyOf"] = kinds


def _default_in_words(schema: dict[str, Any]) -> None:
    """The default of a body's field as a part of its description.

    openapi-typescript takes a field that has a default for one that is always there.
    """
    if "default" not in schema:
        return
    default = schema.pop("default")
    if default not in ([], {}, ""):
        description = schema.get("description", "")
        words = json.dumps(default, ensure_ascii=False)
        schema["description"] = (
            f"{description} (default: {words})" if description else f"default: {words}"
        )
