"""Writing a backup while the version serves and is written to.

No backend holds a view of the past for as long as a large version takes to read. So the version is
read once, then what was written meanwhile, again and again, each time faster. It is done at a
moment in which nothing is new: first the products are counted, then the writes since the last look
are read. If these bring nothing and the count is that of the backup, the backup was the version at
the moment of the count: a product that was added or changed before it would have been among the
writes, and one that was deleted before it would be missing in the count.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from vitrine.backup.folder import (
    MANIFEST,
    Manifest,
    Part,
    remove_parts,
    write_deleted,
    write_learnt,
    write_manifest,
    write_records,
)
from vitrine.errors import Conflict, StorageUnavailable
from vitrine.index import Stamp, VectorIndex
from vitrine.index.product_json import product_hash
from vitrine.products import Record
from vitrine.storage.atomic import make_folders

__all__ = ["back_up"]

_PART = 5000
"""Records in a part."""
_BATCH = 500
"""Records read at once."""
_QUIET_WITHIN_S = 120.0
"""Seconds of catching up after which a version is held to be written too fast."""


def back_up(
    index: VectorIndex, folder: Path, *, progress: Callable[[int], None] = lambda _: None
) -> Manifest:
    """Write a version into a folder, which must be empty, new, or hold an unfinished backup.

    `progress` is told how many records have been written, and may raise. `Conflict` where the
    folder holds something else, or when the version never stands still; `StorageUnavailable` when
    the disk refuses.
    """
    try:
        _prepare(folder)
        return _Backup(index, folder, progress).run()
    except OSError as error:
        raise StorageUnavailable(f"the backup cannot be written to {folder}: {error}") from error


def _prepare(folder: Path) -> None:
    make_folders(folder)
    if (folder / MANIFEST).exists():
        raise Conflict(f"{folder} already contains a backup; choose another folder")
    remove_parts(folder)
    if any(folder.iterdir()):
        raise Conflict(f"{folder} is not empty; choose a new folder for the backup")


class _Backup:
    """One backup on its way; `_stamps` is what it holds by now."""

    def __init__(self, index: VectorIndex, folder: Path, progress: Callable[[int], None]) -> None:
        self._index = index
        self._folder = folder
        self._progress = progress
        self._stamps: dict[str, Stamp] = {}
        self._parts: list[Part] = []
        self._written = 0

    def run(self) -> Manifest:
        mark = self._index.mark()
        self._write(self._index.scan(batch=_BATCH))
        until = time.monotonic() + _QUIET_WITHIN_S
        while True:
            moment, count, since = datetime.now(UTC), self._index.count(), mark
            mark = self._index.mark()
            if not self._write(self._index.written_since(since, batch=_BATCH)):
                if count == len(self._stamps):
                    break
                self._drop_deleted()
            if time.monotonic() > until:
                raise Conflict(
                    "the version is written too fast to be backed up at one moment; stop the "
                    "workers or the ingest for as long as the backup takes"
                )
        model = self._index.search_model
        if model is not None:
            self._parts.append(write_learnt(self._folder, len(self._parts) + 1, model))
        manifest = Manifest.of(
            self._index.info, moment=moment, products=len(self._stamps), parts=self._parts
        )
        write_manifest(self._folder, manifest)
        return manifest

    def _write(self, batches: Iterator[list[Record]]) -> int:
        """Write the records that the backup does not hold as they are; returns how many."""
        waiting: list[Record] = []
        count = 0
        for batch in batches:
            for record in batch:
                stamp = Stamp(record.image_keys, product_hash(record.product))
                if self._stamps.get(record.product.id) != stamp:
                    self._stamps[record.product.id] = stamp
                    waiting.append(record)
                    count += 1
            if len(waiting) >= _PART:
                self._finish_part(waiting)
                waiting = []
        if waiting:
            self._finish_part(waiting)
        return count

    def _finish_part(self, records: list[Record]) -> None:
        self._parts.append(write_records(self._folder, len(self._parts) + 1, records))
        self._written += len(records)
        self._progress(self._written)

    def _drop_deleted(self) -> None:
        present = {i for ids in self._index.scan_ids(batch=10 * _BATCH) for i in ids}
        deleted = [i for i in self._stamps if i not in present]
        if deleted:
            self._parts.append(write_deleted(self._folder, len(self._parts) + 1, deleted))
            for product_id in deleted:
                del self._stamps[product_id]
