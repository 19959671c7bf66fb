"""Checks of values that settings of several groups share: addresses, and texts for a header."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr

__all__ = ["HOST_RULE", "HeaderSecret", "HeaderText", "is_address", "matching"]

HOST_RULE = "must be http:// or https://, a host and perhaps a port"


def matching(pattern: str, rule: str) -> AfterValidator:
    """The check that a text fits `pattern`; `rule` says what that means."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(rule)
        return text

    return AfterValidator(check)


def is_address(url: str) -> bool:
    """Whether it is http:// or https://, a host, and a port from 0 to 65535 if it names one."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # reading the port checks it
        (parts.hostname or "").encode("idna")  # a label may be empty or too long
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _header_text(value: str | SecretStr) -> str | SecretStr:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not (text.isascii() and text.isprintable()):
        raise ValueError("must be printable ASCII characters, for it is sent in a header")
    return value


HeaderText = Annotated[str, AfterValidator(_header_text)]
HeaderSecret = Annotated[SecretStr, AfterValidator(_header_text)]
