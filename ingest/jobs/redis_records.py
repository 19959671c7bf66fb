"""Jobs, items and outcomes as Redis keeps them, and as the operations of the store take them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ingest.jobs.models import (
    DeadLetter,
    Done,
    GiveUp,
    Job,
    JobState,
    Kind,
    NewItem,
    Outcome,
    Retry,
)
from ingest.jobs.stored_jobs import read_details, stored_details
from ingest.jobs.work import work_from_json, work_to_json

__all__ = [
    "flat_fields",
    "item_rows",
    "outcome_fields",
    "read_job",
    "read_letter",
    "stored_job",
]

_INTEGERS = ("done", "failed_items", "total")
_STORED = ("kind", "state", "stage", "cursor", "done", "total", "failed_items", "version", "error")
_TIMES = ("waiting_since_s", "created_s", "started_s", "updated_s")


def stored_job(job: Job, items: Iterable[NewItem]) -> dict[str, Any]:
    """A job, as the fields of its hash, and its items, as several operations take them."""
    fields = {name: getattr(job, name) for name in _STORED}
    fields |= stored_details(job.request, job.report)
    return {"fields": flat_fields(fields), "items": item_rows(items)}


def flat_fields(fields: Mapping[str, Any]) -> list[str]:
    """Field, value, field, value ... as HSET takes them; what is None is left out."""
    pairs = [(name, str(value)) for name, value in fields.items() if value is not None]
    return [part for pair in pairs for part in pair]


def item_rows(items: Iterable[NewItem]) -> list[list[str]]:
    """Queue, key and work of each item."""
    return [[item.queue, item.key, work_to_json(item.work)] for item in items]


def outcome_fields(outcome: Outcome) -> dict[str, Any]:
    """An outcome as the operation `settle` reads it."""
    item = outcome.item
    row = {"seq": item.seq, "token": item.token, "job": item.job_id}
    counts: dict[str, Any] = {"done": 0, "failed": 0, "error": ""}
    match outcome:
        case Done():
            counts |= {"done": outcome.done, "failed": outcome.failed, "error": outcome.error or ""}
            counts |= stored_details(None, outcome.report)
        case Retry():
            names = ("after_s", "attempts", "reason")
            counts |= {name: getattr(outcome, name) for name in names}
        case GiveUp():
            why = {name: getattr(outcome, name) for name in ("stage", "reason", "message")}
            counts |= {"failed": 1, "error": outcome.message, "dead": flat_fields(why)}
    return row | counts


def read_letter(seq: int, fields: Mapping[str, str]) -> DeadLetter:
    """The dead letter of a hash."""
    why = {name: fields[name] for name in ("stage", "reason", "message")}
    work = work_from_json(fields["work"])
    return DeadLetter(seq, fields["key"], work, **why, at_s=float(fields["at_s"]))


def read_job(job_id: str, fields: Mapping[str, str]) -> Job:
    """The job of a hash."""
    values: dict[str, Any] = {name: value for name, value in fields.items() if name != "number"}
    values |= {name: int(values[name]) for name in _INTEGERS if name in values}
    values |= {name: float(values[name]) for name in _TIMES if name in values}
    kind = Kind(fields["kind"])
    values |= {"kind": kind, "state": JobState(fields["state"])}
    values |= read_details(kind, fields.get("request"), fields.get("report"))
    return Job(id=job_id, **values)
