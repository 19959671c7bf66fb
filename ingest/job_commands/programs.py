"""`vitrine worker` and `vitrine up`: the programs that run until they are told to stop."""

from __future__ import annotations

import sys

import click

from vitrine.logs import configure_logging
from vitrine.setting_ranges import range_of
from vitrine.settings import load_settings
from vitrine.storage.data_folder import require_writable

__all__ = ["up", "worker"]


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
    configure_logging(settings)
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
    configure_logging(settings)
    require_writable(settings.data_dir)
    serve = [sys.executable, "-m", "service", "--host", settings.host, "--port", str(settings.port)]
    programs = [
        Program("service", serve),
        Program("worker", [sys.executable, "-m", "ingest.worker"]),
    ]
    sys.exit(supervise(programs, grace_s=settings.graceful_timeout_s + 5))
