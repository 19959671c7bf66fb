"""The command pictures: the image store, and what to remove from it."""

from __future__ import annotations

import sys
from contextlib import closing

import click

from ingest.exit_status import NOTHING_CHANGED
from vitrine.settings import load_settings

__all__ = ["pictures"]


@click.command()
@click.option("--collect", is_flag=True, help="Remove pictures that no product uses any more.")
@click.option(
    "--allow-shrink", is_flag=True, help="Let more of them go than VITRINE_MAX_SHRINK allows."
)
def pictures(collect: bool, allow_shrink: bool) -> None:
    """Count the pictures of the image store, and remove those that no product shows.

    Only pictures that were not sent again for VITRINE_PICTURE_GRACE_HOURS go. A worker does this
    once a day where the image store is the folder below VITRINE_DATA_DIR. Exit status: 3 when so
    many would go that none was removed.
    """
    from ingest.jobs.factory import open_store
    from ingest.tasks.picture_collection import collect_pictures
    from ingest.tasks.shrink import ShrinkLimit
    from vitrine.wiring import Vitrine

    settings = load_settings()
    with closing(Vitrine(settings)) as vitrine:
        if not collect:
            click.echo(f"{sum(1 for _ in vitrine.images.walk_keys())} pictures")
            return
        limit = ShrinkLimit(1.0 if allow_shrink else settings.max_shrink)
        with closing(open_store(settings)) as store:
            collected = collect_pictures(vitrine, store, limit=limit, check=_go_on)
    if collected.refusal is not None:
        click.secho(collected.refusal, err=True, fg="red")
        sys.exit(NOTHING_CHANGED)
    click.echo(f"{collected.removed} pictures removed, {collected.kept} kept")


def _go_on() -> None:
    """Nothing stops a command but Ctrl-C."""
