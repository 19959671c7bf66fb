"""What all request and answer models share."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, get_args

import orjson
from flask import Response
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

__all__ = [
    "OTHER",
    "REQUEST_MODELS",
    "TEXT",
    "Answer",
    "Body",
    "Incoming",
    "Parameters",
    "SomeTexts",
    "Text",
    "TextOrTexts",
    "answer",
    "text_or_other",
]

REQUEST_MODELS: dict[str, type[BaseModel]] = {}
"""Every model of a request by its name, which is all that pydantic's errors contain."""


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("contains a NUL character")
    return text


Text = Annotated[str, AfterValidator(_without_nul)]
"""Text without NUL characters."""


TEXT, OTHER = "<text>", "<other>"
"""Tags of a field's two forms, text or else; the brackets keep them out of error messages."""


def text_or_other(value: Any) -> str | None:
    """The tag of the form that a value has; None for neither, which pydantic reports."""
    return (
        TEXT
        if isinstance(value, str)
        else OTHER
        if isinstance(value, list | dict | BaseModel)
        else None
    )


_ONE_OR_SEVERAL = Discriminator(
    text_or_other,
    custom_error_type="text_type",
    custom_error_message="must be a text, or a list of texts",
)
TextOrTexts = Annotated[
    Annotated[Text, Tag(TEXT)] | Annotated[list[Text], Tag(OTHER)], _ONE_OR_SEVERAL
]
SomeTexts = Annotated[
    Annotated[Text, Tag(TEXT)] | Annotated[list[Text], Field(min_length=1), Tag(OTHER)],
    _ONE_OR_SEVERAL,
]
"""As `TextOrTexts`, but at least one."""


class _Described(BaseModel):
    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Pydantic's, made once: flask-openapi3 asks for it wherever a model stands, and with every
        request."""
        return _made_once(super().model_json_schema, args, tuple(kwargs.items()))


@cache
def _made_once(
    schema_of: Callable[..., dict[str, Any]],
    args: tuple[Any, ...],
    options: tuple[tuple[str, Any], ...],
) -> dict[str, Any]:
    return schema_of(*args, **dict(options))


class Incoming(_Described):
    """A part of a request."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Register the model by its name."""
        super().__pydantic_init_subclass__(**kwargs)
        REQUEST_MODELS[cls.__name__] = cls


class Body(Incoming):
    """JSON of a request: no unknown fields, no type is guessed."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Parameters(Incoming):
    """Parameters of an address: types are read from their text; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_underscores(cls, value: Any, info: ValidationInfo) -> Any:
        """`1_000` is a number for pydantic, as for Python, but not for anybody else."""
        if isinstance(value, str) and "_" in value and info.field_name in _numbers_of(cls):
            raise PydanticCustomError("number", "must be a number, written such as 1000 or 0.5")
        return value


@cache
def _numbers_of(model: type[BaseModel]) -> frozenset[str]:
    """The names of the fields that hold numbers."""
    return frozenset(
        name
        for name, field in model.model_fields.items()
        if {int, float} & {field.annotation, *get_args(field.annotation)}
    )


class Answer(_Described):
    """JSON of an answer."""

    model_config = ConfigDict(frozen=True)


def answer(content: BaseModel | dict[str, Any], status: int = 200) -> Response:
    """A model or a dictionary as a JSON response; times are in UTC, with a Z."""
    body = (
        content.model_dump_json(by_alias=True)
        if isinstance(content, BaseModel)
        else orjson.dumps(content, option=orjson.OPT_UTC_Z)
    )
    return Response(body, status=status, content_type="application/json")
