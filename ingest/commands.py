"""Commands of ingest: ingest, failures."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, redirect_stdout
from types import FrameType
from typing import TYPE_CHECKING

import click

from ingest.source_options import ingest_options
from vitrine.errors import SourceUnavailable
from vitrine.settings import load_settings
from vitrine.storage.data_folder import require_writable

if TYPE_CHECKING:
    from ingest.pipeline import Progress, Summary

__all__ = ["failures", "ingest"]

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""

NOTHING_CHANGED = 3
"""Exit status when the source was not to be trusted, so that nothing was changed: more live
products would have gone than may, it is empty, or it cannot be had from its address."""


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
    with _source_may_be_away():
        chosen = choose_mapping(source, settings, MappingChoice(map_, currency, images))
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
        _shown() as progress,
        redirect_stdout(sys.stderr),  # libraries speak there; what is printed is the summary alone
    ):
        control = RunControl(progress, cancelled)
        summary = run(vitrine, opened, mapping, control=control, options=options)
    _report(summary, as_json)
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


@contextmanager
def _shown() -> Iterator[Callable[[Progress], None]]:
    """A progress bar on a terminal, else a line every ten seconds."""
    from tqdm import tqdm

    terminal = sys.stderr.isatty()
    with tqdm(
        unit=" products",
        mininterval=0.2 if terminal else 10,
        disable=None if terminal else True,
        dynamic_ncols=True,
    ) as bar:
        lines = _Lines()

        def show(progress: Progress) -> None:
            if not terminal:
                lines.show(progress)
                return
            handled = progress.done + progress.unchanged + progress.failed
            bar.total = None if progress.total is None else max(progress.total, handled)
            bar.set_postfix(unchanged=progress.unchanged, failed=progress.failed, refresh=False)
            bar.update(handled - bar.n)

        yield show


class _Lines:
    """Progress for a log file."""

    EVERY_S = 10.0

    def __init__(self) -> None:
        import time

        self._clock = time.monotonic
        self._shown = self._clock()

    def show(self, progress: Progress) -> None:
        """Print a line when the last one is long enough ago."""
        if self._clock() - self._shown < self.EVERY_S:
            return
        self._shown = self._clock()
        handled = progress.done + progress.unchanged + progress.failed
        of = "" if progress.total is None else f" of {progress.total}"
        rate = "" if progress.rate is None else f", {progress.rate:.1f} per second"
        left = "" if progress.eta_s is None else f", {progress.eta_s:.0f} s left"
        click.echo(
            f"{handled}{of} products ({progress.unchanged} unchanged, {progress.failed} failed)"
            f"{rate}{left}",
            err=True,
        )


def _report(summary: Summary, as_json: bool) -> None:
    if as_json:
        values = {name: getattr(summary, name) for name in summary.__dataclass_fields__}
        click.echo(json.dumps(values, ensure_ascii=False, indent=2))
        return
    rate = (summary.done + summary.unchanged) / max(summary.seconds, 1e-9)
    click.echo(f"done       {summary.done:>8}  ({summary.embedded} embedded)")
    click.echo(f"unchanged  {summary.unchanged:>8}")
    if summary.left_out:
        click.echo(f"left out   {sum(summary.left_out.values()):>8}")
        for reason, count in summary.left_out.items():
            click.echo(f"  {reason:<20} {count:>8}")
    if summary.removed:
        click.echo(f"removed    {summary.removed:>8}")
    incomplete = f"  ({summary.incomplete} in the index, without the pictures that failed)"
    click.echo(f"failed     {summary.failed:>8}{incomplete if summary.incomplete else ''}")
    for reason, count in summary.reasons.items():
        click.echo(f"  {reason:<20} {count:>8}")
    click.echo(
        f"{summary.seconds:.1f} s, {rate:.1f} products per second;"
        f" work by stage: {_stages(summary)}",
        err=True,
    )
    click.echo(
        f"{summary.total_seconds:.1f} s with loading and publishing;"
        f" {summary.precision} on {summary.device}, batches of {summary.batch}",
        err=True,
    )
    click.echo(_outcome(summary), err=True)


def _stages(summary: Summary) -> str:
    return ", ".join(f"{name} {seconds:.1f} s" for name, seconds in summary.stages.items())


def _outcome(summary: Summary) -> str:
    if summary.cancelled:
        return "interrupted; run the same command again to continue"
    if summary.refusal is not None:
        return summary.refusal
    if summary.published:
        outcome = f"version {summary.version} is live"
    elif summary.done + summary.unchanged:
        outcome = f"version {summary.version} is up to date"
    else:
        outcome = "no product could be ingested, so nothing was published"
    return outcome + ("; `vitrine failures` lists what failed and why" if summary.failed else "")


@click.command()
@click.option("--source", help="Only those of this source, as it is listed.")
@click.option("--reason", help="Only those with this reason.")
@click.option(
    "--limit",
    default=10,
    show_default=True,
    type=click.IntRange(min=1),
    help="How many to print for each reason, newest first.",
)
@click.option("--json", "as_json", is_flag=True, help="Print all as JSON, one object per line.")
@click.option("--csv", "as_csv", is_flag=True, help="Print all as CSV, for a spreadsheet.")
@click.option("--forget", metavar="SOURCE", help="Remove those of a source that is used no more.")
def failures(
    source: str | None,
    reason: str | None,
    limit: int,
    as_json: bool,
    as_csv: bool,
    forget: str | None,
) -> None:
    """List the rows and pictures that failed, by reason, and what to do about them.

    Warnings about what was ingested but looks odd follow. Fix the catalogue and ingest it again to
    clear them.
    """
    from ingest.failures import open_ledger
    from ingest.failures_report import csv_report, json_report, text_report

    if as_json and as_csv:
        raise click.UsageError("give --json or --csv, not both")
    ledger = open_ledger(load_settings())
    if forget is not None:
        click.echo(f"{ledger.forget(forget)} failures of {forget} removed")
        return
    if as_json or as_csv:
        report = csv_report if as_csv else json_report
        for line in report(ledger, source=source, reason=reason):
            click.echo(line)
        return
    for line in text_report(ledger, source=source, reason=reason, limit=limit):
        click.echo(line)
    _, total = ledger.entries(limit=1, source=source, reason=reason)
    counted = "1 failure" if total == 1 else f"{total or 'no'} failures"
    if reason is not None and not total:
        others = ", ".join(group.reason for group in ledger.groups(source=source)) or "none"
        counted += f" with the reason {reason}; reasons there are: {others}"
    click.echo(counted, err=True)
