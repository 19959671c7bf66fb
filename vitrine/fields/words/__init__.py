"""Words of shops by language: data files, and their reader."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources

__all__ = ["word_lists"]


@lru_cache(maxsize=4)
def word_lists(name: str) -> Mapping[str, Mapping[str, list[str]]]:
    """Language -> key -> words, of the file of that name."""
    text = (resources.files(__name__) / f"{name}.toml").read_text(encoding="utf-8")
    lists: dict[str, dict[str, list[str]]] = tomllib.loads(text)
    return lists
