"""The image store on any fsspec file system: a folder, or object storage by URL."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import fsspec

from vitrine.errors import NotFound, StorageUnavailable
from vitrine.settings import ImageSettings
from vitrine.storage.atomic import atomic_write

__all__ = ["FileSystemStore", "open_store"]

_KEY = re.compile(r"[0-9a-f]{64}")


class FileSystemStore:
    """Pictures at `root/aa/bb/<sha256>`; each is there whole or not at all, even after a crash."""

    def __init__(self, url: str) -> None:
        try:
            self._files, self._root = fsspec.core.url_to_fs(url, use_listings_cache=False)
        except Exception as error:  # unknown scheme, missing library, bad option: each its own
            raise StorageUnavailable(
                f"the image store {url!r} cannot be opened: {error}"
            ) from error
        self._url = url
        self._renames = "file" in _protocols(self._files)

    def put(self, data: bytes) -> str:
        """Keep the bytes and return their key."""
        key = hashlib.sha256(data).hexdigest()
        try:
            if not self._keeps(self._path(key), data):
                self._write(self._path(key), data)
        except Exception as error:
            raise self._unavailable("keep a picture", error) from error
        return key

    def get(self, key: str) -> bytes:
        """The bytes of a key; `NotFound` for a key that is not kept or not valid."""
        path = self._path(key)
        try:
            data: bytes = self._files.cat_file(path)
        except FileNotFoundError:
            raise NotFound(f"no picture has the key {key}") from None
        except Exception as error:
            raise self._unavailable("read a picture", error) from error
        if hashlib.sha256(data).hexdigest() != key:
            raise StorageUnavailable(
                f"the kept picture {key} is damaged; send the product's picture again"
            )
        return data

    def has(self, key: str) -> bool:
        """Whether the key is kept."""
        if not _KEY.fullmatch(key):
            return False
        try:
            return bool(self._files.exists(self._path(key)))
        except Exception as error:
            raise self._unavailable("look for a picture", error) from error

    def _path(self, key: str) -> str:
        if not _KEY.fullmatch(key):
            raise NotFound("that is not the key of a picture")
        return f"{self._root}/{key[:2]}/{key[2:4]}/{key}"

    def _keeps(self, path: str, data: bytes) -> bool:
        """Whether the file is there and whole; object storage is asked for its size only."""
        if not self._files.exists(path):
            return False
        if self._renames:
            return bool(self._files.cat_file(path) == data)
        return bool(self._files.size(path) == len(data))

    def _write(self, path: str, data: bytes) -> None:
        if not self._renames:  # object stores show an object only when it is complete
            self._files.pipe_file(path, data)
            return
        atomic_write(Path(path), data)

    def _unavailable(self, deed: str, error: Exception) -> StorageUnavailable:
        return StorageUnavailable(
            f"the image store {self._url} cannot {deed} now: {type(error).__name__}: {error}"
        )


def open_store(settings: ImageSettings) -> FileSystemStore:
    """The store that the settings name: IMAGE_STORE, or the folder `images` under DATA_DIR."""
    return FileSystemStore(settings.image_store or str(settings.data_dir.absolute() / "images"))


def _protocols(files: Any) -> tuple[str, ...]:
    return (files.protocol,) if isinstance(files.protocol, str) else tuple(files.protocol)
