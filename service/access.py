"""Who may search, what they may see, and how often they may ask."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from functools import partial

from flask import Flask, g, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import TooManyRequests, Unauthorized

from service.container import current_vitrine
from service.issued_keys import IssuedKeys, RevokedKeys
from service.metrics import current_metrics
from service.rates import Rates
from service.search_keys import USE, InvalidKey, SearchKey
from vitrine.errors import NotFound
from vitrine.fields.schema import Schema
from vitrine.filters import Filter, parse_filter
from vitrine.queries import SearchQuery
from vitrine.settings import Settings
from vitrine.signing import Signer

__all__ = ["register_access", "require_visible", "visible"]

_API, _ADMIN = "/v1/", "/v1/admin/"
_IMAGE = "thumbnails.image"
"""Open without a key even where one is required: a browser's <img> cannot send one."""


def register_access(app: Flask, settings: Settings, signer: Signer) -> None:
    """Check the search key and the rates of every request to the public API."""
    rates = Rates(processes=max(1, settings.workers))
    always = frozenset(part.strip() for part in settings.revoked_keys.split(",")) - {""}
    revoked = RevokedKeys(IssuedKeys(settings.data_dir), always=always)
    keys = _Keys(settings, signer.for_use(USE), revoked)
    app.before_request(partial(_check, settings, keys, rates))


def visible(requested: Filter, schema: Schema) -> Filter:
    """The products of a filter that the present request's key may see."""
    key: SearchKey | None = g.get("search_key")
    if key is None:
        return requested
    try:
        return key.restrict(requested, schema)
    except InvalidKey as error:
        raise _unauthorized(str(error)) from None


def require_visible(product_id: str) -> None:
    """`NotFound` for a product that the present request's key may not see."""
    key: SearchKey | None = g.get("search_key")
    if key is None or not key.filters:
        return
    engine = current_vitrine().engine
    schema = engine.schema
    only = visible(parse_filter({"id": product_id}, schema), schema)
    if engine.search(SearchQuery(filter=only, limit=1)).total == 0:
        raise NotFound(f"no product has the id {product_id!r}")


def _check(settings: Settings, keys: _Keys, rates: Rates) -> None:
    if not request.path.startswith(_API) or request.path.startswith(_ADMIN):
        return
    if request.method == "OPTIONS":
        return
    key = keys.sent()
    g.search_key = key
    if key is None and settings.require_key and request.endpoint != _IMAGE:
        raise _unauthorized("a search key is required; send Authorization: Bearer KEY")
    if key is not None and key.rate is not None:
        _count(rates.wait_s(f"key {key.id}", key.rate), "key")
    if settings.client_rate:
        _count(rates.wait_s(f"client {request.remote_addr}", settings.client_rate), "client")


class _Keys:
    """Reads the keys of requests."""

    def __init__(self, settings: Settings, signer: Signer, revoked: RevokedKeys) -> None:
        self._token = settings.admin_token.get_secret_value().encode()
        self._signer = signer
        self._revoked = revoked

    def sent(self) -> SearchKey | None:
        """The key of the current request; the admin token counts as one that allows everything."""
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        text = text.strip()
        if scheme.lower() != "bearer" or not text:
            return None
        if self._token and hmac.compare_digest(text.encode("latin-1", "replace"), self._token):
            return SearchKey("admin")
        try:
            key = SearchKey.decode(text, self._signer, now=datetime.now(UTC))
        except InvalidKey as error:
            raise _unauthorized(str(error)) from None
        if key.id in self._revoked:
            raise _unauthorized("the search key was revoked")
        return key


def _unauthorized(why: str) -> Unauthorized:
    current_metrics().refused.labels("key").inc()
    return Unauthorized(why, www_authenticate=WWWAuthenticate("bearer", {"realm": "search"}))


def _count(wait_s: int, whose: str) -> None:
    if wait_s:
        current_metrics().refused.labels(f"{whose}-rate").inc()
        raise TooManyRequests(
            f"too many requests from this {whose}; try again later", retry_after=wait_s
        )
