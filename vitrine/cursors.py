"""The cursor: everything a further page needs, so that no server has to remember one.

It carries the index version, a digest of the query it belongs to, where the pages stand, and the
query's vector: a further page never embeds again, and its scores are those of the first page to the
last bit.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from vitrine.errors import InvalidCursor
from vitrine.index import PageToken
from vitrine.products import Vector
from vitrine.queries import SearchQuery

__all__ = ["Cursor", "query_digest", "version_of"]

_LONGEST = 64_000


@dataclass(frozen=True, eq=False)
class Cursor:
    """Where the pages of one query stand, and with which vector."""

    version: str
    digest: str
    token: PageToken
    vector: Vector | None

    def encode(self) -> str:
        """URL-safe text: base64url of a JSON line and the vector's little-endian float32 bytes."""
        token = self.token
        head = {
            "v": self.version,
            "d": self.digest,
            "s": token.as_of,
            "f": token.lowest_candidate,
            "a": token.search_after,
            "t": token.total,
            "n": token.position,
        }
        tail = b"" if self.vector is None else self.vector.astype("<f4").tobytes()
        return (
            base64.urlsafe_b64encode(
                json.dumps(head, separators=(",", ":")).encode() + b"\n" + tail
            )
            .decode()
            .rstrip("=")
        )

    @classmethod
    def decode(cls, text: str, query: SearchQuery) -> Cursor:
        """Read a cursor; `InvalidCursor` when it is damaged or belongs to another query."""
        cursor = _undamaged(text)
        if cursor.digest != query_digest(query):
            raise InvalidCursor.of(
                "cursor", "belongs to another query; leave it out for the first page of this one"
            )
        return cursor

    @classmethod
    def read(cls, text: str) -> Cursor:
        """Read a cursor of any query.

        `ValueError`, `KeyError` or `TypeError` when it is damaged.
        """
        if len(text) > _LONGEST:
            raise ValueError("longer than any cursor")
        head, _, tail = base64.b64decode(
            text + "=" * (-len(text) % 4), altchars=b"-_", validate=True
        ).partition(b"\n")
        stored = json.loads(head)
        vector = np.frombuffer(tail, "<f4").astype(np.float32) if tail else None
        if vector is not None and not np.isclose(np.linalg.norm(vector), 1.0, atol=1e-3):
            raise ValueError("not a unit vector")
        return cls(_text(stored["v"]), _text(stored["d"]), _token(stored), vector)


def version_of(text: str) -> str:
    """The index version that a cursor belongs to; `InvalidCursor` when it is damaged."""
    return _undamaged(text).version


def _undamaged(text: str) -> Cursor:
    try:
        return Cursor.read(text)
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise InvalidCursor.of(
            "cursor",
            "is damaged; pass next_cursor unchanged, or leave it out for the first page",
        ) from None


def _token(stored: dict[str, Any]) -> PageToken:
    floor, after = stored["f"], stored["a"]
    if floor is not None:
        floor = (float(floor[0]), _text(floor[1]))
    if not (after[0] is None or isinstance(after[0], str | int | float)):
        raise TypeError("a sort key is a number, text or nothing")
    total, position = int(stored["t"]), int(stored.get("n", 0))
    return PageToken(int(stored["s"]), floor, (after[0], _text(after[1])), total, position)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not text")
    return value


def query_digest(query: SearchQuery) -> str:
    """What the query asks, without how it is shown (limit, facets, explain, cursor): 16 hex digits
    of SHA-256."""
    picture = (
        None
        if query.image is None
        else hashlib.sha256(repr(query.image.size).encode() + query.image.tobytes()).hexdigest()
    )
    parts = (
        query.texts, picture, query.like, query.unlike, query.text_weight, query.image_weight,
        query.filter, query.sort, query.candidates, query.min_score, query.collapse, query.exclude,
        query.own_group, query.include_examples,
    )  # fmt: skip
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
