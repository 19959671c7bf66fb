"""Snapshots are written beside the searches by a program of their own, whatever becomes of it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
from pathlib import Path

import pytest
from filelock import FileLock

from tests.contract import oracle
from tests.contract.catalogue import make_catalogue, make_record
from tests.contract.questions import separated
from tests.support.waiting import until
from tests.unit.index.faiss.conftest import Open, create
from vitrine.errors import IndexUnavailable
from vitrine.index import IndexQuery
from vitrine.index.faiss.index import FaissIndex
from vitrine.index.faiss.query.state import State
from vitrine.index.faiss.snapshots import compaction
from vitrine.index.faiss.snapshots.snapshots import Snapshots
from vitrine.index.faiss.versions import FaissVersions
from vitrine.products import Record

COUNT = 60
DEADLINE_S = 240.0


def derived_of(versions: FaissVersions, index: FaissIndex) -> Path:
    return versions.root / index.info.name / "derived"


def folders(derived: Path) -> list[str]:
    return sorted(path.name for path in derived.iterdir() if path.is_dir())


def running(index: FaissIndex) -> subprocess.Popen[str]:
    """The program once it is there."""
    until(lambda: index._compactor._process, "no program was started")
    assert index._compactor._process is not None
    return index._compactor._process


def assert_as_oracle(index: FaissIndex, current: dict[str, Record]) -> None:
    query = IndexQuery(vector=separated(random.Random(4), list(current.values())), limit=100)
    assert [(h.product, h.score) for h in index.search(query).hits] == [
        (r.product, score) for r, score in oracle.candidate_set(current.values(), query)
    ]


@pytest.mark.slow
def test_a_program_that_is_killed_leaves_nothing_and_the_next_one_writes(
    open_faiss: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(compaction, "LEAST", COUNT // 2)
    monkeypatch.setattr(compaction, "_PAUSE_S", 0.0)
    versions = open_faiss()
    index = create(versions)
    current = {record.product.id: record for record in make_catalogue(COUNT, 51)}
    index.upsert(list(current.values()))
    derived = derived_of(versions, index)
    derived.mkdir()
    with FileLock(derived / "lock"):  # so that it waits
        index.search(IndexQuery())
        (derived / "0000000000000001-half").mkdir()  # as one that is killed while it writes
        killed = running(index)
        os.kill(killed.pid, signal.SIGKILL)
        until(lambda: caplog.messages, "its end is not told")
        assert "ended by SIGKILL" in caplog.text

        def started_again() -> bool:
            assert_as_oracle(index, current)
            return index._compactor._process is not killed

        until(started_again, "without another write it is not tried again")
    current["more"] = make_record("more", random.Random(1))
    index.upsert([current["more"]])
    index.search(IndexQuery())
    until((derived / "newest").exists, "no snapshot was written")
    assert running(index).wait(DEADLINE_S) == 0
    assert folders(derived) == [(derived / "newest").read_text()]
    assert_as_oracle(index, current)


@pytest.mark.slow
@pytest.mark.parametrize("end", ["its process has gone", "the index is closed"])
def test_the_program_ends_with_the_process_that_has_started_it(
    open_faiss: Open, monkeypatch: pytest.MonkeyPatch, end: str
):
    monkeypatch.setattr(compaction, "LEAST", COUNT // 2)
    versions = open_faiss()
    index = create(versions)
    index.upsert(make_catalogue(COUNT, 52))
    derived = derived_of(versions, index)
    derived.mkdir()
    with FileLock(derived / "lock"):
        index.search(IndexQuery())
        program = running(index)
        if end == "the index is closed":
            index.close()
        else:
            assert program.stdin is not None
            program.stdin.close()  # as the system does for a process that is killed
        assert program.wait(DEADLINE_S) in (0, -signal.SIGTERM)  # before Python has begun, or later
    assert folders(derived) == []


def test_only_one_process_starts_the_program(open_faiss: Open, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(compaction, "LEAST", COUNT // 2)
    versions = open_faiss()
    index = create(versions)
    index.upsert(make_catalogue(COUNT, 53))
    derived = derived_of(versions, index)
    derived.mkdir()
    with FileLock(derived / "starting.lock"):  # as another process holds it
        index.search(IndexQuery())
        assert index._compactor._thread is not None
        index._compactor._thread.join(DEADLINE_S)
    assert index._compactor._process is None


def test_a_snapshot_of_another_process_is_taken_up_beside_writes_and_searches(
    open_faiss: Open, monkeypatch: pytest.MonkeyPatch
):
    versions, threads = open_faiss(), set[str]()
    index, load = create(versions), Snapshots.load

    def noting(snapshots: Snapshots, name: str) -> State | None:
        threads.add(threading.current_thread().name)
        return load(snapshots, name)

    current = {record.product.id: record for record in make_catalogue(COUNT, 54)}
    index.upsert(list(current.values()))
    assert_as_oracle(index, current)
    other = open_faiss().open(index.info.name)
    assert isinstance(other, FaissIndex)
    newest = derived_of(versions, index) / "newest"

    def taken_up() -> bool:
        folder = index._reader.current().segments[0].segment.folder
        return folder is not None and folder.name == newest.read_text()

    for round_ in range(3):
        other.compact()
        monkeypatch.setattr(Snapshots, "load", noting)
        changed = make_record(f"p{round_}", random.Random(round_))
        current[changed.product.id] = changed
        index.upsert([changed])
        gone = min(current)
        index.delete([gone])
        del current[gone]
        assert_as_oracle(index, current)  # the state before, with what was written
        until(taken_up, "the snapshot is not taken up")
        assert_as_oracle(index, current)
        monkeypatch.setattr(Snapshots, "load", load)
    assert threads == {"tidy-segments"}  # and not that of a search


def compacted_by_another(open_faiss: Open, seed: int) -> FaissIndex:
    """An index that has searched before another process published a snapshot of it."""
    index = create(open_faiss())
    index.upsert(make_catalogue(COUNT, seed))
    index.search(IndexQuery())
    other = open_faiss().open(index.info.name)
    assert isinstance(other, FaissIndex)
    other.compact()
    return index


def test_a_snapshot_that_could_not_be_taken_up_is_with_the_next_write(
    open_faiss: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    index = compacted_by_another(open_faiss, 55)
    load = Snapshots.load

    def while_locked(snapshots: Snapshots, name: str) -> State | None:
        monkeypatch.setattr(Snapshots, "load", load)
        raise IndexUnavailable("the file is locked")

    monkeypatch.setattr(Snapshots, "load", while_locked)
    index.search(IndexQuery())
    until(lambda: "the file is locked" in caplog.text, "the failure is not told")
    index.upsert([make_record("more", random.Random(1))])

    def taken_up() -> bool:
        return index._reader.current().segments[0].segment.folder is not None

    until(taken_up, "the snapshot is not taken up")


def test_a_snapshot_that_the_memory_did_not_suffice_for_is_taken_up_later(
    open_faiss: Open, monkeypatch: pytest.MonkeyPatch
):
    index = compacted_by_another(open_faiss, 56)

    def without_memory(snapshots: Snapshots, name: str) -> State | None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(Snapshots, "load", without_memory)
        with pytest.raises(MemoryError):
            index._reader.take_snapshot()
    index._reader.take_snapshot()
    assert index._reader.current().segments[0].segment.folder is not None
