"""Nothing that Qdrant, its client or the wire can raise leaves the adapter as a foreign
exception."""

from __future__ import annotations

import ast
import builtins
import errno
import importlib
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc
import httpx
import pytest
import qdrant_client
from pydantic import TypeAdapter, ValidationError
from qdrant_client import models
from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
from qdrant_client.http.exceptions import (
    ApiException,
    ResponseHandlingException,
    UnexpectedResponse,
)

from vitrine.errors import Conflict, IndexUnavailable, NotFound, VitrineError
from vitrine.index.qdrant.connection import Connection
from vitrine.index.qdrant.errors import FOREIGN, TABLE, translated
from vitrine.settings import Settings

pytestmark = pytest.mark.slow


class Rpc(grpc.RpcError):
    """What a gRPC call raises."""

    def __init__(self, code: grpc.StatusCode, details: str = "") -> None:
        self._code, self._details = code, details

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return self._details


def http(status: int | None, text: str = "") -> UnexpectedResponse:
    return UnexpectedResponse(status, "", text.encode(), httpx.Headers())


def kinds(root: type[BaseException]) -> Iterator[type[BaseException]]:
    yield root
    for kind in root.__subclasses__():
        yield from kinds(kind)


def transport() -> list[BaseException]:
    """Every exception class of httpx that an exchange can raise."""
    found = {
        kind
        for kind in kinds(httpx.HTTPError)
        if kind.__module__ == "httpx" and kind is not httpx.HTTPStatusError
    }
    return [kind("said so") for kind in sorted(found, key=lambda k: k.__name__)]


def no_model() -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(int).validate_python("x")
    return caught.value


TOO_MANY = 'Limit exceeded 1064 > 100 for "limit"'
HELP = 'Help: Reduce the "limit" parameter to or below 100.'
OVER_GRPC = Rpc(grpc.StatusCode.INVALID_ARGUMENT, f"Bad request: {TOO_MANY}. {HELP}")
OVER_HTTP = http(
    400, json.dumps({"status": {"error": f"Bad request: {TOO_MANY}. {HELP}"}, "time": 0.0})
)

SAMPLES: list[BaseException] = [
    OVER_GRPC,
    OVER_HTTP,
    *(http(status) for status in range(400, 600)),
    *(http(status) for status in (None, 204, 301)),
    *(Rpc(code) for code in grpc.StatusCode),
    *(ResponseHandlingException(error) for error in transport()),
    ResponseHandlingException(no_model()),
    ResponseHandlingException(httpx.InvalidURL("no")),
    ResponseHandlingException(ConnectionRefusedError()),
    ResponseHandlingException(OSError(errno.ENOSPC, "No space left on device")),
    ResourceExhaustedResponse("", 3),
    QdrantException("x"),
    ApiException("x"),
    http(500, '{"status":{"error":"Service internal error: No space left on device"}}'),
    http(400, '{"status":{"error":"Bad request: Index required but not found for \\"price\\""}}'),
    http(500, '{"status":{"error":"Service internal error: via leader peer 4711"}}'),
    Rpc(grpc.StatusCode.INVALID_ARGUMENT, "No appropriate index for faceting"),
    Rpc(grpc.StatusCode.OUT_OF_RANGE, "Error, message length too large"),
    ValueError("Collection x not found"),
    ValueError("Collection x already exists"),
    ValueError("anything else"),
    KeyError("x"),
    KeyError("6f0d7a86-5c0b-5a55-9a8e-3b6f4a1a1d21"),
    RuntimeError("Storage folder x is already accessed by another instance of Qdrant client."),
    RuntimeError("QdrantLocal instance is closed."),
    RuntimeError("Error initializing the grpc connection(s)"),
    json.JSONDecodeError("Expecting value", "<html>", 0),
    AssertionError("Scroll points API returned None result"),
    *(kind("x") for kind in FOREIGN if kind.__module__ in ("builtins", "sqlite3")),
]


def shown(error: BaseException) -> str:
    code = f"{getattr(error, 'status_code', '')}{getattr(error, '_code', '')}"
    return f"{type(error).__name__}: {code} {error!s:.60}"


def test_every_foreign_exception_becomes_one_of_ours():
    for error in SAMPLES:
        assert isinstance(error, FOREIGN), shown(error)
        ours = translated(error)
        assert isinstance(ours, IndexUnavailable | Conflict | NotFound), shown(error)
        assert type(error).__name__ not in str(ours)


def test_every_row_of_the_table_is_met_by_some_failure():
    met = {next(row.name for row in TABLE if row.seen_in(error)) for error in SAMPLES}
    assert met == {row.name for row in TABLE}
    assert len({row.name for row in TABLE}) == len(TABLE)


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (http(401), "wrong key"),
        (http(403), "wrong key"),
        (Rpc(grpc.StatusCode.UNAUTHENTICATED), "wrong key"),
        (http(404), "gone"),
        (
            Rpc(grpc.StatusCode.NOT_FOUND, "Not found: No point with id 6f0d7a86 found"),
            "point gone",
        ),
        (KeyError("6f0d7a86-5c0b-5a55-9a8e-3b6f4a1a1d21"), "point gone"),
        (Rpc(grpc.StatusCode.NOT_FOUND), "gone"),
        (ValueError("Collection vitrine-x not found"), "gone"),
        (Rpc(grpc.StatusCode.DEADLINE_EXCEEDED), "timeout"),
        (ResponseHandlingException(httpx.ReadTimeout("")), "timeout"),
        (ResponseHandlingException(httpx.ConnectTimeout("")), "timeout"),
        (ResponseHandlingException(httpx.ConnectError("")), "down"),
        (Rpc(grpc.StatusCode.UNAVAILABLE), "down"),
        (http(503), "down"),
        (
            Rpc(
                grpc.StatusCode.INTERNAL,
                "Service internal error: Failed to apply update with Strong ordering via leader "
                "peer 1: tonic::transport::Error(Transport, ConnectError)",
            ),
            "node away",
        ),
        (
            http(500, "The replica set for shard 0 on peer 2 has no active replica"),
            "node away",
        ),
        (Rpc(grpc.StatusCode.INTERNAL, "task 17 panicked"), "internal"),
        (OVER_GRPC, "strict mode"),
        (OVER_HTTP, "strict mode"),
        (http(429), "rate limit"),
        (ResourceExhaustedResponse("", 7), "rate limit"),
        (Rpc(grpc.StatusCode.INTERNAL, "No space left on device (os error 28)"), "full disk"),
        (ResponseHandlingException(OSError(errno.ENOSPC, "")), "full disk"),
        (http(507), "resources"),
        (http(413), "too large"),
        (http(409), "exists"),
        (Rpc(grpc.StatusCode.ALREADY_EXISTS), "exists"),
        (http(500), "internal"),
        (Rpc(grpc.StatusCode.INTERNAL), "internal"),
        (ResponseHandlingException(no_model()), "not understood"),
        (json.JSONDecodeError("Expecting value", "<html>", 0), "not understood"),
        (AssertionError("Scroll points API returned None result"), "not understood"),
        (ValueError("Cannot invoke RPC: Channel closed!"), "closed"),
        (ResponseHandlingException(RuntimeError("the client has been closed.")), "closed"),
    ],
    ids=lambda value: value if isinstance(value, str) else shown(value),
)
def test_a_failure_is_recognised_for_what_it_is(error: BaseException, name: str):
    assert next(row.name for row in TABLE if row.seen_in(error)) == name


def test_the_addresses_that_cannot_be_reached_are_named_without_passwords():
    told = str(translated(http(503), "http://me:se@cret@a:6333, https://b"))
    assert told.startswith("Qdrant cannot be reached at http://a:6333, https://b; start it")


def test_the_wait_that_a_rate_limit_asks_for_is_passed_on():
    assert "try again in 7 s" in str(translated(ResourceExhaustedResponse("", 7)))


@pytest.mark.parametrize("error", [OVER_GRPC, OVER_HTTP], ids=["grpc", "http"])
def test_a_limit_of_strict_mode_is_named(error: BaseException):
    assert str(translated(error)).endswith(f": {TOO_MANY}")


def modules() -> list[ModuleType]:
    """What a call of ours runs through in the client."""
    folder = Path(inspect.getfile(qdrant_client)).parent
    names = [
        "qdrant_client",
        "qdrant_remote",
        "connection",
        "conversions.conversion",
        "http.api_client",
        "common.client_exceptions",
    ]
    names += [
        f"local.{path.stem}"
        for path in (folder / "local").glob("*.py")
        if not path.stem.startswith(("async", "__"))
    ]
    return [importlib.import_module(f"qdrant_client.{name}") for name in names]


@pytest.mark.parametrize("module", modules(), ids=lambda m: m.__name__)
def test_whatever_the_client_raises_itself_is_known(module: ModuleType):
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if not isinstance(node, ast.Raise) or node.exc is None:
            continue
        name = ast.unparse(node.exc.func if isinstance(node.exc, ast.Call) else node.exc).split(
            "."
        )[0]
        kind = getattr(module, name, None) or getattr(builtins, name, None)
        if kind is TypeError:
            continue  # an argument of a wrong type: a bug of ours
        if isinstance(kind, type):
            assert issubclass(kind, FOREIGN), (
                f"{module.__name__} raises {name} in line {node.lineno}"
            )


class Failing:
    """A client whose every method fails."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        self.calls = 0

    def __getattr__(self, name: str):
        def fail(**arguments: object) -> None:
            self.calls += 1
            raise self.error

        return fail


@pytest.mark.parametrize("way", ["read", "write", "manage"])
def test_no_way_to_qdrant_lets_one_through(way: str):
    for error in SAMPLES:
        connection = Connection(
            Settings(qdrant_retries=0, qdrant_write_timeout_s=1), client=Failing(error)
        )
        with pytest.raises(VitrineError) as caught:
            getattr(connection, way)("count", collection_name="x")
        assert caught.value.__cause__ is error


@pytest.mark.parametrize("way", ["read", "write", "manage"])
@pytest.mark.parametrize("kind", [TypeError, AttributeError, IndexError])
def test_a_bug_of_ours_is_not_told_as_a_failure_of_qdrant(way: str, kind: type[Exception]):
    client = Failing(kind("an argument of a wrong type"))
    with pytest.raises(kind, match="wrong type"):
        getattr(Connection(Settings(), client=client), way)("count", collection_name="x")
    assert client.calls == 1


QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    ("query_points", {"query": [0.1], "limit": 3, "using": "image"}),
    ("query_batch_points", {"requests": [models.QueryRequest(query=[0.1], limit=3)]}),
    ("scroll", {}),
    ("retrieve", {"ids": ["6f0d7a86-5c0b-5a55-9a8e-3b6f4a1a1d21"]}),
    ("count", {}),
    ("facet", {"key": "color"}),
    ("get_collection", {}),
]


@pytest.mark.parametrize(
    "body",
    [b"null", b"[]", b"{}", b'{"result":null}', b'{"result":[null]}', b"", b"<html>", b"\xff\xfe"],
)
def test_an_answer_that_is_none_of_qdrants_is_told_as_that(body: bytes):
    client = qdrant_client.QdrantClient(url="http://127.0.0.1:1", check_compatibility=False)
    answering = httpx.MockTransport(lambda request: httpx.Response(200, content=body))
    client._client.openapi_client.client._client = httpx.Client(transport=answering)
    connection = Connection(Settings(), client=client)
    for method, arguments in QUESTIONS:
        with pytest.raises(IndexUnavailable, match="does not speak Qdrant's protocol"):
            connection.read(method, collection_name="x", **arguments)


@pytest.mark.parametrize(("way", "calls"), [("read", 3), ("write", 3), ("manage", 1)])
def test_only_what_may_be_repeated_is_tried_again(way: str, calls: int):
    client = Failing(Rpc(grpc.StatusCode.UNAVAILABLE))
    with pytest.raises(IndexUnavailable):
        getattr(Connection(Settings(qdrant_retries=2), client=client), way)("count")
    assert client.calls == calls


@pytest.mark.parametrize(
    "error",
    [
        Rpc(grpc.StatusCode.DEADLINE_EXCEEDED),
        http(401),
        http(404),
        http(500),
        ResourceExhaustedResponse("", 60),
    ],
    ids=shown,
)
def test_what_will_not_pass_by_itself_is_not_tried_again(error: BaseException):
    client = Failing(error)
    with pytest.raises(IndexUnavailable):
        Connection(Settings(qdrant_retries=5), client=client).read("count")
    assert client.calls == 1


def test_a_closed_connection_says_so():
    connection = Connection(Settings(qdrant_url=":memory:"))
    connection.read("get_collections")
    connection.close()
    connection.close()
    with pytest.raises(IndexUnavailable, match="closed"):
        connection.read("get_collections")
