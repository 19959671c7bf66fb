"""Damage in the data folder, found by reading what is kept there, and what to do about it."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from vitrine.errors import NotFound, StorageUnavailable
from vitrine.images.ports import ImageStore

__all__ = ["damaged_databases", "damaged_pictures"]

_REMEDIES = {
    "jobs.db": "stop all programs and restore it from a backup; writes that were accepted and not "
    "yet carried out are in it",
    "jobs-queue.db": "stop all programs and remove it; it holds nothing that is not in jobs.db",
    "ingest.sqlite": "stop all programs and remove it; it holds only the ledger of failures",
}
_REMEDY = "restore it from a backup, or run `vitrine reindex --source SOURCE` to make it again"
_SAMPLE = 200
_NAMED = 3


def damaged_databases(folder: Path) -> Iterator[str]:
    """A sentence for each SQLite file below the folder that cannot be read to its end."""
    for path in sorted([*folder.rglob("*.sqlite"), *folder.rglob("*.db")]):
        fault = _fault_of(path)
        if fault is not None:
            yield f"{path} is damaged ({fault}); {_REMEDIES.get(path.name, _REMEDY)}"


def damaged_pictures(images: ImageStore, keys: list[str]) -> Iterator[str]:
    """What is wrong with the first pictures of a sample that are missing or not what their keys
    say; then how many there are, and what to do."""
    sample = random.sample(keys, min(_SAMPLE, len(keys)))
    faults = []
    for key in sample:
        try:
            images.get(key)
        except (NotFound, StorageUnavailable) as error:
            faults.append(str(error))
    yield from faults[:_NAMED]
    if faults:
        yield (
            f"{len(faults)} of {len(sample)} pictures looked at are missing or damaged; restore the"
            " image store from its backup, or run `vitrine ingest SOURCE --replace`, which keeps"
            " pictures that are missing and embeds none again"
        )


def _fault_of(path: Path) -> str | None:
    if not path.is_file():
        return "it is not a file"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            verdict = str(database.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.OperationalError as error:
        return None if "locked" in str(error) else str(error)
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if verdict == "ok" else verdict.replace("\n", " ")[:200]
