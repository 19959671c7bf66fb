"""What Docker is sent of a tree to build an image from: its `.dockerignore`, as Docker reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["in_context"]


def in_context(ignore: str, names: Iterable[str]) -> set[str]:
    """Those of the files that the text of a `.dockerignore` lets through.

    https://docs.docker.com/build/concepts/context/#dockerignore-files: a pattern also holds for all
    that lies below what it names, the last one that fits decides, and `!` lets through.
    """
    rules = [
        (not line.startswith("!"), _pattern(line.removeprefix("!").strip("/")))
        for line in map(str.strip, ignore.splitlines())
        if line and not line.startswith("#")
    ]
    return {name for name in names if not _ignored(name, rules)}


def _ignored(name: str, rules: list[tuple[bool, re.Pattern[str]]]) -> bool:
    ignored = False
    for ignores, pattern in rules:
        if pattern.fullmatch(name):
            ignored = ignores
    return ignored


def _pattern(rule: str) -> re.Pattern[str]:
    """`**` stands for any folders, `*` for any part of a name."""
    parts = re.split(r"(\*\*/|\*)", rule)
    written = {"**/": "(?:.*/)?", "*": "[^/]*"}
    return re.compile("".join(written.get(part, re.escape(part)) for part in parts) + "(?:/.*)?")
