"""What Qdrant, its client and the network may raise, and which of our errors each becomes."""

from __future__ import annotations

import errno
import json
import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
import httpx
from pydantic import ValidationError
from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
from qdrant_client.http.exceptions import (
    ApiException,
    ResponseHandlingException,
    UnexpectedResponse,
)

from vitrine.errors import Conflict, IndexUnavailable, NotFound, VersionGone, VitrineError

__all__ = ["FOREIGN", "TABLE", "Row", "never_sent", "row_of", "translated"]

FOREIGN = (
    QdrantException,
    ApiException,
    grpc.RpcError,
    httpx.HTTPError,
    httpx.InvalidURL,
    ValidationError,
    ValueError,
    KeyError,
    RuntimeError,
    AssertionError,
    OSError,
    sqlite3.Error,
)
"""What a call of the client may raise; local mode raises Python's own exceptions.

Not `TypeError`, `AttributeError` and `IndexError`: no answer makes the client raise them. They tell
of an argument of a wrong type, which is a bug of ours and goes through as one.
"""

_UNREADABLE = (ValidationError, json.JSONDecodeError, UnicodeDecodeError)
"""Answers that are none of Qdrant's."""

_Test = Callable[[BaseException], bool]


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of failure: how it is recognized, which of our errors it becomes, and the remedy."""

    name: str
    seen_in: _Test
    text: str
    error: type[VitrineError] = IndexUnavailable
    transient: bool = False
    """Whether the same request may succeed a moment later."""
    away: bool = False
    """Whether the address is passed over for a while, where there is another one."""
    outlasted: bool = False
    """Whether a write is sent again until its deadline."""


def _status(*codes: int) -> _Test:
    return lambda e: isinstance(e, UnexpectedResponse) and e.status_code in codes


def _code(*names: str) -> _Test:
    codes = {getattr(grpc.StatusCode, name) for name in names}
    return lambda e: isinstance(e, grpc.RpcError) and _code_of(e) in codes


def _code_of(error: BaseException) -> Any:
    code = getattr(error, "code", None)
    return code() if callable(code) else None


def _source(*kinds: type[BaseException]) -> _Test:
    return lambda e: isinstance(e.source if isinstance(e, ResponseHandlingException) else e, kinds)


def _any(*tests: _Test) -> _Test:
    return lambda e: any(test(e) for test in tests)


def _says(*parts: str) -> _Test:
    return lambda e: any(part in _message(e).casefold() for part in parts)


def _full_disk(error: BaseException) -> bool:
    source = error.source if isinstance(error, ResponseHandlingException) else error
    return (isinstance(source, OSError) and source.errno in (errno.ENOSPC, errno.EDQUOT)) or _says(
        "no space left",
        "disk full",
        "disk is full",
        "database or disk is full",
        "not enough space",
        "out of disk",
    )(error)


def _cluster_lacks_a_node(error: BaseException) -> bool:
    """A node that is reached could not reach another one, which holds a shard of the collection."""
    return _any(_status(500), _code("INTERNAL", "UNKNOWN"))(error) and _says(
        "via leader peer",
        "write consistency",
        "consistency of this update is not guaranteed",
        "no active replica",
        "not enough active replicas",
        "replica",
        "tonic::transport",
        "transport error",
        "missing request message",
    )(error)


_STRICT = re.compile(r"(?:Bad request: )?(?P<limit>[^:{}]+)\. Help: ")
"""A message about a limit of Qdrant's strict mode: which one, then what to do about it."""
_POINT_ID = re.compile(r"'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'")


def _message(error: BaseException) -> str:
    if isinstance(error, UnexpectedResponse):
        return bytes(error.content or b"").decode("utf-8", "replace")
    details = getattr(error, "details", None)
    return (
        str(details() or "")
        if isinstance(error, grpc.RpcError) and callable(details)
        else str(error)
    )


TABLE: tuple[Row, ...] = (
    Row(
        "full disk",
        _full_disk,
        "Qdrant's disk is full; free space or enlarge its volume, writes go on by themselves then",
    ),
    Row(
        "rate limit",
        _any(lambda e: isinstance(e, ResourceExhaustedResponse), _status(429)),
        "Qdrant limits the rate of requests; send fewer, or raise the limit in its strict mode "
        "or in the proxy before it",
    ),
    Row(
        "resources",
        _any(_status(507), _code("RESOURCE_EXHAUSTED")),
        "Qdrant has reached a limit of rate, memory or disk; see its log for which",
    ),
    Row(
        "wrong key",
        _any(_status(401, 403), _code("UNAUTHENTICATED", "PERMISSION_DENIED")),
        "Qdrant refuses the key; set VITRINE_QDRANT_API_KEY to the server's",
    ),
    Row(
        "timeout",
        _any(
            _status(408, 504),
            _code("DEADLINE_EXCEEDED", "CANCELLED"),
            _source(httpx.TimeoutException, TimeoutError),
        ),
        "Qdrant did not answer in time; it is overloaded, or VITRINE_QDRANT_TIMEOUT_S is too short",
        away=True,
    ),
    Row(
        "missing index",
        _says(
            "index required", "no appropriate index", "no range index", "no index", "payload index"
        ),
        "a payload index of the collection is missing; run `vitrine reindex`",
    ),
    Row(
        "strict mode",
        lambda e: _STRICT.search(_message(e)) is not None,
        "Qdrant's strict mode forbids the request; raise that limit, for the collection or in "
        "`storage.collection.strict_mode` of the server's configuration",
    ),
    Row(
        "point gone",
        _any(
            lambda e: _any(_status(404), _code("NOT_FOUND"))(e) and _says("no point with id")(e),
            # local mode names the point alone
            lambda e: isinstance(e, KeyError) and _POINT_ID.fullmatch(_message(e)) is not None,
        ),
        "a product was deleted while it was being changed",
        NotFound,
    ),
    Row(
        "gone",
        _any(
            _status(404),
            _code("NOT_FOUND"),
            lambda e: (
                isinstance(e, ValueError | KeyError) and _says("not found", "doesn't exist")(e)
            ),
        ),
        "the collection is gone from Qdrant; publish another version, restore a backup, "
        "or run `vitrine ingest`",
        VersionGone,
    ),
    Row(
        "exists",
        _any(
            _status(409),
            _code("ALREADY_EXISTS"),
            lambda e: isinstance(e, ValueError) and _says("already exists")(e),
        ),
        "Qdrant has a collection or alias of that name already; try again",
        Conflict,
    ),
    Row(
        "down",
        _any(
            _status(502, 503),
            _code("UNAVAILABLE", "ABORTED"),
            _source(httpx.TransportError, ConnectionError),
        ),
        "Qdrant cannot be reached; start it, or set VITRINE_QDRANT_URL and "
        "VITRINE_QDRANT_GRPC_PORT",
        transient=True,
        away=True,
    ),
    Row(
        "node away",
        _cluster_lacks_a_node,
        "a node of the Qdrant cluster is away, and with it part of the catalog; start it again "
        "(`vitrine doctor` tells which), or keep more copies with VITRINE_QDRANT_REPLICAS",
        transient=True,
        outlasted=True,
    ),
    Row(
        "too large",
        _any(
            _status(413),
            lambda e: (
                isinstance(e, grpc.RpcError)
                and _says("message length too large", "larger than max")(e)
            ),
        ),
        "a write is larger than Qdrant accepts; lower VITRINE_WRITE_BATCH, "
        "or raise the server's max_request_size_mb",
    ),
    Row(
        "folder in use",
        lambda e: isinstance(e, RuntimeError) and _says("already accessed")(e),
        "the folder in VITRINE_QDRANT_URL is open in another process; local mode serves one "
        "process, run a Qdrant server for several",
    ),
    Row(
        "closed",
        # of calls that were on their way, gRPC's channel says so by a ValueError
        lambda e: _source(RuntimeError, ValueError)(e) and _says("closed")(e),
        "the connection to Qdrant has been closed; open the index again",
    ),
    Row(
        "refused",
        _any(
            lambda e: (
                isinstance(e, UnexpectedResponse)
                and e.status_code is not None
                and 400 <= e.status_code < 500
            ),
            _code("INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE", "UNIMPLEMENTED"),
            lambda e: isinstance(e, ValueError) and not isinstance(e, _UNREADABLE),
        ),
        "Qdrant refused the request; its version may be too old (1.16 or newer is needed); "
        "see its log",
    ),
    Row(
        "not understood",
        _any(
            lambda e: (
                isinstance(e, UnexpectedResponse) and (e.status_code is None or e.status_code < 400)
            ),
            # the client asserts that an answer has a result
            _source(*_UNREADABLE, AssertionError, httpx.HTTPError, httpx.InvalidURL),
        ),
        "what answers at VITRINE_QDRANT_URL does not speak Qdrant's protocol; check the address "
        "and the server's version",
    ),
    Row("internal", lambda _: True, "Qdrant reports an internal error; see its log"),
)
"""The first row that recognizes the failure decides."""


def translated(error: BaseException) -> VitrineError:
    """Our error for a foreign one: what happened and what to do; the caller keeps its cause."""
    row = row_of(error)
    text = row.text
    if isinstance(error, ResourceExhaustedResponse):
        text += f"; try again in {error.retry_after_s} s"
    if row.name == "strict mode" and (strict := _STRICT.search(_message(error))):
        text += ": " + strict["limit"].replace('\\"', '"')
    return row.error(text)


def never_sent(error: BaseException) -> bool:
    """Whether the request certainly did not reach a server, so that another one may be asked."""
    return _source(httpx.ConnectError, httpx.ConnectTimeout, ConnectionRefusedError)(error) or (
        _code("UNAVAILABLE")(error)
        and _says("failed to connect", "connection refused", "dns resolution failed")(error)
    )


def row_of(error: BaseException) -> Row:
    """The kind of failure."""
    return next(row for row in TABLE if row.seen_in(error))
