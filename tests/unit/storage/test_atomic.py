"""A file appears whole and durably, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vitrine.storage.atomic import atomic_write


class Disk:
    """Notes what is flushed to the disk and when a file gets its name."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.events: list[str] = []
        self._fsync, self._replace = os.fsync, os.replace
        monkeypatch.setattr(os, "fsync", self._flushed)
        monkeypatch.setattr(os, "replace", self._renamed)

    def _flushed(self, handle: int) -> None:
        self.events.append(f"fsync {Path(os.readlink(f'/proc/self/fd/{handle}')).suffix}")
        self._fsync(handle)

    def _renamed(self, source: Path, target: Path) -> None:
        self.events.append("rename")
        self._replace(source, target)


def test_the_content_then_the_name_reach_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    disk = Disk(monkeypatch)
    atomic_write(tmp_path / "file", b"new")
    assert disk.events == ["fsync .part", "rename", "fsync "]
    assert (tmp_path / "file").read_bytes() == b"new"


def test_new_folders_reach_the_disk_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    disk = Disk(monkeypatch)
    atomic_write(tmp_path / "a" / "b" / "file", b"new")
    assert disk.events == ["fsync ", "fsync ", "fsync .part", "rename", "fsync "]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        atomic_write(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
