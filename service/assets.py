"""Styles, scripts and icons, under addresses that change with their content."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, send_from_directory, url_for

__all__ = ["assets", "register_asset_names"]

FOLDER = Path(__file__).with_name("static")
KEPT_S = 31_536_000

_IMPORT = re.compile(r"""^(?:import|export)\b[^"';]*["'](\.{1,2}/[^"']+)["'];""", re.MULTILINE)

assets = Blueprint("assets", __name__)


@assets.get("/assets/<digest>/<path:name>")
def asset(digest: str, name: str) -> Response:
    """Send a file of static/; under an earlier digest it is the present file, but not cached."""
    response = send_from_directory(
        FOLDER, name, max_age=KEPT_S if digest == content_digest() else 0
    )
    if digest == content_digest():
        response.cache_control.immutable = True
        response.cache_control.public = True
    return response


def register_asset_names(blueprint: Blueprint) -> None:
    """Give templates `asset(name)` and `modules(entry)`, the addresses of all a script imports."""

    @blueprint.context_processor
    def names() -> dict[str, object]:
        return {
            "asset": address,
            "modules": lambda entry: [address(name) for name in imported_by(entry)],
        }


def address(name: str) -> str:
    """The address of a file of static/."""
    return url_for("pages.assets.asset", digest=content_digest(), name=name)


@cache
def content_digest() -> str:
    """12 hex digits of SHA-256 over all files; modules import each other, so all change at once."""
    found = hashlib.sha256()
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file():
            found.update(
                path.relative_to(FOLDER).as_posix().encode() + b"\0" + path.read_bytes() + b"\0"
            )
    return found.hexdigest()[:12]


@cache
def imported_by(entry: str) -> tuple[str, ...]:
    """The modules that a module needs, directly or through others, to be preloaded at once."""
    found: set[Path] = set()
    waiting = [FOLDER / entry]
    while waiting:
        module = waiting.pop()
        for name in _IMPORT.findall(module.read_text("utf-8")):
            path = (module.parent / name).resolve()
            if path not in found:
                found.add(path)
                waiting.append(path)
    return tuple(sorted(path.relative_to(FOLDER.resolve()).as_posix() for path in found))
