"""Incoming requests: strict JSON, alone or as the part `request` beside a picture."""

from __future__ import annotations

import io
from typing import IO, Any
from urllib.parse import unquote_to_bytes

import orjson
from flask import Request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.formparser import FormDataParser

from vitrine.errors import FieldError, InvalidQuery

__all__ = [
    "JSON_PART",
    "PICTURE_PART",
    "StrictRequest",
    "parse_json",
    "refuse_broken_address",
    "refuse_encoded_body",
]

JSON_PART = "request"
PICTURE_PART = "image"
MAX_DEPTH = 32
"""Lists and objects inside each other; nothing in the API needs ten."""
MAX_VALUES = 100_000
"""Values in the JSON of one request, counted before they are built: each takes a hundred bytes."""
MAX_ADMIN_VALUES = 1_000_000
"""The same for the admin API, whose callers send catalogues."""
_ADMIN = "/v1/admin/"

_MULTIPART = "multipart/form-data"
_LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl")


class StrictFormParser(FormDataParser):
    """Werkzeug's parser of forms, but a form that is cut or has another boundary is no empty
    one."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **{**named, "silent": False})

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> Any:
        """Stream, fields and files; `BadRequest` for a broken form."""
        try:
            return super().parse(stream, mimetype, content_length, options)
        except ValueError as error:
            raise BadRequest(
                f"the form is malformed or cut off: {error}; nothing was done, send it again"
            ) from None


class StrictRequest(Request):
    """A request whose JSON is read strictly, whichever way it was sent.

    `get_json` gives the body, the lines of an NDJSON body as a list, or the part `request` of a
    multipart body. It never guesses: broken JSON and other encodings are 400, other types 415.
    """

    form_data_parser_class = StrictFormParser

    def _get_file_stream(self, *_: object, **__: object) -> IO[bytes]:
        """Where a part is put: in memory, as the body, which is bounded, already is."""
        return io.BytesIO()

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        """The JSON of the request; `silent` is ignored, as a broken body is not an empty one."""
        if self.mimetype == _MULTIPART:
            return parse_json(self._counted(self._json_part()))
        if self.mimetype in _LINES:
            return _parse_lines(self._counted(self._body()))
        if not (force or self.is_json):
            media_type = self.mimetype or "no Content-Type"
            raise UnsupportedMediaType(
                "send application/json, or multipart/form-data where the API says so; "
                f"this request has {media_type}"
            )
        return parse_json(self._counted(self._body()))

    def pictures(self) -> list[FileStorage]:
        """The uploaded files named `image`, in their order; any other part is refused."""
        if self.mimetype != _MULTIPART:
            return []
        known = f"allowed are a file {PICTURE_PART!r} and the JSON in {JSON_PART!r}"
        faults = [
            FieldError(name, f"unknown part; {known}")
            for name in self._part_names() - {PICTURE_PART, JSON_PART}
        ]
        if PICTURE_PART in self.form:
            faults.append(
                FieldError(
                    PICTURE_PART,
                    "must be a file part with a file name; send base64 in the JSON instead",
                )
            )
        if faults:
            raise InvalidQuery(sorted(faults, key=lambda fault: fault.field))
        return self.files.getlist(PICTURE_PART)

    def _body(self) -> bytes:
        """The whole body; Werkzeug cuts a chunked one at the limit, so refuse that here."""
        data = self.get_data()
        if (
            self.content_length is None
            and self.max_content_length is not None
            and len(data) >= self.max_content_length
        ):
            raise RequestEntityTooLarge
        return data

    def _counted(self, data: bytes) -> bytes:
        """The JSON, unless it may hold too many values; commas within texts are counted as well."""
        most = MAX_ADMIN_VALUES if self.path.startswith(_ADMIN) else MAX_VALUES
        values = sum(data.count(mark) for mark in (b",", b"[", b"{", b"\n"))
        if values > most:
            raise RequestEntityTooLarge(
                f"the JSON holds more than {most} values; send less at once"
            )
        return data

    def _part_names(self) -> set[str]:
        return {*self.form, *self.files}

    def _json_part(self) -> bytes:
        """The JSON part, sent as a field or as a file; an empty object when there is none."""
        if not self._part_names():
            raise BadRequest(
                f"the form is empty; send a file {PICTURE_PART!r}, or the JSON in {JSON_PART!r}"
            )
        fields = [text.encode() for text in self.form.getlist(JSON_PART)]
        parts = fields + [part.read() for part in self.files.getlist(JSON_PART)]
        if len(parts) > 1:
            raise InvalidQuery.of(JSON_PART, "is given more than once")
        return parts[0] if parts else b"{}"


def parse_json(data: bytes) -> Any:
    """Read UTF-8 JSON without NaN, lone surrogates or deep nesting; `BadRequest` says where."""
    try:
        parsed = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise BadRequest(
            f"the JSON is invalid: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None
    if _deeper_than(parsed, MAX_DEPTH):
        raise BadRequest(f"the JSON is nested deeper than {MAX_DEPTH} levels")
    return parsed


def _parse_lines(data: bytes) -> list[Any]:
    """The values of newline-delimited JSON; empty lines are passed over."""
    values = []
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.strip():
            try:
                values.append(parse_json(line))
            except BadRequest as error:
                raise BadRequest(f"line {number}: {error.description}") from None
    return values


def _deeper_than(parsed: Any, depth: int) -> bool:
    level = [parsed]
    for _ in range(depth):
        level = [
            inner
            for value in level
            if isinstance(value, dict | list)
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return False
    return True


def refuse_broken_address(request: Request) -> None:
    """`BadRequest` for an address that is not UTF-8 once it is unquoted."""
    try:
        unquote_to_bytes(request.query_string).decode("utf-8")
        request.environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8")
    except UnicodeError:
        raise BadRequest("the address is not UTF-8") from None


def refuse_encoded_body(request: Request) -> None:
    """`UnsupportedMediaType` for a compressed body, which would be read as if it were plain."""
    encoding = request.headers.get("Content-Encoding", "identity").strip()
    if encoding.lower() != "identity":
        raise UnsupportedMediaType(
            f"send the body as it is; the Content-Encoding {encoding[:50]!r} is not supported"
        )
