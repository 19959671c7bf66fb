"""What Qdrant, its client and the network may raise, and which of our errors each becomes."""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import dataclass

import grpc
import httpx
from pydantic import ValidationError
from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
from qdrant_client.http.exceptions import (
    ApiException,
    UnexpectedResponse,
)

from vitrine.errors import Conflict, IndexUnavailable, NotFound, VersionGone, VitrineError
from vitrine.index.qdrant.error_predicates import (
    Predicate,
    any_of,
    cluster_lacks_a_node,
    comes_from,
    has_code,
    has_status,
    is_full_disk,
    message_of,
    says,
)

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


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of failure: how it is recognized, which of our errors it becomes, and the remedy."""

    name: str
    seen_in: Predicate
    text: str
    error: type[VitrineError] = IndexUnavailable
    transient: bool = False
    """Whether the same request may succeed a moment later."""
    away: bool = False
    """Whether the address is passed over for a while, where there is another one."""
    outlasted: bool = False
    """Whether a write is sent again until its deadline."""


_STRICT = re.compile(r"(?:Bad request: )?(?P<limit>[^:{}]+)\. Help: ")
"""A message about a limit of Qdrant's strict mode: which one, then what to do about it."""
_CREDENTIALS = re.compile(r"(?<=://)[^/,]*@")
_POINT_ID = re.compile(r"'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'")


TABLE: tuple[Row, ...] = (
    Row(
        "full disk",
        is_full_disk,
        "Qdrant's disk is full; free space or enlarge its volume, writes go on by themselves then",
    ),
    Row(
        "rate limit",
        any_of(lambda e: isinstance(e, ResourceExhaustedResponse), has_status(429)),
        "Qdrant limits the rate of requests; send fewer, or raise the limit in its strict mode "
        "or in the proxy before it",
    ),
    Row(
        "resources",
        any_of(has_status(507), has_code("RESOURCE_EXHAUSTED")),
        "Qdrant has reached a limit of rate, memory or disk; see its log for which",
    ),
    Row(
        "wrong key",
        any_of(has_status(401, 403), has_code("UNAUTHENTICATED", "PERMISSION_DENIED")),
        "Qdrant refuses the key; set VITRINE_QDRANT_API_KEY to the server's",
    ),
    Row(
        "timeout",
        any_of(
            has_status(408, 504),
            has_code("DEADLINE_EXCEEDED", "CANCELLED"),
            comes_from(httpx.TimeoutException, TimeoutError),
        ),
        "Qdrant did not answer in time; it is overloaded, or VITRINE_QDRANT_TIMEOUT_S is too short",
        away=True,
    ),
    Row(
        "missing index",
        says(
            "index required", "no appropriate index", "no range index", "no index", "payload index"
        ),
        "a payload index of the collection is missing; run `vitrine reindex`",
    ),
    Row(
        "strict mode",
        lambda e: _STRICT.search(message_of(e)) is not None,
        "Qdrant's strict mode forbids the request; raise that limit, for the collection or in "
        "`storage.collection.strict_mode` of the server's configuration",
    ),
    Row(
        "point gone",
        any_of(
            lambda e: (
                any_of(has_status(404), has_code("NOT_FOUND"))(e) and says("no point with id")(e)
            ),
            # local mode names the point alone
            lambda e: isinstance(e, KeyError) and _POINT_ID.fullmatch(message_of(e)) is not None,
        ),
        "a product was deleted while it was being changed",
        NotFound,
    ),
    Row(
        "gone",
        any_of(
            has_status(404),
            has_code("NOT_FOUND"),
            lambda e: (
                isinstance(e, ValueError | KeyError) and says("not found", "doesn't exist")(e)
            ),
        ),
        "the collection is gone from Qdrant; publish another version, restore a backup, "
        "or run `vitrine ingest`",
        VersionGone,
    ),
    Row(
        "exists",
        any_of(
            has_status(409),
            has_code("ALREADY_EXISTS"),
            lambda e: isinstance(e, ValueError) and says("already exists")(e),
        ),
        "Qdrant has a collection or alias of that name already; try again",
        Conflict,
    ),
    Row(
        "down",
        any_of(
            has_status(502, 503),
            has_code("UNAVAILABLE", "ABORTED"),
            comes_from(httpx.TransportError, ConnectionError),
        ),
        "Qdrant cannot be reached at {url}; start it, or set VITRINE_QDRANT_URL and "
        "VITRINE_QDRANT_GRPC_PORT",
        transient=True,
        away=True,
    ),
    Row(
        "node away",
        cluster_lacks_a_node,
        "a node of the Qdrant cluster is away, and with it part of the catalog; start it again "
        "(`vitrine doctor` tells which), or keep more copies with VITRINE_QDRANT_REPLICAS",
        transient=True,
        outlasted=True,
    ),
    Row(
        "too large",
        any_of(
            has_status(413),
            lambda e: (
                isinstance(e, grpc.RpcError)
                and says("message length too large", "larger than max")(e)
            ),
        ),
        "a write is larger than Qdrant accepts; lower VITRINE_WRITE_BATCH, "
        "or raise the server's max_request_size_mb",
    ),
    Row(
        "folder in use",
        lambda e: isinstance(e, RuntimeError) and says("already accessed")(e),
        "the folder in VITRINE_QDRANT_URL is open in another process; local mode serves one "
        "process, run a Qdrant server for several",
    ),
    Row(
        "closed",
        # of calls that were on their way, gRPC's channel says so by a ValueError
        lambda e: comes_from(RuntimeError, ValueError)(e) and says("closed")(e),
        "the connection to Qdrant has been closed; open the index again",
    ),
    Row(
        "refused",
        any_of(
            lambda e: (
                isinstance(e, UnexpectedResponse)
                and e.status_code is not None
                and 400 <= e.status_code < 500
            ),
            has_code("INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE", "UNIMPLEMENTED"),
            lambda e: isinstance(e, ValueError) and not isinstance(e, _UNREADABLE),
        ),
        "Qdrant refused the request; its version may be too old (1.16 or newer is needed); "
        "see its log",
    ),
    Row(
        "not understood",
        any_of(
            lambda e: (
                isinstance(e, UnexpectedResponse) and (e.status_code is None or e.status_code < 400)
            ),
            # the client asserts that an answer has a result
            comes_from(*_UNREADABLE, AssertionError, httpx.HTTPError, httpx.InvalidURL),
        ),
        "what answers at VITRINE_QDRANT_URL does not speak Qdrant's protocol; check the address "
        "and the server's version",
    ),
    Row("internal", lambda _: True, "Qdrant reports an internal error; see its log"),
)
"""The first row that recognizes the failure decides."""


def translated(error: BaseException, url: str = "VITRINE_QDRANT_URL") -> VitrineError:
    """Our error for a foreign one: what happened and what to do; the caller keeps its cause.

    `url` are the addresses, commas between them, which may hold a name and password.
    """
    row = row_of(error)
    text = row.text.format(url=_CREDENTIALS.sub("", url))
    if isinstance(error, ResourceExhaustedResponse):
        text += f"; try again in {error.retry_after_s} s"
    if row.name == "strict mode" and (strict := _STRICT.search(message_of(error))):
        text += ": " + strict["limit"].replace('\\"', '"')
    return row.error(text)


def never_sent(error: BaseException) -> bool:
    """Whether the request certainly did not reach a server, so that another one may be asked."""
    return comes_from(httpx.ConnectError, httpx.ConnectTimeout, ConnectionRefusedError)(error) or (
        has_code("UNAVAILABLE")(error)
        and says("failed to connect", "connection refused", "dns resolution failed")(error)
    )


def row_of(error: BaseException) -> Row:
    """The kind of failure."""
    return next(row for row in TABLE if row.seen_in(error))
