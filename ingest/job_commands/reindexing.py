"""`vitrine reindex`: a new version beside the live one, with its progress."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from ingest.exit_status import NOTHING_CHANGED
from ingest.job_session import open_admin, work_and_watch
from vitrine.errors import Conflict
from vitrine.settings import load_settings

if TYPE_CHECKING:
    from ingest.admin import Admin
    from ingest.jobs.models import Job, ReindexRequest

__all__ = ["reindex"]


@click.command()
@click.option(
    "--source",
    help="Fill the new version from this source instead of the live version's own products.",
)
@click.option("--model", help="Hub name or folder of the model.  [default: VITRINE_MODEL]")
@click.option("--no-verify", is_flag=True, help="Publish without verification.")
@click.option(
    "--allow-shrink",
    is_flag=True,
    help="With --source: allow more products to be removed than VITRINE_MAX_SHRINK permits.",
)
@click.option(
    "--queue",
    "only_queue",
    is_flag=True,
    help="Leave the work to running workers and print the job's id.",
)
@click.option(
    "--ray",
    metavar="ADDRESS",
    help="Ray cluster that prepares and embeds the pictures.  [env: VITRINE_RAY_ADDRESS]",
)
@click.option("--resume", is_flag=True, help="Join the running reindex instead of starting one.")
def reindex(
    source: str | None,
    model: str | None,
    no_verify: bool,
    allow_shrink: bool,
    only_queue: bool,
    resume: bool,
    ray: str | None,
) -> None:
    """Build a new index version beside the live one, verify it and publish it.

    Searches are answered meanwhile. This process does the work, together with any running workers.
    Exit status: 0 published, 1 failed or cancelled, 3 too many products would have been removed.
    """
    from ingest.jobs.models import ReindexRequest
    from ingest.sources import absolute_spec

    if ray and only_queue:
        raise click.UsageError(
            "--ray is of no use with --queue: the workers have their own setting"
        )
    settings = load_settings(**({"ray_address": ray} if ray else {}))
    if settings.ray_address and not only_queue:
        from ingest.cluster.connection import connect

        connect(settings.ray_address)  # also where it turns out that nothing is to be embedded
    source = absolute_spec(source) if source is not None else None
    request = ReindexRequest(source, model, not no_verify, allow_shrink)
    with open_admin(settings) as (admin, vitrine):
        if source is None:
            vitrine.versions.live()  # told before the model is loaded: there is nothing to reindex
        if not (resume or only_queue):  # a job would try several times to load the model
            vitrine.embedders.get(model or settings.model)
        job_id = _running(admin) if resume else _start(admin, request)
        if only_queue:
            click.echo(job_id)
            return
        job = work_and_watch(admin, vitrine, job_id)
    _report(job)
    sys.exit(_status(job))


def _status(job: Job) -> int:
    from ingest.tasks.shrink import is_refusal

    if job.state == "done":
        return 0
    return NOTHING_CHANGED if is_refusal(job.error or "") else 1


def _start(admin: Admin, request: ReindexRequest) -> str:
    try:
        return admin.reindex(**asdict(request))
    except Conflict as error:
        if error.job_id is None:
            raise
        hint = "join it with `vitrine reindex --resume`, or stop it with `vitrine jobs --cancel`"
        raise Conflict(f"{error}; {hint} {error.job_id}", job_id=error.job_id) from None


def _running(admin: Admin) -> str:
    for job in admin.jobs(limit=1000):
        if job.kind == "reindex" and not job.state.final:
            return job.id
    raise Conflict("no reindex is running")


def _report(job: Job) -> None:
    click.echo(f"job {job.id}: {job.state}, {job.done} products, {job.failed_items} failed")
    if job.state == "done":
        click.echo(f"version {job.version} is live", err=True)
    elif job.error:
        click.secho(f"nothing was published: {job.error}", err=True, fg="red")
