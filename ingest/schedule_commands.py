"""The command `schedule`: catalogues that workers ingest at fixed times."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from ingest.job_session import open_admin
from ingest.source_options import ingest_options
from vitrine.errors import InvalidQuery
from vitrine.settings import load_settings

if TYPE_CHECKING:
    from ingest.jobs.schedules import Schedule, ScheduledRun

__all__ = ["schedule"]

_MEANING = {
    0: "succeeded",
    1: "some failed",
    2: "could not run",
    3: "nothing changed",
    130: "cancelled",
}
"""What the exit statuses of `vitrine ingest` mean."""
_TYPED = {"name": "NAME", "times": "--at", "zone": "--zone"}
"""Fields of a schedule as the command line has them."""


@click.group()
def schedule() -> None:
    """Ingest catalogues every day at fixed times, by the running workers."""


@schedule.command("add")
@click.argument("name")
@click.argument("source")
@click.option(
    "--at",
    "times",
    multiple=True,
    required=True,
    help="Time of day, such as 03:00; may be repeated.",
)
@click.option("--zone", default="UTC", show_default=True, help="Time zone, such as Europe/Berlin.")
@ingest_options
def add(
    name: str,
    source: str,
    times: tuple[str, ...],
    zone: str,
    map_: str,
    currency: str | None,
    images: str | None,
    language: str | None,
    mode: str | None,
    allow_shrink: bool,
) -> None:
    """Ingest SOURCE every day, under NAME.

    Each run is one `vitrine ingest` with the same options, however many workers there are. They
    read SOURCE themselves: give a URL, or a file that they can reach.
    """
    from ingest.catalogue import MappingChoice, choose_mapping
    from ingest.jobs.models import IngestRequest
    from ingest.sources import absolute_spec

    settings = load_settings()
    mapping = None
    if map_ != "auto":
        chosen = choose_mapping(source, settings, MappingChoice(map_, currency, images, language))
        mapping, currency, images, language = chosen.mapping.to_dict(), None, None, None
    request = IngestRequest(
        absolute_spec(source),
        mapping,
        currency=currency,
        images=images,
        language=language,
        mode=mode or "update",
        allow_shrink=allow_shrink,
    )
    with open_admin(load_settings()) as (admin, _), _named_as_typed():
        planned = admin.add_schedule(name, request, times=times, zone=zone)
    click.echo(f"{name}: next at {_moment(planned.due_s, planned.zone)}")


@contextmanager
def _named_as_typed() -> Iterator[None]:
    """Have an `InvalidQuery` name arguments and options where it names fields."""
    try:
        yield
    except InvalidQuery as error:
        faults = [replace(each, field=_TYPED.get(each.field, each.field)) for each in error.errors]
        raise InvalidQuery(faults) from None


@schedule.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """List the schedules with their next time and latest results."""
    with open_admin(load_settings()) as (admin, _):
        planned = admin.schedules()
    if as_json:
        click.echo(json.dumps([asdict(each) for each in planned], ensure_ascii=False, indent=2))
        return
    for each in planned:
        for line in _lines(each):
            click.echo(line)
    if not planned:
        click.echo("no schedules", err=True)


@schedule.command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Remove the schedule NAME; a run in progress continues."""
    with open_admin(load_settings()) as (admin, _):
        admin.remove_schedule(name)
    click.echo(f"schedule {name} removed")


@schedule.command("run")
@click.argument("name")
def run(name: str) -> None:
    """Start a run of the schedule NAME now, by the workers, and print the id of its job."""
    with open_admin(load_settings()) as (admin, _):
        click.echo(admin.run_schedule(name))


def _lines(planned: Schedule) -> Iterator[str]:
    request = planned.request
    mode = "" if request.mode == "update" else f" --{request.mode}"
    yield f"{planned.name}: {request.source}{mode}"
    times = ", ".join(planned.times)
    yield f"  daily at {times} ({planned.zone}), next {_moment(planned.due_s, planned.zone)}"
    for result in planned.runs:
        yield f"  {_moment(result.began_s, planned.zone)}  {_result(result)}"


def _result(result: ScheduledRun) -> str:
    meaning = _MEANING[result.exit_status]
    counts: dict[str, Any] = {
        "taken": result.done,
        "unchanged": result.unchanged,
        "left out": result.left_out,
        "failed": result.failed,
        "removed": result.removed,
    }
    summary = ", ".join(f"{number} {words}" for words, number in counts.items() if number)
    text = f"{meaning} ({result.exit_status}), {result.seconds:.0f} s" + (
        f": {summary}" if summary else ""
    )
    return f"{text}; {result.message}" if result.message else text


def _moment(seconds: float, zone: str) -> str:
    return f"{datetime.fromtimestamp(seconds, ZoneInfo(zone)):%Y-%m-%d %H:%M %Z}"
