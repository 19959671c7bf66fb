"""Pydantic's messages in words for whoever need not know pydantic."""

from __future__ import annotations

__all__ = ["plain_words"]

_WORDS = (
    ("Value error, ", ""),
    ("Field required", "is missing"),
    (", unable to parse string as an integer", ""),
    (", unable to parse string as a number", ""),
    (", unable to interpret input", ""),
    ("a valid boolean", "a boolean: true or false"),
    ("a valid integer", "an integer"),
    ("a valid number", "a number"),
    ("a valid list", "a list"),
    ("Input should be a valid dictionary or instance of", "must be an object as in"),
    ("Input should be a valid dictionary", "must be an object"),
    ("Input should be a valid string", "must be text"),
    ("Input should be ", "must be "),
    ("List should have", "must have"),
    ("String should have", "must have"),
    (" after validation", ""),
    ("greater than or equal to", "at least"),
    ("less than or equal to", "at most"),
)
"""Pydantic's words, and the plain ones; they are replaced in this order."""


def plain_words(message: str) -> str:
    """The message of one of pydantic's errors: what must hold, as in "must be at least 1"."""
    for technical, plain in _WORDS:
        message = message.replace(technical, plain)
    return message
