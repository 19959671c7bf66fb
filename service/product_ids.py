"""Product ids in addresses: any text, so that a slash may belong to the id or to the path."""

from __future__ import annotations

from typing import Any

from werkzeug.routing import BaseConverter

__all__ = ["IdConverter", "with_whole_id"]

_PRODUCTS = "/v1/products/"
_OF_THE_ID = "\udc2f"
"""Stands for a slash of an id while the path is matched; no text that came as UTF-8 holds it."""


class IdConverter(BaseConverter):
    """A product id in a path: any text, slashes included."""

    regex = ".+?"
    part_isolating = False

    def to_python(self, value: str) -> str:
        """The id, with its own slashes."""
        return value.replace(_OF_THE_ID, "/")


def with_whole_id(path: str, environ: dict[str, Any]) -> str:
    """The path to be matched, in which an id that was sent whole cannot be taken apart.

    `/v1/products/a%2Fimage` is the product `a/image`, `/v1/products/a/image` the picture of `a`.
    The path alone does not tell them apart, for it is unquoted; the raw address does.
    """
    raw = str(environ.get("RAW_URI", "")).partition("?")[0]
    whole = raw.partition(_PRODUCTS)[2]
    if not path.startswith(_PRODUCTS) or not whole or "/" in whole:
        return path
    return _PRODUCTS + path.removeprefix(_PRODUCTS).replace("/", _OF_THE_ID)
