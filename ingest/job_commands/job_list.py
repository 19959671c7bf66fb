"""`vitrine jobs`: the latest jobs, cancelled or retried."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ingest.job_session import open_admin
from vitrine.settings import load_settings

if TYPE_CHECKING:
    from ingest.jobs.models import Job

__all__ = ["jobs"]


@click.command()
@click.option("--cancel", metavar="JOB", help="Cancel this job.")
@click.option("--retry", is_flag=True, help="Retry what has failed.")
@click.option(
    "--limit", default=20, show_default=True, type=click.IntRange(min=1), help="How many to list."
)
def jobs(cancel: str | None, retry: bool, limit: int) -> None:
    """List the latest jobs, newest first."""
    with open_admin(load_settings()) as (admin, _):
        if cancel is not None:
            admin.cancel(cancel)
        if retry:
            admin.retry_failures()
        listed = admin.jobs(limit=limit)
    for job in listed:
        click.echo(f"{job.id:<36} {job.state:<10} {_progress(job)}")
    if not listed:
        click.echo("no jobs", err=True)


def _progress(job: Job) -> str:
    total = "" if job.total is None else f" of {job.total}"
    failed = f", {job.failed_items} failed" if job.failed_items else ""
    error = f": {job.error}" if job.error else ""
    return f"{job.done}{total}{failed}{error}{_waiting(job)}"


def _waiting(job: Job) -> str:
    if job.waiting is None or job.waiting_since is None:
        return ""
    return f"; waiting since {job.waiting_since:%Y-%m-%d %H:%M:%S} UTC: {job.waiting}"
