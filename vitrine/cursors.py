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
from PIL.Image import Image

from vitrine.errors import InvalidCursor
from vitrine.index import PageToken
from vitrine.products import Vector
from vitrine.queries import SearchQuery
from vitrine.signing import SIGNATURE_BYTES, Signer

__all__ = ["Cursor", "query_digest", "version_of"]

_LONGEST = 64_000
_JSON = json.JSONEncoder(separators=(",", ":"))


@dataclass(frozen=True, eq=False)
class Cursor:
    """Where the pages of one query stand, and with which vector."""

    version: str
    digest: str
    token: PageToken
    vector: Vector | None
    model: str | None = None
    """The key of the search model that its order comes from; None where the vector alone orders."""
    newer_terms: frozenset[int] = frozenset()
    """Ids of the query's terms that only products had which were written after the learning."""

    def encode(self, signer: Signer) -> str:
        """URL-safe text: base64url of signature, JSON line and vector (little-endian float32)."""
        token = self.token
        head = {
            "v": self.version,
            "d": self.digest,
            "s": token.as_of,
            "f": token.lowest_candidate,
            "a": token.search_after,
            "t": token.total,
            "n": token.position,
            "w": token.best_words,
            "m": self.model,
            "u": sorted(self.newer_terms),
        }
        tail = b"" if self.vector is None else self.vector.astype("<f4").tobytes()
        data = _JSON.encode(head).encode() + b"\n" + tail
        return base64.urlsafe_b64encode(signer.sign(data) + data).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, query: SearchQuery, signer: Signer) -> Cursor:
        """Read a cursor; `InvalidCursor` when it is damaged or belongs to another query."""
        cursor = _undamaged(text, signer)
        if cursor.digest != query_digest(query):
            raise InvalidCursor.of(
                "cursor", "belongs to another query; leave it out for the first page of this one"
            )
        return cursor

    @classmethod
    def read(cls, text: str, signer: Signer) -> Cursor:
        """Read a cursor of any query; `ValueError` unless the signer has signed it."""
        if len(text) > _LONGEST:
            raise ValueError("longer than any cursor")
        signed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        signature, data = signed[:SIGNATURE_BYTES], signed[SIGNATURE_BYTES:]
        if not signer.is_signed(data, signature):
            raise ValueError("not signed by this service")
        head, _, tail = data.partition(b"\n")
        stored = json.loads(head)
        vector = np.frombuffer(tail, "<f4").astype(np.float32) if tail else None
        model = stored.get("m")
        return cls(
            _text(stored["v"]),
            _text(stored["d"]),
            _token(stored),
            vector,
            None if model is None else _text(model),
            frozenset(int(term) for term in stored.get("u", ())),
        )


def version_of(text: str, signer: Signer) -> str:
    """The index version that a cursor belongs to; `InvalidCursor` when it is damaged."""
    return _undamaged(text, signer).version


def _undamaged(text: str, signer: Signer) -> Cursor:
    try:
        return Cursor.read(text, signer)
    except (ValueError, KeyError, TypeError, binascii.Error):  # of an earlier release, if signed
        raise InvalidCursor.of(
            "cursor",
            "is damaged; pass next_cursor unchanged, or leave it out for the first page",
        ) from None


def _token(stored: dict[str, Any]) -> PageToken:
    floor, after = stored["f"], stored["a"]
    if floor is not None:
        floor = (float(floor[0]), _text(floor[1]))
    value = tuple(after[0]) if isinstance(after[0], list) else after[0]
    if not all(v is None or isinstance(v, str | int | float) for v in _several(value)):
        raise TypeError("a sort key is a number, text or nothing")
    total, position = int(stored["t"]), int(stored.get("n", 0))
    return PageToken(
        int(stored["s"]),
        floor,
        (value, _text(after[1])),
        total,
        position,
        best_words=tuple(float(best) for best in stored.get("w", ())),
    )


def _several(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else (value,)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not text")
    return value


def query_digest(query: SearchQuery) -> str:
    """What the query asks, without how it is shown (limit, facets, explain, cursor): 16 hex digits
    of SHA-256."""
    pictures = [(_image_digest(p.image), p.weight) for p in query.pictures]
    parts = (
        query.texts, pictures, query.like, query.unlike, query.text_weight, query.image_weight,
        query.filter, query.sort, query.candidates, query.min_score, query.collapse, query.exclude,
        query.own_group, query.include_examples, query.ranking, query.cutoff, query.understand,
        query.literal,
    )  # fmt: skip
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _image_digest(image: Image) -> str:
    return hashlib.sha256(repr(image.size).encode() + image.tobytes()).hexdigest()
