"""Signatures on what goes out to clients and comes back: cursors and search keys.

HMAC with SHA-256 (RFC 2104), cut to 16 bytes. The key is `VITRINE_SECRET_KEY`, or made once and
kept in the data folder; machines that share no data folder need the setting to take each other's.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import uuid
from pathlib import Path

from vitrine.errors import InvalidSettings, StorageUnavailable
from vitrine.settings import DataSettings
from vitrine.storage.atomic import make_folders, sync_folder

__all__ = ["SIGNATURE_BYTES", "Signer", "load_signer"]

SIGNATURE_BYTES = 16
_KEY_BYTES = 32
_FILE = "secret.key"


class Signer:
    """Signs bytes and checks signatures."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def random(cls) -> Signer:
        """A signer whose signatures nobody else takes, and not itself after a restart."""
        return cls(secrets.token_bytes(_KEY_BYTES))

    def for_use(self, use: str) -> Signer:
        """A signer of one use, whose signatures no other use takes."""
        return Signer(hmac.digest(self._key, use.encode(), hashlib.sha256))

    def sign(self, data: bytes) -> bytes:
        """The signature of the bytes, `SIGNATURE_BYTES` long."""
        return hmac.digest(self._key, data, hashlib.sha256)[:SIGNATURE_BYTES]

    def is_signed(self, data: bytes, signature: bytes) -> bool:
        """Whether the signature is that of the bytes, in constant time."""
        return hmac.compare_digest(self.sign(data), signature)


def load_signer(settings: DataSettings) -> Signer:
    """The signer of the settings' key, which is made where there is none yet.

    `InvalidSettings` for a key in the data folder that is damaged, `StorageUnavailable` when it can
    be neither read nor made.
    """
    configured = settings.secret_key.get_secret_value()
    if configured:
        return Signer(configured.encode())
    path = settings.data_dir / _FILE
    try:
        key = path.read_bytes() if path.exists() else _made(path)
    except OSError as error:
        raise StorageUnavailable(
            f"the key of signatures, {path}, cannot be read or made: {error.strerror}"
        ) from error
    if len(key) != _KEY_BYTES:
        raise InvalidSettings.of(
            "VITRINE_DATA_DIR",
            f"{path} is damaged: it has {len(key)} bytes instead of {_KEY_BYTES}; remove it, "
            "and cursors and search keys made so far are refused",
        )
    return Signer(key)


def _made(path: Path) -> bytes:
    """A new key, or the one that another process has made meanwhile."""
    make_folders(path.parent)
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.link(part, path)
    except FileExistsError:
        pass
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)
    return path.read_bytes()
