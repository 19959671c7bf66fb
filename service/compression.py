"""Large answers are compressed for clients that ask for it (RFC 9110, section 12.5.3)."""

from __future__ import annotations

import zlib

from flask import Flask, Response, request

__all__ = ["register_compression"]

_LEAST = 16_384
"""Bytes: a page of hits is smaller, and saves less than the compression takes."""
_LEVEL = 1
_GZIP = 31
"""zlib's window bits for a gzip container around the largest window."""
_KINDS = ("application/json", "application/problem+json")


def register_compression(app: Flask) -> None:
    """Compress JSON of the app's answers with gzip."""
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    if (response.content_length or 0) < _LEAST or response.direct_passthrough:
        return response
    if response.mimetype not in _KINDS:
        return response
    response.vary.add("Accept-Encoding")
    if "Content-Encoding" in response.headers or not request.accept_encodings["gzip"]:
        return response
    data = response.get_data()
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    response.set_data(packer.compress(data) + packer.flush())
    response.headers["Content-Encoding"] = "gzip"
    return response
