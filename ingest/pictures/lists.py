"""Cells that hold several pictures."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["listed_values"]

_BEFORE_ADDRESS = re.compile(r"\s*[,;|\n]\s*(?=(?:https?:)?//)|\s+(?=https?://)", re.IGNORECASE)
"""What separates two addresses; commas within one do not."""
_BETWEEN = re.compile(r"\s*[,;|\n]\s*")
_NAME = re.compile(
    r".*\.(?:jpe?g|jfif|png|webp|gif|bmp|tiff?|avif|hei[cf])(?:~mv2\S*)?", re.IGNORECASE
)
"""A file name of a picture."""


def listed_values(values: Sequence[Any], split: str | None) -> Iterator[Any]:
    """Every single picture that the values name, lists and cells taken apart.

    A cell is split where another address begins or between names of picture files, and with `split`
    at that separator, but never within an address that goes on.
    """
    for value in values:
        if isinstance(value, list | tuple):
            yield from listed_values(value, split)
        elif isinstance(value, str):
            yield from _of_cell(value.strip(), split)
        else:
            yield value


def _of_cell(text: str, split: str | None) -> Iterator[Any]:
    if text.startswith("["):
        try:
            yield from listed_values(json.loads(text), split)
            return
        except (ValueError, TypeError, RecursionError):
            pass
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1].strip()
    if text.startswith(("http:", "https:", "//")):
        parts = [text] if split and split not in text else _BEFORE_ADDRESS.split(text)
    elif split is not None:
        parts = text.split(split)
    else:
        parts = _names(text)
    yield from (part.strip() for part in parts if part.strip())


def _names(text: str) -> list[str]:
    """Names of picture files that follow each other, or the text as one name."""
    if text.startswith(("data:", "file:")):
        return [text]
    parts = _BETWEEN.split(text)
    return parts if len(parts) > 1 and all(map(_NAME.fullmatch, parts)) else [text]
