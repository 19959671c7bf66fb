"""How a mapping and a model differ from those that the live version was built with, in words."""

from __future__ import annotations

from collections.abc import Mapping as MappingABC
from typing import Any

from vitrine.fields import Schema

__all__ = ["differences", "mismatch", "unchangeable_differences"]


def differences(live: Schema, mapping: Schema) -> str:
    """How the fields of a mapping differ from those of the live index, for a message."""
    before = {field.name: field.type for field in live}
    after = {field.name: field.type for field in mapping}
    parts = {
        "it adds": after.keys() - before.keys(),
        "it lacks": before.keys() - after.keys(),
        "another type has": {
            name for name in before.keys() & after.keys() if before[name] is not after[name]
        },
    }
    told = [f"{what} {', '.join(sorted(names))}" for what, names in parts.items() if names]
    return "; ".join(told) or "they have another order"


def mismatch(live: str, model: str) -> str:
    """Why the model cannot write into a version that was built by `live`, and what to do."""
    if live == model:  # an update of Vitrine may prepare pictures otherwise, too
        return (
            f"the live index was built by {live} when its files, or the way its input is prepared,"
            " were others; run `vitrine reindex` first"
        )
    return (
        f"the live index was built by {live}, but VITRINE_MODEL is {model}; set VITRINE_MODEL back,"
        f" or run `vitrine reindex --model {model}` first"
    )


def unchangeable_differences(
    live: MappingABC[str, Any], mapping: MappingABC[str, Any]
) -> list[str]:
    """What a version takes from a mapping when it is made, and has otherwise than this one."""
    both = (live, mapping)
    before, after = (stored.get("language", "en") for stored in both)
    differing = [] if before == after else [f"language ({before}, not {after})"]
    for key, words in (("label", "labels"), ("understand", "understood fields")):
        old, new = ({f: c.get(key) for f, c in m.get("fields", {}).items()} for m in both)
        if old != new:
            differing.append(words)
    return differing
