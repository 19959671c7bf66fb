"""A clock that is set back: what a dead worker held is free when its lease is over, not an hour
later."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from ingest.jobs.factory import open_store
from ingest.jobs.models import WRITES, Done, Job, JobState, Kind, NewItem
from ingest.jobs.store import JobStore
from ingest.jobs.work import DeleteProduct
from tests.redis_server import redis_server
from tests.support.waiting import until
from vitrine.settings import Settings

LEASE_S = 3.0
PATIENCE_S = 240
DIES_HOLDING = """
import os, sys, time
from pathlib import Path
import ingest.jobs.processes as processes
from ingest.jobs.store import CATALOGUE
from ingest.jobs.factory import open_store
from ingest.jobs.models import WRITES, Retry
from vitrine.settings import Settings

# of another host, so that nobody can see that it has died
processes.socket.gethostname = lambda: "elsewhere"
store = open_store(Settings(data_dir=Path(sys.argv[1]), queue_url=sys.argv[2]))
items = store.claim(WRITES, limit=9, lease_s=float(sys.argv[3]))
store.settle([Retry(items.pop(), float(sys.argv[3]), 1, "busy")])
store.lock(CATALOGUE, "an ingest elsewhere", lease_s=float(sys.argv[3]))
print(len(items), time.time(), flush=True)
os._exit(9)
"""


def ahead(command: list[str]) -> list[str]:
    """The command with its wall clock an hour ahead; what is monotonic cannot be set."""
    program = shutil.which("faketime")
    assert program is not None, "faketime is missing; install it (Debian: apt-get install faketime)"
    return [program, "-f", "+1h", *command]


@pytest.fixture(params=["sqlite", "redis"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> object:
    if request.param == "sqlite":
        yield Settings(data_dir=tmp_path)
        return
    with redis_server(tmp_path) as url:
        yield Settings(data_dir=tmp_path, queue_url=url)


def test_work_and_locks_of_a_dead_worker_are_free_when_the_clock_is_set_back(settings: Settings):
    store = open_store(settings)
    names = ["p", "q", "r"]
    store.add(
        Job("a", Kind.DELETE, total=3), [NewItem(WRITES, name, DeleteProduct()) for name in names]
    )
    command = [sys.executable, "-c", DIES_HOLDING]
    arguments = [str(settings.data_dir), settings.queue_url, str(LEASE_S)]
    died = subprocess.run(
        ahead([*command, *arguments]),
        env={**os.environ, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"},
        stdout=subprocess.PIPE,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert died.returncode == 9
    held, its_time = died.stdout.split()
    assert (held, float(its_time) - time.time() > 3000) == ("2", True)
    store.add(Job("b", Kind.DELETE, total=1), [NewItem(WRITES, "p", DeleteProduct())])
    until(lambda: settled(store), "the work is free")
    lock = partial(store.lock, "catalogue", "an ingest here", lease_s=LEASE_S)
    until(lambda: lock() is None, "the catalogue is free")
    assert [store.job(name).state for name in "ab"] == [JobState.DONE, JobState.DONE]
    store.close()


def settled(store: JobStore) -> bool:
    """Take and settle what is free; whether that was all."""
    store.settle([Done(item) for item in store.claim(WRITES, limit=9, lease_s=60)])
    return store.stats().open_items == 0
