"""Who holds a lock, and the refusal that every store words alike."""

from __future__ import annotations

from ingest.jobs.models import LockHolder
from ingest.jobs.processes import ProcessName, this_process
from vitrine.errors import CatalogueBusy

__all__ = ["has_died", "lock_conflict", "lock_owner"]

_BY = " by "


def lock_owner(purpose: str) -> str:
    """The owner of a lock that this process takes for a purpose, such as "an ingest of a.csv"."""
    return f"{purpose}{_BY}{this_process()}"


def has_died(owner: str) -> bool:
    """Whether the owner is a process of this host that has ended."""
    process = ProcessName.parse(owner.rpartition(_BY)[2])
    return process is not None and process.has_died


def lock_conflict(holder: LockHolder, *, is_job: bool) -> CatalogueBusy:
    """The refusal of a second reindex or bulk ingest: who runs, and when another may start."""
    if is_job:
        return CatalogueBusy(
            f"one reindex or ingest runs at a time, and job {holder.owner} is running",
            job_id=holder.owner,
        )
    purpose, _, text = holder.owner.rpartition(_BY)
    process = ProcessName.parse(text)
    words = f"{purpose} ({process.words})" if process else holder.owner
    refusal = f"one reindex or ingest runs at a time, and {words} is running"
    if holder.ends_in_s is None or holder.renewed_s_ago is None:
        return CatalogueBusy(refusal)
    return CatalogueBusy(
        f"{refusal}; it was last seen {max(0, holder.renewed_s_ago):.0f} s ago, and if it has died,"
        f" another may start in {max(1, holder.ends_in_s):.0f} s"
    )
