"""The folder of everything that Vitrine keeps, checked before a program relies on it."""

from __future__ import annotations

import os
import pwd
import tempfile
from pathlib import Path

from vitrine.errors import InvalidSettings
from vitrine.storage.atomic import FULL_DISK

__all__ = ["require_writable"]


def require_writable(folder: Path, setting: str = "VITRINE_DATA_DIR") -> None:
    """Make the folder where it is missing; `InvalidSettings` when this user cannot write there.

    A full disk is no fault of the settings: whoever needs room on it says so.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        if error.errno in FULL_DISK:
            return
        raise InvalidSettings.of(
            setting,
            f"{folder.absolute()} cannot be written by {_user()} ({error.strerror}); give this "
            "user the right to write there, or name another folder",
        ) from None


def _user() -> str:
    number = os.geteuid()
    try:
        return f"user {pwd.getpwuid(number).pw_name} ({number})"
    except KeyError:  # containers run as users that no file lists
        return f"user {number}"
