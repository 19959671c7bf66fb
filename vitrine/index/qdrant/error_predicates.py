"""Predicates that recognize what Qdrant, its client and the network raise."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any, TypeAlias

import grpc
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

__all__ = [
    "Predicate",
    "any_of",
    "cluster_lacks_a_node",
    "comes_from",
    "has_code",
    "has_status",
    "is_full_disk",
    "message_of",
    "says",
]

Predicate: TypeAlias = Callable[[BaseException], bool]


def has_status(*codes: int) -> Predicate:
    """An HTTP answer with one of these statuses."""
    return lambda e: isinstance(e, UnexpectedResponse) and e.status_code in codes


def has_code(*names: str) -> Predicate:
    """A gRPC error with one of these codes, by their names in `grpc.StatusCode`."""
    codes = {getattr(grpc.StatusCode, name) for name in names}
    return lambda e: isinstance(e, grpc.RpcError) and _code_of(e) in codes


def _code_of(error: BaseException) -> Any:
    code = getattr(error, "code", None)
    return code() if callable(code) else None


def comes_from(*kinds: type[BaseException]) -> Predicate:
    """An error of these kinds, also where the client wraps it."""
    return lambda e: isinstance(e.source if isinstance(e, ResponseHandlingException) else e, kinds)


def any_of(*predicates: Predicate) -> Predicate:
    """One of the predicates holds."""
    return lambda e: any(holds(e) for holds in predicates)


def says(*parts: str) -> Predicate:
    """Its message contains one of these texts, in lower case."""
    return lambda e: any(part in message_of(e).casefold() for part in parts)


def is_full_disk(error: BaseException) -> bool:
    """Whether a disk is full, here or on the server."""
    source = error.source if isinstance(error, ResponseHandlingException) else error
    return (isinstance(source, OSError) and source.errno in (errno.ENOSPC, errno.EDQUOT)) or says(
        "no space left",
        "disk full",
        "disk is full",
        "database or disk is full",
        "not enough space",
        "out of disk",
    )(error)


def cluster_lacks_a_node(error: BaseException) -> bool:
    """A node that is reached could not reach another one, which holds a shard of the collection."""
    return any_of(has_status(500), has_code("INTERNAL", "UNKNOWN"))(error) and says(
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


def message_of(error: BaseException) -> str:
    """What the server, or the library, says of it."""
    if isinstance(error, UnexpectedResponse):
        return bytes(error.content or b"").decode("utf-8", "replace")
    details = getattr(error, "details", None)
    return (
        str(details() or "")
        if isinstance(error, grpc.RpcError) and callable(details)
        else str(error)
    )
