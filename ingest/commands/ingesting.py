"""`vitrine ingest`: a source into the index, with its progress and its exit status."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, redirect_stdout
from types import FrameType
from typing import TYPE_CHECKING

import click

from ingest.commands.progress import show_progress
from ingest.commands.summary import print_summary
from ingest.exit_status import INTERRUPTED, NOTHING_CHANGED
from ingest.source_options import ingest_options
from vitrine.errors import SourceUnavailable
from vitrine.freed_memory import collect_cycles_seldom
from vitrine.settings import load_settings
from vitrine.storage.data_folder import require_writable

if TYPE_CHECKING:
    from ingest.pipeline import Summary

__all__ = ["ingest"]


@click.command()
@click.argument("source")
@ingest_options
@click.option("--model", help="Hub name or folder of the model.  [env: VITRINE_MODEL]")
@click.option(
    "--ray",
    metavar="ADDRESS",
    help="Ray cluster that prepares and embeds the pictures.  [env: VITRINE_RAY_ADDRESS]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def ingest(
    source: str,
    map_: str,
    currency: str | None,
    images: str | None,
    language: str | None,
    mode: str | None,
    allow_shrink: bool,
    model: str | None,
    ray: str | None,
    as_json: bool,
) -> None:
    """Ingest or update the products of SOURCE.

    SOURCE is files or a glob, a folder of images, the name of a data set, or - for NDJSON. Only
    what is new is embedded. After an interruption run it again: it continues where it stopped. Exit
    status: 0 success, 1 some products failed (see `vitrine failures`), 2 could not run, 3 nothing
    was changed because too many live products would have been removed, or SOURCE is empty or cannot
    be fetched, 130 after Ctrl-C.
    """
    from ingest.catalogue import MappingChoice, choose_mapping
    from ingest.pipeline import RunControl
    from ingest.sources import open_source
    from ingest.tasks.bulk_ingest import IngestMode, IngestOptions, run
    from vitrine.wiring import Vitrine

    changes = {"model": model, "ray_address": ray}
    settings = load_settings(**{name: value for name, value in changes.items() if value})
    require_writable(settings.data_dir)
    collect_cycles_seldom()
    with _source_may_be_away():
        chosen = choose_mapping(source, settings, MappingChoice(map_, currency, images, language))
        mapping = chosen.mapping
        opened = open_source(source, settings, mapping)
        notes = (chosen.note, *opened.notes())
    for note in notes:
        if note is not None:
            click.echo(note, err=True)
    click.echo(f"loading the model {settings.model}", err=True)
    options = IngestOptions(IngestMode(mode or "update"), allow_shrink)
    with (
        _source_may_be_away(),
        closing(Vitrine(settings)) as vitrine,
        _interruptible() as cancelled,
        show_progress() as progress,
        redirect_stdout(sys.stderr),  # libraries speak there; what is printed is the summary alone
    ):
        control = RunControl(progress, cancelled)
        summary = run(vitrine, opened, mapping, control=control, options=options)
    print_summary(summary, as_json)
    sys.exit(_status(summary))


def _status(summary: Summary) -> int:
    if summary.cancelled:
        return INTERRUPTED
    if summary.refusal is not None:
        return NOTHING_CHANGED
    return 1 if summary.failed else 0


@contextmanager
def _source_may_be_away() -> Iterator[None]:
    """Report a source that is empty or cannot be fetched, and exit with a status of its own."""
    try:
        yield
    except SourceUnavailable as error:
        click.secho(f"nothing was changed: {error}", err=True, fg="red")
        sys.exit(NOTHING_CHANGED)


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """The first Ctrl-C (or SIGTERM) asks to finish what is under way, the second ends it at
    once."""
    interrupted = False

    def ask(_number: int, _frame: FrameType | None) -> None:
        nonlocal interrupted
        if interrupted:
            os._exit(INTERRUPTED)  # a thread may be waiting for input; whatever was written is safe
        interrupted = True
        click.echo("\nfinishing the work in progress; press Ctrl-C again to stop at once", err=True)

    earlier = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: interrupted
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
