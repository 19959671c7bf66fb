"""The mappings that come with Vitrine, one for each export that shops commonly have."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

__all__ = ["Recognized", "built_in_mappings", "built_in_text", "recognize"]

_FOLDER = "vitrine.fields.mappings"


def built_in_mappings() -> tuple[str, ...]:
    """Names of the mappings that come with Vitrine."""
    names = (file.name for file in resources.files(_FOLDER).iterdir())
    return tuple(
        sorted(
            name.removesuffix(".toml")
            for name in names
            if name.endswith(".toml") and name != "recognition.toml"
        )
    )


def built_in_text(name: str) -> str | None:
    """The TOML of a built-in mapping, None for any other name."""
    if name not in built_in_mappings():
        return None
    return (resources.files(_FOLDER) / f"{name}.toml").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Recognized:
    """The built-in mapping of an export, and the language of its columns where that is known."""

    mapping: str
    language: str | None = None


def recognize(columns: Collection[str]) -> Recognized | None:
    """The built-in mapping whose export has these columns, None where it is none that is known.

    Of several that fit, the one that names the most columns is meant.
    """
    present = set(columns)
    fitting = [
        (len(set(signature["columns"])), name)
        for name, signature in _signatures().items()
        if set(signature["columns"]) <= present and not present & set(signature.get("without", ()))
    ]
    if not fitting:
        return None
    name = max(fitting)[1]
    return Recognized(name.partition("@")[0], _signatures()[name].get("language"))


@lru_cache(maxsize=1)
def _signatures() -> dict[str, Any]:
    text = (resources.files(_FOLDER) / "recognition.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
