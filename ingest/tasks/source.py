"""Jobs that bring a source, or the rows of it that failed, into the live version."""

from __future__ import annotations

from collections.abc import Callable

from ingest.failures import Ledger
from ingest.jobs.heartbeat import Heartbeat, Stopped
from ingest.jobs.locks import catalogue_lock
from ingest.jobs.values import BULK, Done, Item, NewItem
from ingest.pipeline import Task, Watch, fill, open_tools
from ingest.sources import open_source
from vitrine.errors import Cancelled
from vitrine.fields import Mapping
from vitrine.wiring import Vitrine

__all__ = ["SourceWork", "retry_item", "source_item"]


def source_item(job_id: str, source: str) -> NewItem:
    """Take all rows of a source."""
    return NewItem(BULK, f"source:{job_id}:{source}", {"do": "ingest", "source": source})


def retry_item(job_id: str, source: str) -> NewItem:
    """Take the rows of a source that are in the ledger."""
    return NewItem(BULK, f"source:{job_id}:{source}", {"do": "retry", "source": source})


class SourceWork:
    """Runs the pipeline from a source into the live version, under the mapping and the model that it was built with."""

    def __init__(self, vitrine: Vitrine, ledger: Ledger) -> None:
        self._vitrine, self._ledger = vitrine, ledger

    def run(self, item: Item, beat: Heartbeat) -> Done:
        """Do one item. `Conflict` while a reindex or another ingest runs; `Cancelled` when the job has ended."""
        name = item.body["source"]
        with catalogue_lock(self._vitrine.settings, f"an ingest of {name}") as lost:
            live = self._vitrine.versions.live()
            only = self._ledger.rows(name) if item.body["do"] == "retry" else None
            task = Task(
                open_source(name, self._vitrine.settings),
                Mapping.from_dict(live.info.mapping),
                live,
                only=only,
            )
            tools = open_tools(self._vitrine, model=live.info.model)
            summary = fill(task, tools, Watch(cancelled=lambda: lost() or _says_stop(beat.check)))
        beat.check()
        if summary.cancelled:
            raise Cancelled("the lock of the catalogue was lost")
        return Done(item, summary.done + summary.unchanged, summary.failed)


def _says_stop(check: Callable[[], None]) -> bool:
    try:
        check()
    except (Cancelled, Stopped):
        return True
    return False
