"""The port of the image store: pictures by the SHA-256 of their bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

__all__ = ["ImageStore"]


class ImageStore(Protocol):
    """Content-addressed bytes.

    Errors: `StorageUnavailable` when the store cannot answer; `NotFound` for an unknown key.
    """

    def put(self, data: bytes, *, key: str | None = None) -> str:
        """Keep the bytes and return their key (SHA-256, hex), which the caller may know already.

        A second time makes them young again.
        """
        ...

    def get(self, key: str) -> bytes:
        """The bytes of a key."""
        ...

    def has(self, key: str) -> bool:
        """Whether the key is kept."""
        ...

    def walk_keys(self) -> Iterator[str]:
        """All keys, in no order."""
        ...

    def age_s(self, key: str) -> float:
        """Seconds since the bytes were put last; 0 for a key that is not kept."""
        ...

    def delete(self, key: str) -> None:
        """Remove the bytes of a key, if they are kept."""
        ...

    def remove_leftovers(self, *, older_than_s: float) -> None:
        """Remove what processes that died while they were writing left behind."""
        ...
