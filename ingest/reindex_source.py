"""Filling a new version from a source instead of the live version."""

from __future__ import annotations

from collections.abc import Callable

from ingest.jobs.heartbeat import Stopped
from ingest.pipeline import Summary, Task, Watch, fill, open_tools
from ingest.sources import open_source
from vitrine.errors import Cancelled
from vitrine.fields import Mapping
from vitrine.index import VectorIndex
from vitrine.wiring import Vitrine

__all__ = ["fill_from_source"]


def fill_from_source(
    vitrine: Vitrine, source: str, target: VectorIndex, check: Callable[[], None]
) -> Summary:
    """Bring a source into the version under its own mapping; a picture that the live version knows by the same model is not embedded again.

    Raises what `check` raises, and the errors of `ingest.pipeline.fill`.
    """
    live = vitrine.versions.live()
    donor = live if live.info.fingerprint == target.info.fingerprint else None
    task = Task(
        open_source(source, vitrine.settings),
        Mapping.from_dict(target.info.mapping),
        target,
        donor=donor,
    )
    summary = fill(
        task,
        open_tools(vitrine, model=target.info.model),
        Watch(cancelled=lambda: _says_stop(check)),
    )
    check()
    return summary


def _says_stop(check: Callable[[], None]) -> bool:
    try:
        check()
    except (Cancelled, Stopped):
        return True
    return False
