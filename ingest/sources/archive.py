"""ZIP archives: the catalogue within one, and the refusal of bombs."""

from __future__ import annotations

import zipfile
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from vitrine.errors import InvalidInput
from vitrine.storage.atomic import FULL_DISK, disk_errors

__all__ = ["check_archive", "unpack"]

MAX_RATIO = 200
"""Bytes that one packed byte may become; catalogues pack to a tenth, seldom to a fortieth."""
_SMALL = 100_000_000
"""Bytes in all that are harmless however well they are packed."""

_UNREADABLE = (zipfile.BadZipFile, OSError, EOFError, RuntimeError)
"""What zipfile raises for what it cannot read: damage, a password, and, as a kind of RuntimeError,
a way of packing that it does not know."""


def check_archive(path: Path) -> None:
    """Refuse, by what its directory says, an archive that would unpack to far more than it is.

    zipfile reads no more of a member than the directory says, so that it cannot lie.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except _UNREADABLE as error:
        raise InvalidInput.of("source", f"{path} cannot be read as an archive: {error}") from None
    if unpacked > _SMALL and unpacked > MAX_RATIO * path.stat().st_size:
        raise InvalidInput.of(
            "source",
            f"{path} would unpack to {unpacked / 1e6:.0f} MB, {MAX_RATIO} times its size or more; "
            "unpack it yourself if that is right",
        )


def unpack(path: Path, folder: Path, endings: Collection[str]) -> None:
    """Write the members with such endings into the folder, in the folders that they name.

    `StorageUnavailable` when the disk is full.
    """
    check_archive(path)
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                name = PurePosixPath(member.filename)
                parts = [part for part in name.parts if part != ".."]
                hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
                if not member.is_dir() and not hidden and name.suffix.lower() in endings:
                    archive.extract(member, folder)  # never outside: zipfile takes out ".." and "/"
    except _UNREADABLE as error:
        if isinstance(error, OSError) and error.errno in FULL_DISK:
            with disk_errors(folder):
                raise
        raise InvalidInput.of("source", f"{path} cannot be unpacked: {error}") from None
