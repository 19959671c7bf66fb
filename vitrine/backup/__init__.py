"""Backups: a version in a folder of plain files, whichever backend keeps it, and back."""

from vitrine.backup.folder import Manifest, read_manifest
from vitrine.backup.restoring import restore
from vitrine.backup.writing import back_up

__all__ = ["Manifest", "back_up", "read_manifest", "restore"]
