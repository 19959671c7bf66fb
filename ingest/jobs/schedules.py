"""Catalogues that are ingested at fixed times of the day, and what came of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ingest.jobs.requests import IngestRequest
from vitrine.errors import FieldError, InvalidQuery

__all__ = ["KEPT_RUNS", "Schedule", "ScheduledRun", "next_due"]

KEPT_RUNS = 10
"""Results of a schedule that are kept, the latest ones."""
_MOST_TIMES = 96
"""Times of a day: every quarter of an hour."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class ScheduledRun:
    """What came of a run: its job, its rows, and `exit_status` as `vitrine ingest` would end.

    `message` says why it failed or changed nothing. Times ending in `_s` are seconds since 1970.
    """

    job_id: str
    began_s: float
    seconds: float
    exit_status: int
    done: int = 0
    unchanged: int = 0
    failed: int = 0
    left_out: int = 0
    removed: int = 0
    message: str | None = None


@dataclass(frozen=True)
class Schedule:
    """A source that is ingested every day at `times` ("03:00") in a time zone.

    `due_s` is when it runs next, in seconds since 1970; `job_id` is the job of the latest run, and
    `runs` are the latest results, newest first.
    """

    name: str
    request: IngestRequest
    times: tuple[str, ...]
    zone: str = "UTC"
    due_s: int = 0
    job_id: str | None = None
    runs: tuple[ScheduledRun, ...] = ()

    @classmethod
    def planned(
        cls,
        name: str,
        request: IngestRequest,
        *,
        times: Sequence[str],
        zone: str,
        now_s: float,
    ) -> Schedule:
        """A schedule that starts now; `InvalidQuery` for an invalid name, time or zone."""
        faults = list(_faults(name, times, zone))
        if faults:
            raise InvalidQuery(faults)
        ordered = tuple(sorted(set(times)))
        return cls(name, request, ordered, zone, next_due(ordered, zone, now_s))

    def terms(self) -> str:
        """What was agreed, as JSON."""
        terms = {"request": asdict(self.request), "times": self.times, "zone": self.zone}
        return json.dumps(terms)

    @classmethod
    def of(cls, name: str, terms: str, *, due_s: int, job_id: str | None, runs: str) -> Schedule:
        """The schedule that a store keeps; `runs` is a JSON list."""
        agreed = json.loads(terms)
        return cls(
            name,
            IngestRequest(**agreed["request"]),
            tuple(agreed["times"]),
            agreed["zone"],
            due_s,
            job_id,
            tuple(ScheduledRun(**run) for run in json.loads(runs)),
        )


def next_due(times: Sequence[str], zone: str, after_s: float) -> int:
    """The first moment after `after_s` at which one of the times occurs, in seconds since 1970.

    A time that the clocks skip comes when they have moved on, one that they show twice comes once,
    the first time (PEP 495: `fold` is 0).
    """
    place = ZoneInfo(zone)
    today = datetime.fromtimestamp(after_s, place).date()
    for day in count(-1):
        date = today + timedelta(days=day)
        moments = [
            int(datetime.combine(date, time.fromisoformat(text), place).timestamp())
            for text in times
        ]
        later = [moment for moment in moments if moment > after_s]
        if later:
            return min(later)
    raise AssertionError("every day has its times")


def _faults(name: str, times: Sequence[str], zone: str) -> Iterator[FieldError]:
    if not _NAME.fullmatch(name):
        message = "must be letters, digits and . _ - (64 at most), such as nightly"
        yield FieldError("name", message)
    if not 1 <= len(times) <= _MOST_TIMES:
        yield FieldError("times", f"must be 1 to {_MOST_TIMES} times of the day, such as 03:00")
    for text in times:
        if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
            yield FieldError("times", f"{text!r} is not a time of the day; write 03:00")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"{zone!r} is not a time zone; write a name such as Europe/Berlin or UTC"
        yield FieldError("zone", message)
