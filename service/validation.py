"""What pydantic found wrong, as one message per field that says what is allowed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, RootModel, ValidationError
from pydantic.fields import FieldInfo

from service.models.base import REQUEST_MODELS
from vitrine.errors import FieldError
from vitrine.validation import plain_words

__all__ = ["faults_of"]

_MOST = 20
"""Errors reported for one request."""


def faults_of(error: ValidationError) -> list[FieldError]:
    """One error per wrong field, at most twenty; for an unknown field it lists the known ones."""
    model = REQUEST_MODELS.get(error.title)
    return [
        _fault(details, model)
        for details in error.errors(include_url=False, include_input=False)[:_MOST]
    ]


def _fault(details: Any, model: type[BaseModel] | None) -> FieldError:
    where: Sequence[str | int] = details["loc"]
    message = plain_words(details["msg"])
    if details["type"] == "extra_forbidden":
        known = _fields_at(model, where[:-1]) if model else []
        message = f"unknown; allowed are {', '.join(known)}" if known else "unknown"
    if details["type"] == "json_invalid":  # of a JSON text, which flask-openapi3 reads once more
        message = _not_text(model)
    if details["type"].startswith(("int_", "float_")) and model and where:
        field = _fields_at(model, where[:-1]).get(str(where[-1]))
        message += _bounds(field) if field else ""
    return FieldError(_path(where), message)


def _bounds(field: FieldInfo) -> str:
    """The bounds of a number, of which pydantic tells nothing to whoever sends none."""
    least, most = (
        next((getattr(each, name) for each in field.metadata if hasattr(each, name)), None)
        for name in ("ge", "le")
    )
    if least is not None and most is not None:
        return f" from {least} to {most}"
    return "" if least is None else f", at least {least}"


def _not_text(model: type[BaseModel] | None) -> str:
    if model is None:
        return "must not be a text"
    if issubclass(model, RootModel):
        return "must be a list"
    return f"must be an object as in {model.__name__}"


def _path(where: Sequence[str | int]) -> str:
    """("text", "many", 0, "weight") as text[0].weight; the tags of unions are left out."""
    path = ""
    for step in where:
        if isinstance(step, int):
            path += f"[{step}]"
        elif not step.startswith("<"):
            path += f".{step}" if path else step
    return path


def _fields_at(model: type[BaseModel], where: Sequence[str | int]) -> Mapping[str, FieldInfo]:
    """The fields of the model that the path leads to, by name."""
    at = [model]
    for step in where:
        fields = [
            inner.model_fields[step]
            for inner in at
            if isinstance(step, str) and step in inner.model_fields
        ]
        at = [inner for field in fields for inner in _models_in(field.annotation)] or at
    return at[0].model_fields


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)
