"""The lock of the catalogue for a bulk ingest."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.jobs.catalogue_lock import catalogue_lock
from ingest.jobs.factory import open_store
from ingest.jobs.locks import lock_conflict
from ingest.jobs.models import Job, Kind, LockHolder
from ingest.jobs.processes import this_process
from ingest.jobs.store import CATALOGUE, JobStore
from tests.support.waiting import DEADLINE_S, until
from vitrine.errors import Conflict
from vitrine.settings import Settings

pytestmark = pytest.mark.slow

HOLD = """
import sys
from pathlib import Path
from ingest.jobs.catalogue_lock import catalogue_lock
from vitrine.settings import Settings
with catalogue_lock(Settings(data_dir=Path(sys.argv[1])), "an ingest of a.csv"):
    print("held", flush=True)
    sys.stdin.read()
"""


def owner_of(store: JobStore) -> str:
    holder = store.holder(CATALOGUE)
    assert holder is not None
    return holder.owner


def holder_of(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_ingest_is_refused_and_told_who_runs(tmp_path: Path):
    settings = Settings(data_dir=tmp_path)
    with (
        catalogue_lock(settings, "an ingest of a.csv") as lost,
        pytest.raises(
            Conflict,
            match=rf"an ingest of a\.csv \(process {os.getpid()} on \S+\) is running; "
            r"it was last seen \d+ s ago, and if it has died, another may start in \d+ s$",
        ) as refused,
        catalogue_lock(settings, "an ingest of b.csv"),
    ):
        pass
    assert refused.value.job_id is None
    assert not lost()
    with catalogue_lock(settings, "an ingest of b.csv"):
        pass


def test_two_threads_of_a_process_exclude_each_other_as_two_processes_do(tmp_path: Path):
    settings = Settings(data_dir=tmp_path)
    with catalogue_lock(settings, "ingest"):
        for _ in range(2):
            with pytest.raises(Conflict, match="is running"), catalogue_lock(settings, "ingest"):
                pass
    with catalogue_lock(settings, "ingest"):
        pass


def test_a_lock_that_an_earlier_release_took_is_told_and_freed_as_well(tmp_path: Path):
    settings = Settings(data_dir=tmp_path)
    store = open_store(settings)
    store.lock(CATALOGUE, f"ingest by {this_process()}", lease_s=60)
    with (
        pytest.raises(Conflict, match=rf"ingest \(process {os.getpid()} on"),
        catalogue_lock(settings, "ingest"),
    ):
        pass
    store.unlock(CATALOGUE, owner_of(store))
    store.lock(CATALOGUE, f"ingest by {replace(this_process(), started='1')}", lease_s=60)
    with catalogue_lock(settings, "ingest"):
        pass
    store.close()


def test_a_refusal_tells_whole_seconds_and_none_that_are_over():
    for ago, ends, words in ((0.4, 59.6, "0 s ago.* in 60 s$"), (-3.0, -2.0, "0 s ago.* in 1 s$")):
        holder = LockHolder("an ingest", renewed_s_ago=ago, ends_in_s=ends)
        assert re.search(words, str(lock_conflict(holder, is_job=False)))


def test_an_ingest_is_refused_while_a_reindex_runs(tmp_path: Path):
    settings = Settings(data_dir=tmp_path)
    store = open_store(settings)
    store.add(Job("r1", Kind.REINDEX, stage="fill"), [])
    with (
        pytest.raises(Conflict, match="job r1 is running") as refused,
        catalogue_lock(settings, "an ingest"),
    ):
        pass
    assert refused.value.job_id == "r1"
    store.close()


def test_after_kill_9_an_ingest_on_the_same_machine_goes_on_at_once(tmp_path: Path):
    holder = holder_of(tmp_path)
    settings = Settings(data_dir=tmp_path)
    with pytest.raises(Conflict), catalogue_lock(settings, "another"):
        pass
    holder.kill()
    holder.communicate(timeout=60)
    with catalogue_lock(settings, "another"):
        pass


def test_the_lock_is_renewed_for_as_long_as_it_is_held(tmp_path: Path):
    """Three times, after which the lease it was taken for is over."""
    settings = Settings(data_dir=tmp_path, job_lease_s=3)
    store = open_store(settings)
    ages = [0.0]

    def is_renewed() -> bool:
        holder = store.holder(CATALOGUE)
        if holder is None or holder.renewed_s_ago is None:
            return False
        ages.append(holder.renewed_s_ago)
        return ages[-1] < ages[-2]

    with catalogue_lock(settings, "an ingest") as lost:
        for _ in range(3):
            until(is_renewed, "the lock is renewed")
        assert owner_of(store).startswith("an ingest by ")
        assert not lost()
    assert store.holder(CATALOGUE) is None
    store.close()


def test_a_holder_that_lost_its_lock_is_told(tmp_path: Path):
    settings = Settings(data_dir=tmp_path, job_lease_s=3)
    store = open_store(settings)

    def is_stolen() -> bool:
        """Whether the thief came before the lock was renewed."""
        holder = store.holder(CATALOGUE)
        if holder is not None:
            store.unlock(CATALOGUE, holder.owner)
        return store.lock(CATALOGUE, "a thief", lease_s=DEADLINE_S) is None

    with catalogue_lock(settings, "an ingest") as lost:
        until(is_stolen, "the lock is free")
        until(lost, "the loss is noticed")
    assert owner_of(store) == "a thief"
    store.close()
