"""Texts cleaned as open_clip's tokenizers clean them, since its models were trained so."""

from __future__ import annotations

import html
import string
from typing import Literal

__all__ = ["Cleaning", "clean"]

Cleaning = Literal["none", "whitespace", "lower", "canonicalize"]

_PUNCTUATION = str.maketrans("", "", string.punctuation)


def clean(text: str, way: Cleaning) -> str:
    """The text without broken encodings, HTML entities and double blanks.

    `lower` is lower case as well; `canonicalize` also leaves out punctuation (big_vision's
    `canonicalize_text`, with which SigLIP was trained).
    """
    if way == "none":
        return text
    import ftfy  # its tables are read where they are needed

    text = html.unescape(html.unescape(ftfy.fix_text(text)))
    if way == "canonicalize":
        text = text.replace("_", " ").translate(_PUNCTUATION)
    text = " ".join(text.split())
    return text if way == "whitespace" else text.lower()
