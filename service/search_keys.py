"""Search keys: what one may see and how often it may ask, signed by the service and kept nowhere.

A key is `vk1.PAYLOAD.SIGNATURE`, both parts base64url: whoever holds it can read what it allows and
cannot change it.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, ConfigDict, ValidationError

from vitrine.errors import InvalidInput, VitrineError
from vitrine.fields.schema import Schema
from vitrine.filters import All, Filter, parse_expression
from vitrine.signing import Signer

__all__ = ["LONGEST", "PREFIX", "USE", "InvalidKey", "SearchKey", "parse_duration", "parse_rate"]

USE = "search keys"
"""Of the signer, so that no other signature is taken for a key's."""
PREFIX = "vk1"
LONGEST = 4000
"""Characters of a key; longer ones are refused unread."""
_DURATION = re.compile(r"(\d{1,6})\s*([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_RATE = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*/\s*([smh])")


class InvalidKey(VitrineError):
    """A key that this service has not signed, or whose time is over."""


@dataclass(frozen=True, slots=True)
class SearchKey:
    """What a key allows: products under all of `filters`, `rate` requests a second, until
    `expires`.

    `filters` are shell filters such as `brand=Acme`; `rate` None means no limit of its own.
    """

    id: str
    filters: tuple[str, ...] = ()
    rate: float | None = None
    expires: datetime | None = None

    def encode(self, signer: Signer) -> str:
        """The key as it is handed out."""
        payload = _Payload(
            i=self.id,
            f=list(self.filters),
            r=self.rate,
            e=None if self.expires is None else int(self.expires.timestamp()),
        )
        data = payload.model_dump_json(exclude_defaults=True).encode()
        return f"{PREFIX}.{_base64(data)}.{_base64(signer.sign(data))}"

    @classmethod
    def decode(cls, text: str, signer: Signer, *, now: datetime) -> SearchKey:
        """Read a key; `InvalidKey` unless the signer has signed it and its time is not over."""
        prefix, _, rest = text.partition(".")
        payload, _, signature = rest.partition(".")
        try:
            data, signed = _bytes(payload), _bytes(signature)
        except (binascii.Error, ValueError):
            raise InvalidKey("the search key is damaged") from None
        known = prefix == PREFIX and len(text) <= LONGEST
        if not known or not signer.is_signed(data, signed):
            raise InvalidKey("the search key is not one of this service's")
        try:
            fields = _Payload.model_validate_json(data)
        except ValidationError:
            raise InvalidKey("the search key was made by another release; make a new one") from None
        expires = None if fields.e is None else datetime.fromtimestamp(fields.e, UTC)
        if expires is not None and expires <= now:
            raise InvalidKey(f"the search key has expired on {expires:%Y-%m-%d at %H:%M} UTC")
        return cls(fields.i, tuple(fields.f), fields.r, expires)

    def restrict(self, requested: Filter, schema: Schema) -> Filter:
        """The products of a filter that this key may see.

        `InvalidKey` where the live catalogue lacks a field that the key speaks of: without the
        field nothing can be told of what it may see.
        """
        try:
            own = tuple(parse_expression(text, schema) for text in self.filters)
        except InvalidInput as error:
            raise InvalidKey(f"the search key does not fit the catalogue: {error}") from None
        return All((*own, requested)) if own else requested


class _Payload(BaseModel):
    """The part of a key that says what it allows; short names, for keys are long."""

    model_config = ConfigDict(extra="forbid")

    i: str
    f: list[str] = []
    r: float | None = None
    e: int | None = None


def parse_rate(text: str) -> float:
    """Requests a second, read from `20/s`, `100/m` or `500/h`; `ValueError` for anything else."""
    match = _RATE.fullmatch(text.strip())
    if match is None or float(match[1]) <= 0:
        raise ValueError(f"{text!r} is not a rate; write 20/s, 100/m or 500/h")
    return float(match[1]) / _SECONDS[match[2]]


def parse_duration(text: str) -> timedelta:
    """A time span, read from `30d`, `12h` or `2w`; `ValueError` for anything else."""
    match = _DURATION.fullmatch(text.strip())
    if match is None or int(match[1]) == 0:
        raise ValueError(f"{text!r} is not a time span; write 45m, 12h, 30d or 2w")
    return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
