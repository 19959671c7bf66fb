"""What an ingest prints at its end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ingest.pipeline import Summary

__all__ = ["print_summary"]


def print_summary(summary: Summary, as_json: bool) -> None:
    """Print counts and reasons, or all of the summary as JSON; times and the outcome go to
    standard error."""
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
    elif summary.done + summary.unchanged + summary.incomplete:
        outcome = f"version {summary.version} is up to date"
    else:
        outcome = "no product could be ingested, so nothing was published"
    return outcome + ("; `vitrine failures` lists what failed and why" if summary.failed else "")
