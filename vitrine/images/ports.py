"""The port of the image store: pictures by the SHA-256 of their bytes."""

from __future__ import annotations

from typing import Protocol

__all__ = ["ImageStore"]


class ImageStore(Protocol):
    """Content-addressed bytes.

    Errors: `StorageUnavailable` when the store cannot answer; `NotFound` for an unknown key.
    """

    def put(self, data: bytes) -> str:
        """Keep the bytes and return their key (SHA-256, hex); a second time does nothing."""
        ...

    def get(self, key: str) -> bytes:
        """The bytes of a key."""
        ...

    def has(self, key: str) -> bool:
        """Whether the key is kept."""
        ...
