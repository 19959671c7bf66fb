"""What every answer carries: its request id, its timings, and what a browser may do with it."""

from __future__ import annotations

import re
import uuid
from time import perf_counter

from flask import Flask, Response, g, request

from service.incoming import refuse_broken_address

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


def register_headers(app: Flask) -> None:
    """Give every request an id before anything else looks at it, and every answer its headers."""
    app.before_request(_begin)
    app.after_request(_finish)


def sound_request_id(sent: str) -> str:
    """The id that a client sent if it may go into the log, else a new one."""
    return sent if _SOUND_ID.fullmatch(sent) else uuid.uuid4().hex


def _begin() -> None:
    g.started = perf_counter()
    g.request_id = sound_request_id(request.headers.get(REQUEST_ID, ""))
    refuse_broken_address(request)


def _finish(response: Response) -> Response:
    response.headers[REQUEST_ID] = g.get("request_id", "")
    for name, value in SECURITY.items():
        response.headers.setdefault(name, value)
    if response.is_json:
        response.headers.setdefault("Cache-Control", "no-store")
    stages = {**g.get("stages", {}), "total": elapsed_ms()}
    response.headers["Server-Timing"] = ", ".join(
        f"{name};dur={ms:.1f}" for name, ms in stages.items()
    )
    return response


def elapsed_ms() -> float:
    """Milliseconds since the present request came in."""
    return float(perf_counter() - g.get("started", perf_counter())) * 1e3
