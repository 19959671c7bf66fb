"""`vitrine failures`: what the ledger holds."""

from __future__ import annotations

import click

from vitrine.settings import load_settings

__all__ = ["failures"]


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
