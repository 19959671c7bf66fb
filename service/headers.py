"""What every answer carries: its request id, its timings, what a browser may do with it.

Large JSON is compressed for clients that accept it (RFC 9110, section 12.5.3).
"""

from __future__ import annotations

import re
import uuid
import zlib
from time import perf_counter
from urllib.parse import urlsplit

from flask import Flask, Response, g, request

from service.incoming import refuse_broken_address, refuse_encoded_body
from vitrine.settings import AddressSettings

__all__ = ["REQUEST_ID", "SECURITY", "register_headers", "sound_request_id"]

REQUEST_ID = "X-Request-ID"
_SOUND_ID = re.compile(r"[A-Za-z0-9._:+/=@-]{1,128}")

SECURITY = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

_LEAST_COMPRESSED = 16_384
"""Bytes: smaller answers, such as a page of hits, gain less than compressing costs."""
_LEVEL = 1
_GZIP = 31
"""zlib's window bits for a gzip container around the largest window."""
_COMPRESSED = ("application/json", "application/problem+json")


def security_headers(settings: AddressSettings) -> dict[str, str]:
    """What a browser may do with an answer, as the settings allow."""
    headers = dict(SECURITY)
    policy = headers["Content-Security-Policy"]
    if settings.public_url:
        public = urlsplit(settings.public_url)
        policy = policy.replace(
            "img-src 'self'", f"img-src 'self' {public.scheme}://{public.netloc}"
        )
    ancestors = [part.strip() for part in settings.frame_ancestors.split(",") if part.strip()]
    if ancestors:
        del headers["X-Frame-Options"]  # which cannot name an origin
        policy = policy.replace("ancestors 'none'", f"ancestors 'self' {' '.join(ancestors)}")
    headers["Content-Security-Policy"] = policy
    return headers


def register_headers(app: Flask, settings: AddressSettings) -> None:
    """Give every request an id before anything else sees it, and every answer its headers."""
    security = security_headers(settings)

    def begin() -> None:
        g.started = perf_counter()
        g.request_id = sound_request_id(request.headers.get(REQUEST_ID, ""))
        g.base = settings.public_url or request.script_root
        refuse_broken_address(request)
        refuse_encoded_body(request)

    app.before_request(begin)
    app.after_request(_compress)
    app.after_request(lambda response: _finish(response, security))


def sound_request_id(sent: str) -> str:
    """The id that a client sent if it is safe to log, else a new one."""
    return sent if _SOUND_ID.fullmatch(sent) else uuid.uuid4().hex


def _finish(response: Response, security: dict[str, str]) -> Response:
    stages = {**g.get("stages", {}), "total": elapsed_ms()}
    timings = ", ".join(f"{name};dur={ms:.1f}" for name, ms in stages.items())
    added = {**security, REQUEST_ID: g.get("request_id", ""), "Server-Timing": timings}
    if response.is_json:
        added["Cache-Control"] = "no-store"
    present = {name.lower() for name, _ in response.headers}
    response.headers.extend([each for each in added.items() if each[0].lower() not in present])
    return response


def _compress(response: Response) -> Response:
    if (response.content_length or 0) < _LEAST_COMPRESSED or response.direct_passthrough:
        return response
    if response.mimetype not in _COMPRESSED:
        return response
    response.vary.add("Accept-Encoding")
    if "Content-Encoding" in response.headers or not request.accept_encodings["gzip"]:
        return response
    data = response.get_data()
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    response.set_data(packer.compress(data) + packer.flush())
    response.headers["Content-Encoding"] = "gzip"
    return response


def elapsed_ms() -> float:
    """Milliseconds since the current request came in."""
    return float(perf_counter() - g.get("started", perf_counter())) * 1e3
