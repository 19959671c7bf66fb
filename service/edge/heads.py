"""The head of a request: what it says, and what is wrong with it beyond what h11 refuses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import h11

from service.edge import refusals
from service.edge.refusals import Refusal, malformed

__all__ = ["Head", "fault_of_head"]

_MOST_FIELDS = 100
_BARE_LF = re.compile(rb"(?<!\r)\n")


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a request as it came in, names of fields in lower case."""

    method: str
    target: str
    version: str
    fields: Sequence[tuple[bytes, bytes]]

    @classmethod
    def of(cls, request: h11.Request) -> Head:
        """The head that h11 has read."""
        return cls(
            request.method.decode("ascii"),
            request.target.decode("ascii"),
            request.http_version.decode("ascii"),
            list(request.headers),
        )

    @property
    def length(self) -> int:
        """Bytes of the body, 0 where its length is not known."""
        return next((int(v) for n, v in self.fields if n == b"content-length"), 0)

    @property
    def chunked(self) -> bool:
        """Whether the body comes in chunks."""
        return any(name == b"transfer-encoding" for name, _ in self.fields)

    @property
    def last(self) -> bool:
        """Whether the connection ends with this request (RFC 9112, section 9.3)."""
        options = (value for name, value in self.fields if name == b"connection")
        return self.version != "1.1" or any(b"close" in value.lower() for value in options)


def fault_of_head(head: Head, raw: bytes) -> Refusal | None:
    """Why a head that h11 accepts is refused; `raw` begins with its bytes."""
    end = raw.find(b"\r\n\r\n")
    if len(head.target) > refusals.LONGEST_TARGET:
        return refusals.URI_TOO_LONG
    if _BARE_LF.search(raw[: end + 4] if end >= 0 else raw):
        return malformed(400, "lines of the head must end with CR LF")
    if head.chunked and any(name == b"content-length" for name, _ in head.fields):
        return malformed(400, "Content-Length and Transfer-Encoding cannot be combined")
    if head.version not in ("1.0", "1.1"):
        return malformed(400, "only HTTP/1.0 and HTTP/1.1 are supported")
    if len(head.fields) > _MOST_FIELDS:
        return malformed(431, f"the head has more than {_MOST_FIELDS} fields")
    return None
