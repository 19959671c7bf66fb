"""Styles, scripts and icons of the pages, under addresses that change with their content.

Browsers may keep them for good: a file that changes gets a new address.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, send_from_directory, url_for

__all__ = ["assets", "register_asset_names"]

FOLDER = Path(__file__).with_name("static")
MAX_AGE_S = 31_536_000

_IMPORT = re.compile(r"""^(?:import|export)\b[^"';]*["'](\.{1,2}/[^"']+)["'];""", re.MULTILINE)

assets = Blueprint("assets", __name__)


@assets.get("/assets/<digest>/<path:name>")
def asset(digest: str, name: str) -> Response:
    """Send a file of static/; under an earlier digest it is the present file, but not cached."""
    is_current = digest == content_digest()
    response = send_from_directory(FOLDER, name, max_age=MAX_AGE_S if is_current else 0)
    if is_current:
        response.cache_control.immutable = True
        response.cache_control.public = True
    return response


def register_asset_names(blueprint: Blueprint) -> None:
    """Give the blueprint's templates `asset(name)` and `modules(entry)`.

    The first is the address of a file, the second the addresses of all modules that a script
    imports.
    """

    @blueprint.context_processor
    def names() -> dict[str, object]:
        return {"asset": address, "modules": module_addresses}


def address(name: str) -> str:
    """The address of a file of static/."""
    return url_for("pages.assets.asset", digest=content_digest(), name=name)


def module_addresses(entry: str) -> list[str]:
    """The addresses of the modules that a script imports."""
    return [address(name) for name in imported_by(entry)]


@cache
def content_digest() -> str:
    """The first 12 hex digits of the SHA-256 of all files together: modules import each other."""
    digest = hashlib.sha256()
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file():
            name = path.relative_to(FOLDER).as_posix()
            digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


@cache
def imported_by(entry: str) -> tuple[str, ...]:
    """The modules that a module imports, directly or through others, for a browser to preload."""
    modules: set[Path] = set()
    pending = [FOLDER / entry]
    while pending:
        module = pending.pop()
        for name in _IMPORT.findall(module.read_text("utf-8")):
            path = (module.parent / name).resolve()
            if path not in modules:
                modules.add(path)
                pending.append(path)
    return tuple(sorted(path.relative_to(FOLDER.resolve()).as_posix() for path in modules))
