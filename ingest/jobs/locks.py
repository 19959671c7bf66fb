"""Who holds a lock, and the refusal that every store words alike."""

from __future__ import annotations

import uuid

from ingest.jobs.models import LockHolder
from ingest.jobs.processes import ProcessName, this_process
from vitrine.errors import CatalogueBusy

__all__ = ["has_died", "lock_conflict", "lock_owner"]

_BY = " by "


def lock_owner(purpose: str) -> str:
    """A new owner of a lock that this process takes for a purpose, such as "an ingest of a.csv".

    It is like no other: two threads of a process exclude each other as two processes do.
    """
    return f"{purpose}{_BY}{this_process()} {uuid.uuid4()}"


def has_died(owner: str) -> bool:
    """Whether the owner is of a process of this host that has ended."""
    process = _process_of(owner)
    return process is not None and process.has_died


def _process_of(owner: str) -> ProcessName | None:
    return ProcessName.parse(owner.rpartition(_BY)[2].partition(" ")[0])


def lock_conflict(holder: LockHolder, *, is_job: bool) -> CatalogueBusy:
    """The refusal of a second reindex or bulk ingest: who runs, and when another may start."""
    if is_job:
        return CatalogueBusy(
            f"one reindex or ingest runs at a time, and job {holder.owner} is running",
            job_id=holder.owner,
        )
    purpose, process = holder.owner.rpartition(_BY)[0], _process_of(holder.owner)
    words = f"{purpose} ({process.words})" if process else holder.owner
    refusal = f"one reindex or ingest runs at a time, and {words} is running"
    if holder.ends_in_s is None or holder.renewed_s_ago is None:
        return CatalogueBusy(refusal)
    return CatalogueBusy(
        f"{refusal}; it was last seen {max(0, holder.renewed_s_ago):.0f} s ago, and if it has died,"
        f" another may start in {max(1, holder.ends_in_s):.0f} s"
    )
