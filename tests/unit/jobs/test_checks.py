"""`vitrine doctor` says when work waits that nobody does."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.checks import workers
from ingest.jobs.factory import sqlite_path
from ingest.jobs.models import WRITES
from tests.unit.jobs.desk import Desk
from vitrine.errors import StorageUnavailable
from vitrine.settings import Settings
from vitrine.wiring import Vitrine


def test_writes_that_wait_while_nobody_holds_any_are_told(desk: Desk):
    vitrine = desk.shop.vitrine
    assert list(workers(vitrine, patience_s=0)) == []
    desk.admin.delete(["p1", "p2"])
    (fault,) = workers(vitrine, patience_s=0)
    assert fault.startswith("2 writes or parts of jobs wait and no worker takes them")
    desk.store.claim(WRITES, limit=1, lease_s=60)
    assert list(workers(vitrine, patience_s=0)) == [], "a worker is at it"


def test_a_queue_that_cannot_be_read_is_not_in_order(tmp_path: Path):
    vitrine = Vitrine(Settings(data_dir=tmp_path))
    path = sqlite_path(vitrine.settings)
    assert path is not None
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(StorageUnavailable):
        list(workers(vitrine))


def test_a_folder_without_jobs_is_left_as_it_is(tmp_path: Path):
    assert list(workers(Vitrine(Settings(data_dir=tmp_path)))) == []
    assert list(tmp_path.iterdir()) == []
