"""Creating, opening, publishing and discarding versions."""

from __future__ import annotations

import builtins
import os
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from vitrine.errors import IndexUnavailable, NoLiveVersion, NotFound, VitrineError
from vitrine.fields.schema import Schema
from vitrine.index.faiss.index import FaissIndex
from vitrine.index.faiss.query.planner import Planner
from vitrine.index.faiss.records.metadata import VersionMetadata
from vitrine.index.faiss.records.search_model import SEARCH_MODEL, SearchModelFile
from vitrine.index.faiss.records.store import RecordStore
from vitrine.index.faiss.vectors.search_device import SearchDevice, open_search_device
from vitrine.index.faiss.versions.factory import open_index
from vitrine.index.faiss.versions.pointer import LivePointer
from vitrine.index.fusion import SearchModel
from vitrine.index.ports import VectorIndex, VersionFilling, VersionInfo
from vitrine.index.version_rules import (
    discard_surplus,
    is_version_name,
    nothing_live,
    still_building,
    still_live,
    unknown_version,
    version_name,
)
from vitrine.settings import FaissSettings
from vitrine.storage.atomic import disk_errors, sync_folder

__all__ = ["FaissVersions", "open_versions"]

META, RECORDS, POINTER, LOCK = "version.json", "records.sqlite", "live", "versions.lock"


def open_versions(settings: FaissSettings) -> FaissVersions:
    """The versions under DATA_DIR/index; nothing is written before the first version is created."""
    return FaissVersions(settings.data_dir / "index", settings)


class FaissVersions:
    """Every folder change happens under one lock between processes; readers need none."""

    def __init__(
        self,
        root: Path,
        settings: FaissSettings,
        *,
        planner: Planner | None = None,
        device: SearchDevice | None = None,
    ) -> None:
        self.root = root
        self._settings = settings
        self._planner = planner
        self._device = device or open_search_device(settings.search_device)
        self._opened: dict[str, FaissIndex] = {}
        self._guard = threading.Lock()
        self._pointer = LivePointer(root / POINTER)

    def create(
        self,
        *,
        model: str,
        fingerprint: str,
        dimension: int,
        schema: Schema,
        mapping: Mapping[str, Any],
        text_vectors: bool = False,
    ) -> VectorIndex:
        """A new, empty version; its folder appears whole or not at all."""
        with self._changing():
            now = datetime.now(UTC)
            name = version_name(model, now, self._names())
            part = self.root / f".{uuid.uuid4().hex}.part"
            part.mkdir()
            try:
                VersionMetadata(
                    name,
                    model,
                    fingerprint,
                    dimension,
                    schema,
                    mapping,
                    now,
                    text_vectors=text_vectors,
                ).write(part / META)
                timeout_s = self._settings.index_timeout_s
                RecordStore(part / RECORDS, dimension=dimension, timeout_s=timeout_s).create()
                os.rename(part, self.root / name)
            except BaseException:
                shutil.rmtree(part, ignore_errors=True)
                raise
            sync_folder(self.root)
        return self.open(name)

    def open(self, name: str) -> FaissIndex:
        """Open a version by name; a process opens each once."""
        if not is_version_name(name):
            raise unknown_version(name)
        return self._open(name)

    def _open(self, name: str) -> FaissIndex:
        # without pathlib, which takes as long as the look itself: every search looks
        if not os.path.exists(os.path.join(self.root, name, META)):
            self._forget(name)
            raise unknown_version(name)
        with self._guard:
            if name not in self._opened:
                self._opened[name] = open_index(
                    self.root / name / RECORDS,
                    lambda: self._metadata(name).info(
                        live=self._pointer.readable_name() == name, count=0
                    ),
                    self._settings,
                    planner=self._planner,
                    device=self._device,
                )
            return self._opened[name]

    def live(self) -> VectorIndex:
        """The version that the pointer names now."""
        name = self._pointer.name()
        if name is None:
            raise nothing_live()
        try:
            return self._open(name)
        except NotFound:
            raise IndexUnavailable(
                f"the live version {name} is gone; publish another version, or ingest again"
            ) from None

    def build_index(
        self,
        name: str,
        *,
        progress: Callable[[float], None] = lambda _: None,  # nothing to tell
    ) -> None:
        """Nothing is put off here: snapshots are brought up to date in the background."""
        self._require(name)

    def complete(self, name: str, filling: VersionFilling | None = None) -> None:
        """Mark a building version as ready, with a snapshot, so that services start quickly."""
        index = self.open(name)
        index.compact()
        with self._changing():
            stored = replace(self._metadata(name), complete=True, filling=filling)
            stored.write(self.root / name / META)

    def learn(self, name: str, model: SearchModel) -> None:
        """Put what was learnt of a version beside its records, in one step."""
        self._require(name)
        with disk_errors(self.root):
            SearchModelFile(self.root / name / SEARCH_MODEL).write(model)

    def publish(
        self, name: str, *, verify: Callable[[VectorIndex], None] | None = None
    ) -> str | None:
        """Make a ready version the live one by replacing the pointer file."""
        index = self.open(name)
        self._require_complete(name)
        if verify is not None:
            verify(index)
        with self._changing():
            self._require_complete(name)
            previous = self._pointer.readable_name()
            self._pointer.replace(name)
        return previous

    def discard(self, name: str) -> None:
        """Delete a version; it disappears in one step, then its files go."""
        with self._changing():
            self._require(name)
            if name == self._pointer.name():
                raise still_live(name)
            gone = self.root / f".{uuid.uuid4().hex}.gone"
            os.rename(self.root / name, gone)
        self._forget(name)
        shutil.rmtree(gone, ignore_errors=True)

    def list(self) -> builtins.list[VersionInfo]:
        """All versions, newest first."""
        live = self._pointer.readable_name()
        infos = []
        for name in sorted(self._names(), reverse=True):
            try:
                infos.append(
                    self._metadata(name).info(live=name == live, count=self.open(name).count())
                )
            except NotFound:
                continue  # discarded meanwhile
        return infos

    def prune(self, *, keep: int, spare: str | None = None) -> builtins.list[str]:
        """Discard ready versions but `spare` and the newest, `keep` in all."""
        ready = [
            name
            for name in sorted(self._names(), reverse=True)
            if self._metadata(name).complete and name != self._pointer.name()
        ]
        return discard_surplus(ready, self.discard, keep=keep, spare=spare)

    def describe(self) -> builtins.list[str]:
        """Where searches run, if not on the processor."""
        if self._device is None:
            return []
        lines = [self._device.describe()]
        live = self._pointer.readable_name()
        if live is not None and self._device.obstacle is None:
            taken = self.open(live).device_bytes()
            lines.append(f"version {live} takes {taken / 1e9:.1f} GB there in each process")
        return lines

    def check(self) -> builtins.list[str]:
        """What stands between the index and an answer, with its remedy."""
        faults = []
        if self.root.exists() and not os.access(self.root, os.W_OK):
            faults.append(
                f"{self.root} cannot be written; give this user the right to write there,"
                " or set VITRINE_DATA_DIR"
            )
        try:
            self.list()
            self.live().count()
        except NoLiveVersion:
            pass  # nothing is wrong: nothing has been ingested yet
        except VitrineError as error:
            faults.append(str(error))
        if self._device is not None and self._device.obstacle is not None:
            faults.append(self._device.obstacle)
        return faults

    def close(self) -> None:
        """Close every open version."""
        with self._guard:
            for index in self._opened.values():
                index.close()
            self._opened.clear()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Alone among all processes; errors of the file system translated."""
        try:
            with disk_errors(self.root):
                self.root.mkdir(parents=True, exist_ok=True)
                with FileLock(self.root / LOCK, timeout=self._settings.index_timeout_s):
                    yield
        except Timeout:
            raise IndexUnavailable(
                "another process has been changing the versions for"
                f" {self._settings.index_timeout_s:g} s; try again"
            ) from None

    def _names(self) -> builtins.list[str]:
        try:
            return [name for name in os.listdir(self.root) if is_version_name(name)]
        except FileNotFoundError:
            return []

    def _metadata(self, name: str) -> VersionMetadata:
        try:
            return VersionMetadata.read(self.root / name / META)
        except FileNotFoundError:
            raise unknown_version(name) from None

    def _require(self, name: str) -> None:
        if not is_version_name(name) or not (self.root / name / META).exists():
            raise unknown_version(name)

    def _require_complete(self, name: str) -> None:
        if not self._metadata(name).complete:
            raise still_building(name)

    def _forget(self, name: str) -> None:
        with self._guard:
            index = self._opened.pop(name, None)
        if index is not None:
            index.close()
