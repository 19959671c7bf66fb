"""Nothing shrinks by accident: how many live products would go, and whether so many may."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from ingest.failures import Ledger
from ingest.runs import Run, Runs
from vitrine.index import VectorIndex

__all__ = ["ShrinkLimit", "Shrinkage", "is_refusal", "remove_unnamed", "shrinkage"]

_BATCH = 1000
_SETTING = "VITRINE_MAX_SHRINK"
_ALLOW = "--allow-shrink"


@dataclass(frozen=True)
class ShrinkLimit:
    """The share of the live products that may go at once; 1 allows all."""

    share: float

    def refusal(self, shrinkage: Shrinkage, source: str) -> str | None:
        """Why the catalogue may not shrink so far, in words; None when it may."""
        if shrinkage.missing <= self.share * shrinkage.live:
            return None
        percent = 100 * shrinkage.missing / shrinkage.live
        return (
            f"{shrinkage.missing} of {shrinkage.live} live products ({percent:.0f} %) are not in"
            f" {source}; at most {100 * self.share:g} % may go at once ({_SETTING}), so"
            " nothing was removed or published. Check the source; if it is right, run the same"
            f" command with {_ALLOW}"
        )

    def refusal_of_unread(self, missing: int, unread: int, source: str) -> str | None:
        """Why nothing may go while rows could not be read: their products may be the missing ones.

        None where there are no such rows, or any number may go.
        """
        if not (missing and unread) or self.share >= 1:
            return None
        return (
            f"{missing} live products are not in {source}, and {unread} of its rows could not be"
            " read, which may be theirs, so nothing was removed. Correct these rows, or run the"
            f" same command with {_ALLOW}"
        )


def is_refusal(text: str) -> bool:
    """Whether a job's error is such a refusal."""
    return _ALLOW in text


@dataclass(frozen=True)
class Shrinkage:
    """How many live products would go, of how many."""

    missing: int
    live: int


def shrinkage(live: VectorIndex, target: VectorIndex) -> Shrinkage:
    """The live products that another version, which would take its place, lacks."""
    missing = sum(map(len, _missing(live, lambda ids: target.stamps(ids).keys())))
    return Shrinkage(missing, live.count())


def remove_unnamed(
    index: VectorIndex, run: Run, runs: Runs, ledger: Ledger, limit: ShrinkLimit
) -> tuple[int, str | None]:
    """Remove the products that a run, which has read its whole source, did not name.

    A row that failed still names its product, unless even its id could not be read: then nothing
    is removed. Gives how many were removed, and why none was.
    """

    def named(ids: Collection[str]) -> set[str]:
        return runs.seen_ids(run, ids) | ledger.failed_ids(run.source, run.number, ids)

    count = sum(map(len, _missing(index, named)))
    unread = ledger.count_without_id(run.source, run.number)
    refusal = limit.refusal(Shrinkage(count, index.count()), run.source)
    refusal = refusal or limit.refusal_of_unread(count, unread, run.source)
    if refusal is not None or count == 0:
        return 0, refusal
    unnamed = [product_id for ids in _missing(index, named) for product_id in ids]
    for start in range(0, len(unnamed), _BATCH):
        index.delete(unnamed[start : start + _BATCH])
    return len(unnamed), None


def _missing(
    index: VectorIndex, has: Callable[[list[str]], Collection[str]]
) -> Iterator[list[str]]:
    """The ids of an index that something else lacks, batch by batch."""
    for records in index.scan(batch=_BATCH):
        ids = [record.product.id for record in records]
        present = has(ids)
        yield [product_id for product_id in ids if product_id not in present]
