"""Restoring a backup: a new version is filled, indexed and counted before it can be published."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from vitrine.backup.folder import (
    MANIFEST,
    Manifest,
    check_parts,
    read_deleted,
    read_learnt,
    read_manifest,
    read_records,
)
from vitrine.errors import Conflict, NotFound, StorageUnavailable
from vitrine.index import IndexVersions, VectorIndex, VersionFilling
from vitrine.products import record_batches
from vitrine.storage.atomic import atomic_write

__all__ = ["restore"]

_BATCH = 500
"""Records written at once at most."""
_NOTE = "restore.json"
"""In the data folder: which version a restore is filling, so that the next one removes the
remains."""


def restore(
    versions: IndexVersions,
    folder: Path,
    *,
    data_dir: Path,
    progress: Callable[[int], None] = lambda _: None,
) -> VectorIndex:
    """Make the backup in a folder a version that is complete but not live.

    All hashes are checked before anything is written. A restore that was cut off leaves a version
    in state "building", which cannot be published; the next restore removes it.
    `StorageUnavailable` for a damaged or unfinished backup.
    """
    manifest = read_manifest(folder)
    check_parts(folder, manifest)
    _remove_remains(versions, data_dir)
    index = versions.create(
        model=manifest.model,
        fingerprint=manifest.fingerprint,
        dimension=manifest.dimension,
        schema=manifest.fields,
        mapping=manifest.mapping,
        text_vectors=manifest.text_vectors,
    )
    digest = sha256((folder / MANIFEST).read_bytes()).hexdigest()
    note = json.dumps({"version": index.info.name, "backup": digest}).encode()
    atomic_write(data_dir / _NOTE, note)
    _fill(index, folder, manifest, progress)
    if index.count() != manifest.products:
        raise StorageUnavailable(
            f"the restored version holds {index.count()} products, the backup says "
            f"{manifest.products}; it is not published"
        )
    _learn(versions, index, folder, manifest)
    versions.build_index(index.info.name)
    filling = None if manifest.filling is None else VersionFilling(**manifest.filling)
    versions.complete(index.info.name, filling)
    (data_dir / _NOTE).unlink(missing_ok=True)
    return versions.open(index.info.name)


def _learn(versions: IndexVersions, index: VectorIndex, folder: Path, manifest: Manifest) -> None:
    """Give the version what the backed-up one had learned; that needs no model."""
    for part in manifest.parts:
        model = read_learnt(folder, part) if part.kind == "learnt" else None
        if model is not None:
            # what is written from now on counts as changed since the learning
            versions.learn(index.info.name, replace(model, mark=index.mark()))


def _fill(
    index: VectorIndex, folder: Path, manifest: Manifest, progress: Callable[[int], None]
) -> None:
    written = 0
    for part in manifest.parts:
        if part.kind == "deleted":
            index.delete(read_deleted(folder, part))
        if part.kind != "records":
            continue
        for batch in record_batches(read_records(folder, part), most=_BATCH):
            index.upsert(batch)
            written += len(batch)
            progress(written)


def _remove_remains(versions: IndexVersions, data_dir: Path) -> None:
    try:
        unfinished = json.loads((data_dir / _NOTE).read_bytes())["version"]
    except (FileNotFoundError, ValueError, KeyError):
        return
    if any(v.name == unfinished and v.state == "building" for v in versions.list()):
        with suppress(NotFound, Conflict):
            versions.discard(unfinished)
