"""The job engine for one command: opened, and put to work on a job while its progress is shown."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import click

from vitrine.errors import VitrineError

if TYPE_CHECKING:
    from ingest.admin import Admin
    from ingest.jobs.models import Job
    from ingest.tasks.runner import Runner
    from vitrine.settings import Settings
    from vitrine.wiring import Vitrine

__all__ = ["open_admin", "work_and_watch"]

_POLL_S = 0.2


@contextmanager
def open_admin(settings: Settings) -> Iterator[tuple[Admin, Vitrine]]:
    """The job engine and the container beneath it; both are closed at the end."""
    from ingest.admin import Admin
    from vitrine.wiring import Vitrine

    with closing(Vitrine(settings)) as vitrine, closing(Admin(vitrine)) as admin:
        yield admin, vitrine


def work_and_watch(admin: Admin, vitrine: Vitrine, job_id: str) -> Job:
    """Work in the background and show the job until it ends; Ctrl-C leaves it to be resumed.

    Running workers take their part of it.
    """
    from ingest.jobs.factory import open_store
    from ingest.tasks.runner import Runner

    with closing(open_store(vitrine.settings)) as store:
        runner = Runner(vitrine, store)
        helper = threading.Thread(target=_help, args=(runner,), name="reindex", daemon=True)
        helper.start()
        try:
            return _watch(admin, job_id)
        finally:
            runner.stopping.set()
            helper.join()


def _help(runner: Runner) -> None:
    while not runner.stopping.is_set():
        try:
            runner.drain()
            runner.recover()
        except VitrineError as error:
            click.echo(f"vitrine: {error}", err=True)
        runner.stopping.wait(_POLL_S)


def _watch(admin: Admin, job_id: str) -> Job:
    from tqdm import tqdm

    terminal = sys.stderr.isatty()
    with tqdm(
        unit=" products",
        mininterval=0.2 if terminal else 10,
        disable=not terminal,
        dynamic_ncols=True,
    ) as bar:
        while True:
            job = admin.job(job_id)
            handled = job.done + job.failed_items
            bar.total = None if job.total is None else max(job.total, handled)
            bar.set_description(job.state, refresh=False)
            bar.update(handled - bar.n)
            if job.state.final:
                return job
            time.sleep(_POLL_S)
