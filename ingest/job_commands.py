"""Commands of the job engine: worker, up, reindex, versions, publish, discard, jobs."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from ingest.job_session import open_admin, work_and_watch
from vitrine.errors import Conflict
from vitrine.setting_ranges import range_of
from vitrine.settings import load_settings
from vitrine.storage.data_folder import require_writable

if TYPE_CHECKING:
    from ingest.admin import Admin
    from ingest.jobs.models import Job, ReindexRequest
    from vitrine.index import VersionInfo
    from vitrine.relevance import RelevanceConstants
    from vitrine.settings import Settings
    from vitrine.wiring import Vitrine

__all__ = ["jobs", "publish", "reindex", "up", "versions", "worker"]


@click.command()
@click.option(
    "--threads",
    type=range_of("worker_threads"),
    help="Jobs worked on at once.  [default: VITRINE_WORKER_THREADS]",
)
def worker(threads: int | None) -> None:
    """Run an ingest worker until SIGTERM.

    Any number may share one queue (Redis: on any number of machines).
    """
    from ingest.worker import work_until_told_to_stop

    settings = load_settings(**({} if threads is None else {"worker_threads": threads}))
    _log(settings)
    work_until_told_to_stop(settings)


@click.command()
@click.option("--host", help="Address of the service.  [default: VITRINE_HOST]")
@click.option("--port", type=range_of("port"), help="Port of the service.  [default: VITRINE_PORT]")
def up(host: str | None, port: int | None) -> None:
    """Run the service and a worker together; one that dies is started again."""
    from ingest.supervisor import Program, supervise

    settings = load_settings(
        **{name: value for name, value in (("host", host), ("port", port)) if value is not None}
    )
    _log(settings)
    require_writable(settings.data_dir)
    serve = [sys.executable, "-m", "service", "--host", settings.host, "--port", str(settings.port)]
    programs = [
        Program("service", serve),
        Program("worker", [sys.executable, "-m", "ingest.worker"]),
    ]
    sys.exit(supervise(programs, grace_s=settings.graceful_timeout_s + 5))


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
        job_id = _running(admin) if resume else _start(admin, request)
        if only_queue:
            click.echo(job_id)
            return
        job = work_and_watch(admin, vitrine, job_id)
    _report(job)
    sys.exit(_status(job))


def _status(job: Job) -> int:
    from ingest.commands import NOTHING_CHANGED
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
        rows = [
            {
                "name": v.name,
                "state": v.state,
                "model": v.model,
                "count": v.count,
                "created": v.created.isoformat(),
                "filling": None if v.filling is None else asdict(v.filling),
                "relevance": None if (known := learnt[v.name]) is None else known.summary(),
            }
            for v in listed
        ]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for v in listed:
        click.echo(
            f"{v.name:<48} {v.state:<9} {v.count:>9} products  {v.created:%Y-%m-%d %H:%M}"
            f"  {v.model}"
        )
        if v.filling is not None:
            click.echo(
                f"    filled in {v.filling.seconds:.0f} s: {v.filling.precision} on"
                f" {v.filling.device}, batches of {v.filling.batch}"
            )
        known = learnt[v.name]
        for line in known.lines() if known is not None else ():
            click.echo(f"    {line}")
    if not listed:
        click.echo("no versions; `vitrine ingest SOURCE` makes the first", err=True)


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


def _log(settings: Settings) -> None:
    from vitrine.logs import configure_logging

    configure_logging(settings)
