"""The image store on any fsspec file system: a folder, or object storage by URL."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fsspec

from vitrine.errors import NotFound, StorageUnavailable
from vitrine.settings import ImageSettings
from vitrine.storage.atomic import atomic_write, sync_folder

__all__ = ["FileSystemStore", "open_store"]

_KEY = re.compile(r"[0-9a-f]{64}")
_LEFTOVER = re.compile(r"[0-9a-f]{64}\.[0-9a-f]{32}\.part")
"""What `atomic_write` writes aside."""

_RENEWED_S = 3600.0
"""An object that was put within this time is young enough for any time of grace."""


class FileSystemStore:
    """Each picture is there whole or not at all, even after a crash.

    It lies at `root/aa/<sha256>`, in object storage at `root/aa/bb/<sha256>`, where earlier
    releases kept it in folders too: most pictures would need a second folder made for them, which
    took as long as writing them.
    """

    def __init__(self, url: str) -> None:
        try:
            self._files, self._root = fsspec.core.url_to_fs(url, use_listings_cache=False)
        except Exception as error:  # unknown scheme, missing library, bad option: each its own
            raise StorageUnavailable(
                f"the image store {url!r} cannot be opened: {error}"
            ) from error
        self._url = url
        self._renames = "file" in _protocols(self._files)

    def put(self, data: bytes, *, key: str | None = None) -> str:
        """Keep the bytes and return their key, which the caller may know already."""
        key = key or hashlib.sha256(data).hexdigest()
        paths = self._paths(key)
        try:
            existing = next((path for path in paths if self._keeps(path, data)), None)
            if existing is None:
                self._write(paths[0], data)
            else:
                self._renew(existing, data)
        except Exception as error:
            raise self._unavailable("keep a picture", error) from error
        return key

    def get(self, key: str) -> bytes:
        """The bytes of a key; `NotFound` for a key that is not kept or not valid."""
        data = self._read(key)
        if hashlib.sha256(data).hexdigest() != key:
            raise StorageUnavailable(
                f"the stored picture {key} is damaged; send the product's picture again"
            )
        return data

    def has(self, key: str) -> bool:
        """Whether the key is kept."""
        if not _KEY.fullmatch(key):
            return False
        try:
            return any(self._files.exists(path) for path in self._paths(key))
        except Exception as error:
            raise self._unavailable("look for a picture", error) from error

    def walk_keys(self) -> Iterator[str]:
        """All keys, in no order."""
        yield from (name for _, name in self._names() if _KEY.fullmatch(name))

    def age_s(self, key: str) -> float:
        """Seconds since the bytes were put last; 0 for a key that is not kept."""
        for path in self._paths(key):
            try:
                return self._age_s(path)
            except FileNotFoundError:
                continue
            except Exception as error:
                raise self._unavailable("tell the age of a picture", error) from error
        return 0.0

    def delete(self, key: str) -> None:
        """Remove the bytes of a key, if they are kept."""
        for path in self._paths(key):
            self._remove(path)

    def remove_leftovers(self, *, older_than_s: float) -> None:
        """Remove what processes that died while they were writing left behind."""
        for folder, name in self._names():
            path = f"{folder}/{name}"
            if _LEFTOVER.fullmatch(name) and self._age_s(path) > older_than_s:
                self._remove(path)

    def _names(self) -> Iterator[tuple[str, str]]:
        """Folders and names of all files."""
        try:
            for folder, _, names in self._files.walk(self._root):
                yield from ((str(folder), name) for name in names)
        except Exception as error:
            raise self._unavailable("list its pictures", error) from error

    def _age_s(self, path: str) -> float:
        modified: datetime = self._files.modified(path)
        return (datetime.now(UTC) - modified.astimezone(UTC)).total_seconds()

    def _renew(self, path: str, data: bytes) -> None:
        """Make a picture young again; an object's time changes only with the object.

        Who wrote the file may have died, or be at work, before its folder is flushed.
        """
        if self._renames:
            os.utime(path)
            sync_folder(Path(path).parent)
        elif self._age_s(path) > _RENEWED_S:
            self._files.pipe_file(path, data)

    def _remove(self, path: str) -> None:
        try:
            self._files.rm_file(path)
        except FileNotFoundError:
            pass
        except Exception as error:
            raise self._unavailable("remove a picture", error) from error

    def _read(self, key: str) -> bytes:
        for path in self._paths(key):
            try:
                return bytes(self._files.cat_file(path))
            except FileNotFoundError:
                continue
            except Exception as error:
                raise self._unavailable("read a picture", error) from error
        raise NotFound(f"no picture has the key {key}")

    def _paths(self, key: str) -> list[str]:
        """Where a picture may lie; it is put at the first."""
        if not _KEY.fullmatch(key):
            raise NotFound("that is not the key of a picture")
        in_two = f"{self._root}/{key[:2]}/{key[2:4]}/{key}"
        return [f"{self._root}/{key[:2]}/{key}", in_two] if self._renames else [in_two]

    def _keeps(self, path: str, data: bytes) -> bool:
        """Whether the file exists and is complete; of object storage only its size is checked."""
        try:
            if self._renames:
                return os.path.exists(path) and Path(path).read_bytes() == data
            return bool(self._files.size(path) == len(data))
        except FileNotFoundError:
            return False

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
