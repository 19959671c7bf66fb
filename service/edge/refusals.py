"""Requests that the application never sees: each is refused with a problem document."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus

from service.models.problem import MEDIA_TYPE, Problem

__all__ = [
    "BAD_CHUNKS",
    "BODY_TOO_SLOW",
    "BUSY",
    "FAILED",
    "HEAD_TOO_SLOW",
    "INCOMPLETE",
    "LONGEST_TARGET",
    "TOO_MANY_CONNECTIONS",
    "TRAILERS",
    "URI_TOO_LONG",
    "WAITED_TOO_LONG",
    "Refusal",
    "body_too_large",
    "malformed",
]

LONGEST_TARGET = 8190
"""Bytes of an address, as much as most proxies pass on."""
_RETRY_AFTER_S = 2


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is answered instead of an answer; `reason` is its label in the metrics."""

    status: int
    reason: str
    detail: str
    retry_after_s: int | None = field(default=None)

    def headers(self) -> list[tuple[str, str]]:
        """The headers that belong to this refusal alone."""
        headers = [("Content-Type", MEDIA_TYPE), ("Cache-Control", "no-store")]
        if self.retry_after_s is not None:
            headers.append(("Retry-After", str(self.retry_after_s)))
        return headers

    def document(self, path: str, request_id: str) -> bytes:
        """The problem document."""
        problem = Problem(
            type="about:blank",
            title=HTTPStatus(self.status).phrase,
            status=self.status,
            detail=self.detail,
            instance=path,
            request_id=request_id,
        )
        return problem.model_dump_json().encode()


def malformed(status: int, detail: str) -> Refusal:
    """A request that is not HTTP as RFC 9112 has it."""
    return Refusal(status, "malformed", detail)


def body_too_large(most_bytes: int) -> Refusal:
    """A body of more bytes than are allowed."""
    detail = f"a body may have {most_bytes / 1e6:g} MB (VITRINE_MAX_BODY_MB); send less at once"
    return Refusal(413, "too-large", detail)


BUSY = Refusal(503, "busy", "the service is busy; try again soon", _RETRY_AFTER_S)
WAITED_TOO_LONG = Refusal(
    503, "waited", "the service is busy and did not get to this request; try again", _RETRY_AFTER_S
)
TOO_MANY_CONNECTIONS = Refusal(
    503, "connections", "the service has too many open connections; try again soon", _RETRY_AFTER_S
)
HEAD_TOO_SLOW = Refusal(408, "slow-head", "the head of the request did not arrive in time")
BODY_TOO_SLOW = Refusal(408, "slow-body", "the body of the request arrived too slowly")
INCOMPLETE = Refusal(
    400, "incomplete", "the body ended too early; nothing was changed, send it again"
)
BAD_CHUNKS = Refusal(400, "malformed", "the body comes in too many small chunks")
TRAILERS = Refusal(400, "malformed", "fields after a chunked body are not accepted")
URI_TOO_LONG = Refusal(
    414,
    "address-too-long",
    f"the address has more than {LONGEST_TARGET} bytes; "
    "send the same search as JSON by POST to /v1/search",
)
FAILED = Refusal(
    500, "failed", "the service failed on this request; see its log under the request id"
)
