"""`vitrine versions` and `vitrine publish`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from ingest.job_session import open_admin
from vitrine.settings import load_settings

if TYPE_CHECKING:
    from vitrine.index import VersionInfo
    from vitrine.relevance import RelevanceConstants
    from vitrine.wiring import Vitrine

__all__ = ["publish", "versions"]


@click.command()
@click.option("--discard", metavar="VERSION", help="Delete this version, which must not be live.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def versions(discard: str | None, as_json: bool) -> None:
    """List the versions of the index, newest first."""
    with open_admin(load_settings()) as (admin, vitrine):
        if discard is not None:
            admin.discard(discard)
        listed = vitrine.versions.list()
        learnt = {v.name: _learnt(vitrine, v) for v in listed}
    if as_json:
        rows = [_as_json(v, learnt[v.name]) for v in listed]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for version in listed:
        for line in _lines(version, learnt[version.name]):
            click.echo(line)
    if not listed:
        click.echo("no versions; `vitrine ingest SOURCE` makes the first", err=True)


def _as_json(version: VersionInfo, learnt: RelevanceConstants | None) -> dict[str, object]:
    return {
        "name": version.name,
        "state": version.state,
        "model": version.model,
        "count": version.count,
        "created": version.created.isoformat(),
        "filling": None if version.filling is None else asdict(version.filling),
        "relevance": None if learnt is None else learnt.summary(),
    }


def _lines(version: VersionInfo, learnt: RelevanceConstants | None) -> Iterator[str]:
    yield (
        f"{version.name:<48} {version.state:<9} {version.count:>9} products"
        f"  {version.created:%Y-%m-%d %H:%M}  {version.model}"
    )
    if version.filling is not None:
        yield (
            f"    filled in {version.filling.seconds:.0f} s: {version.filling.precision} on"
            f" {version.filling.device}, batches of {version.filling.batch}"
        )
    for line in learnt.lines() if learnt is not None else ():
        yield f"    {line}"


def _learnt(vitrine: Vitrine, version: VersionInfo) -> RelevanceConstants | None:
    """What a version has learnt of its relevance; None before it is completed."""
    if version.state == "building":
        return None
    model = vitrine.versions.open(version.name).search_model
    return None if model is None else model.constants


@click.command()
@click.argument("version")
def publish(version: str) -> None:
    """Make VERSION the live one at once: the way back to an earlier version."""
    with open_admin(load_settings()) as (admin, _):
        previous = admin.publish(version)
    click.echo(
        f"version {version} is live"
        + (f"; before it was {previous}" if previous and previous != version else "")
    )
