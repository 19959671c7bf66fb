"""Base64 as people and browsers send it."""

from __future__ import annotations

import base64
import binascii

__all__ = ["decode_base64"]

_STANDARD = str.maketrans("-_", "+/")


def decode_base64(text: str) -> bytes:
    """The bytes of base64 in any of its usual forms (RFC 4648 and RFC 2397).

    A data: URL, line breaks, the URL-safe alphabet and missing padding are all accepted.
    `ValueError` says in words what is wrong with anything else.
    """
    if text[:5].lower() == "data:":
        head, comma, text = text.partition(",")
        if not comma or not head.lower().endswith(";base64"):
            raise ValueError("the data: URL must end its head with ;base64,")
    try:
        return base64.b64decode(text, validate=True)  # nearly always, and no copy is made
    except (binascii.Error, ValueError):
        pass
    packed = "".join(text.split()).rstrip("=").translate(_STANDARD)
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is not base64") from None
