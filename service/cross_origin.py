"""Which other origins may call the API (CORS,
https://fetch.spec.whatwg.org/#http-cors-protocol)."""

from __future__ import annotations

from flask import Flask, Response, request

__all__ = ["register_cross_origin"]

_EXPOSED = "X-Request-ID, Server-Timing, Retry-After, ETag"
_METHODS = "GET, HEAD, POST"
_HEADERS = "Authorization, Content-Type, X-Request-ID"
_KNOWN_FOR_S = 600
_CLOSED = ("/v1/admin/", "/metrics")
"""No origin but the service's own calls these."""


def register_cross_origin(app: Flask, origins: str) -> None:
    """Let pages of these origins, separated by commas, or `*` for any, call the API."""
    allowed = {origin.strip() for origin in origins.split(",") if origin.strip()}

    def allowed_origin() -> str | None:
        origin = request.headers.get("Origin", "")
        if not origin or request.path.startswith(_CLOSED):
            return None
        return origin if "*" in allowed or origin in allowed else None

    def answer_preflight() -> Response | None:
        asks = "Access-Control-Request-Method" in request.headers
        if request.method == "OPTIONS" and asks and allowed_origin() is not None:
            return Response(status=204)
        return None

    def tell(response: Response) -> Response:
        response.vary.add("Origin")
        origin = allowed_origin()
        if origin is None:
            return response
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = _METHODS
            response.headers["Access-Control-Allow-Headers"] = _HEADERS
            response.headers["Access-Control-Max-Age"] = str(_KNOWN_FOR_S)
        return response

    if allowed:
        app.before_request(answer_preflight)
        app.after_request(tell)
