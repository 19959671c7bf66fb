"""What is acknowledged stays, whatever happens to the process, the disk or the derived files."""

from __future__ import annotations

import itertools
import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tests.contract import oracle
from tests.contract.catalogue import make_catalogue, make_record
from tests.contract.questions import separated
from tests.support.waiting import until
from tests.unit.index.faiss.conftest import Open, create
from vitrine.errors import IndexUnavailable, NoLiveVersion, StorageUnavailable, VitrineError
from vitrine.index import IndexQuery
from vitrine.index.faiss.index import FaissIndex
from vitrine.index.faiss.records.changes import RecordView
from vitrine.index.faiss.records.store import RecordStore
from vitrine.index.faiss.versions import FaissVersions
from vitrine.index.ports import VectorIndex
from vitrine.index.product_json import product_hash, product_to_json
from vitrine.products import Record

pytestmark = pytest.mark.slow

WITH_ALL = {"quantize_from": 1, "rabitq_from": 1, "hnsw_from": 1}
"""Settings under which a snapshot has every kind of file."""
WRITER = """
import random, sys
from pathlib import Path
from tests.contract.catalogue import make_record
from vitrine.index.faiss import open_versions
from vitrine.settings import Settings

index = open_versions(Settings(data_dir=Path(sys.argv[1]))).open(sys.argv[2])
rng, step = random.Random(int(sys.argv[3])), 0
while True:
    ids = [f"{sys.argv[3]}-{step}-{i}" for i in range(rng.randint(1, 20))]
    index.upsert([make_record(i, random.Random(i), images=(1, 8)) for i in ids])
    index.upsert([make_record("again", random.Random(ids[0]), images=(1, 8))])
    index.search(__import__("vitrine.index").index.IndexQuery())
    gone = [ids[0]] if step % 3 == 0 else []
    index.delete(gone)
    print(step, len(ids), len(gone), flush=True)
    step += 1
"""


def folder(versions: FaissVersions, index: FaissIndex) -> Path:
    return versions.root / index.info.name


def all_ids(index: FaissIndex) -> set[str]:
    ids = [r.product.id for batch in index.scan() for r in batch]
    assert len(ids) == len(set(ids)) == index.count() == index.search(IndexQuery()).total
    return set(ids)


def assert_whole(index: FaissIndex, seeds: dict[str, list[str]]) -> None:
    """Each product has all that one of these seeds makes: its fields with all their pictures."""
    for product_id, record in index.get(list(seeds)).items():
        drawn = (
            make_record(product_id, random.Random(s), images=(1, 8)) for s in seeds[product_id]
        )
        made = next(other for other in drawn if other.product == record.product)
        assert record.image_keys == made.image_keys
        assert np.array_equal(record.vectors, made.vectors)


def test_nothing_acknowledged_is_lost_when_the_writer_is_killed(open_faiss: Open, tmp_path: Path):
    index = create(open_faiss())
    rng = random.Random(31)
    expected: dict[str, int] = {}
    for run in range(4):
        command = [sys.executable, "-c", WRITER, str(tmp_path), index.info.name, str(run)]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[4]
        ) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(rng.randint(1, 8))]
            time.sleep(rng.uniform(0, 0.05))  # anywhere in what comes after the last of them
            process.kill()
            lines += process.stdout.readlines()
        assert process.returncode == -signal.SIGKILL, lines
        for line in filter(str.strip, lines):
            if line.endswith("\n"):
                step, count, gone = map(int, line.split())
                expected |= {f"{run}-{step}-{i}": i for i in range(gone, count)}
    remaining = all_ids(index) - {"again"}
    assert len(expected) > 20
    assert expected.keys() <= remaining
    # of each run at most the write that nobody was told of
    assert len(remaining) <= len(expected) + 4 * 20
    assert_whole(index, {product_id: [product_id] for product_id in remaining})
    last_steps = [f"{run}-{step}-0" for run in range(4) for step in range(1000)]
    assert_whole(index, {"again": last_steps})


@pytest.mark.parametrize(
    "victim",
    [
        "columns.bin",
        "vectors.f32",
        "codes.bin",
        "codes.u8",
        "graph.bin",
        "signs.bin",
        "signs.u1",
        "about.json",
        "columns.json",
    ],
)
@pytest.mark.parametrize("harm", ["delete", "truncate", "garble"])
def test_damaged_derived_files_are_noticed_and_made_again(
    open_faiss: Open, caplog: pytest.LogCaptureFixture, victim: str, harm: str
):
    versions = open_faiss(**WITH_ALL)
    index = create(versions)
    index.upsert(make_catalogue(60, 32))
    index.compact()
    (path,) = (folder(versions, index) / "derived").glob(f"*/{victim}")
    if harm == "delete":
        path.unlink()
    elif harm == "truncate":
        os.truncate(path, path.stat().st_size // 2)
    else:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(content)
    other = open_faiss(**WITH_ALL).open(index.info.name)
    assert isinstance(other, FaissIndex)
    assert len(all_ids(other)) == 60
    assert "cannot be used" in caplog.text
    other.compact()
    third = open_faiss(**WITH_ALL).open(index.info.name)
    caplog.clear()
    assert third.search(IndexQuery()).total == 60
    assert not caplog.records


def test_without_its_derived_folder_an_index_answers_all_the_same(open_faiss: Open):
    versions = open_faiss()
    index = create(versions)
    index.upsert(make_catalogue(40, 33))
    index.compact()
    shutil.rmtree(folder(versions, index) / "derived")
    index.upsert([make_record("more", random.Random(1))])
    assert len(all_ids(index)) == 41
    assert open_faiss().open(index.info.name).search(IndexQuery()).total == 41


def test_a_snapshot_of_another_program_version_is_ignored(
    open_faiss: Open, monkeypatch: pytest.MonkeyPatch
):
    index = create(open_faiss())
    index.upsert(make_catalogue(40, 34))
    index.compact()
    monkeypatch.setattr("vitrine.index.faiss.snapshots.snapshots.FORMAT", 99)
    assert open_faiss().open(index.info.name).search(IndexQuery()).total == 40


def test_snapshots_are_written_in_the_background_and_taken_up(
    open_faiss: Open, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("vitrine.index.faiss.snapshots.compaction.LEAST", 50)
    versions = open_faiss()
    index = create(versions)
    records = make_catalogue(300, 35)
    derived = folder(versions, index) / "derived"
    for start in range(0, 300, 60):
        index.upsert(records[start : start + 60])
        assert index.search(IndexQuery()).total == start + 60
        until((derived / "newest").exists, "a snapshot is written")
    index.delete([r.product.id for r in records[:10]])
    assert (
        all_ids(index)
        == all_ids(open_faiss().open(index.info.name))
        == {r.product.id for r in records[10:]}
    )


def test_a_full_disk_is_told_and_nothing_is_half_written(open_faiss: Open):
    versions = open_faiss()
    index = create(versions)
    index.upsert(make_catalogue(20, 36))
    with index.store.database.writing() as connection:
        connection.execute(
            f"PRAGMA max_page_count={connection.execute('PRAGMA page_count').fetchone()[0] + 2}"
        )
    with pytest.raises(StorageUnavailable, match="full"):
        index.upsert([make_record(f"new{i}", random.Random(i)) for i in range(500)])
    assert len(all_ids(index)) == 20
    with index.store.database.writing() as connection:
        connection.execute("PRAGMA max_page_count=1000000")
    index.upsert([make_record(f"new{i}", random.Random(i)) for i in range(500)])
    assert len(all_ids(index)) == 520


@pytest.mark.parametrize("refused", ["vectors.f32", "columns.bin"])
def test_a_disk_that_takes_no_more_of_a_snapshot_is_told_and_nothing_is_left(
    open_faiss: Open, refused: str
):
    index = create(open_faiss(**WITH_ALL))
    index.upsert(make_catalogue(60, 43))
    index.compact()
    (written,) = (folder(open_faiss(), index) / "derived").glob("*/")
    size = (written / refused).stat().st_size
    index.upsert([make_record("more", random.Random(1))])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size - 1, hard))
    try:
        with pytest.raises(StorageUnavailable, match=r"derived cannot be used .File too large"):
            index.compact()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(written.parent.glob("*/")) == [written]
    assert len(all_ids(index)) == 61
    index.compact()
    assert not written.exists()
    assert len(all_ids(open_faiss(**WITH_ALL).open(index.info.name))) == 61


def test_a_locked_file_is_told_after_the_timeout(open_faiss: Open):
    versions = open_faiss(index_timeout_s=0.2)
    index = create(versions)
    with closing(
        sqlite3.connect(folder(versions, index) / "records.sqlite", isolation_level=None)
    ) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(IndexUnavailable, match="locked"):
            index.upsert([make_record("1", random.Random(1))])
        assert index.search(IndexQuery()).total == 0  # readers need not wait
    index.upsert([make_record("1", random.Random(1))])


def test_a_deleted_folder_is_told_and_another_version_can_be_published(open_faiss: Open):
    versions = open_faiss()
    names = []
    for count in (3, 4):
        index = create(versions)
        index.upsert(make_catalogue(count, 37))
        versions.complete(index.info.name)
        names.append(index.info.name)
    versions.publish(names[1])
    shutil.rmtree(versions.root / names[1])
    with pytest.raises(IndexUnavailable, match="gone"):
        index.search(IndexQuery())
    with pytest.raises(IndexUnavailable, match="gone"):
        versions.live()
    assert any("gone" in fault for fault in versions.check())
    versions.publish(names[0])
    assert versions.live().search(IndexQuery()).total == 3


@pytest.mark.parametrize(
    "content", [b"no database at all, but long enough to look like one" * 100, b""]
)
def test_a_damaged_record_file_is_told(open_faiss: Open, content: bytes):
    versions = open_faiss()
    index = create(versions)
    index.close()
    for path in folder(versions, index).glob("records.sqlite*"):
        path.unlink()
    (folder(versions, index) / "records.sqlite").write_bytes(content)
    other = open_faiss()
    with pytest.raises(IndexUnavailable):
        other.open(index.info.name).search(IndexQuery())
    assert other.check()


def test_a_record_file_carries_the_version_of_its_tables(open_faiss: Open):
    versions = open_faiss()
    index = create(versions)
    index.upsert(make_catalogue(20, 40))
    index.close()
    path = folder(versions, index) / "records.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
        connection.execute("PRAGMA user_version=3")
    with pytest.raises(IndexUnavailable, match="was written by a newer release"):
        open_faiss().open(index.info.name)


# as the releases before several pictures made it
FIRST_TABLES = """
PRAGMA page_size=8192;
PRAGMA journal_mode=WAL;
CREATE TABLE products (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, image_key TEXT, product_hash TEXT,
    product BLOB, vector BLOB
);
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counters VALUES ('seq', 0), ('products', 0);
"""
FIRST_UPSERT = """
INSERT OR REPLACE INTO products (seq, id, image_key, product_hash, product, vector)
VALUES (?, ?, ?, ?, ?, ?)
"""


def write_as_the_first_releases_did(path: Path, records: list[Record], *, since: int) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for seq, record in enumerate(records, since + 1):
            product = record.product
            row = (product_hash(product), product_to_json(product), record.vector.tobytes())
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(FIRST_UPSERT, (seq, product.id, record.image_key, *row))
            connection.execute("UPDATE counters SET value = value + 1")
            connection.execute("COMMIT")


def test_a_version_of_the_releases_with_one_picture_answers_as_before(open_faiss: Open):
    versions = open_faiss()
    name = create(versions).info.name
    versions.close()
    meta, path = versions.root / name / "version.json", versions.root / name / "records.sqlite"
    first_meta = json.loads(meta.read_text())
    del first_meta["text_vectors"]
    meta.write_text(json.dumps(first_meta))
    for file in path.parent.glob("records.sqlite*"):
        file.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(FIRST_TABLES)
    records = make_catalogue(60, 42)
    write_as_the_first_releases_did(path, records[:50], since=0)
    index = open_faiss().open(name)
    assert not index.info.text_vectors
    assert_answers(index, records[:50])
    # while a process of the release before is still running, it goes on writing
    write_as_the_first_releases_did(path, records[50:], since=50)
    assert_answers(index, records)
    several = [make_record(r.product.id, random.Random(1), images=(3, 3)) for r in records[:5]]
    index.upsert(several)
    assert_answers(index, several + records[5:])


def assert_answers(index: VectorIndex, records: list[Record]) -> None:
    query = IndexQuery(vector=separated(random.Random(42), records), limit=100)
    answer = index.search(query)
    assert [(h.product.id, h.score) for h in answer.hits] == [
        (r.product.id, score) for r, score in oracle.candidate_set(records, query)
    ]
    stored = index.get([r.product.id for r in records])
    assert {i: r.image_keys for i, r in stored.items()} == {
        r.product.id: r.image_keys for r in records
    }


def test_a_version_half_made_is_not_there(open_faiss: Open, monkeypatch: pytest.MonkeyPatch):
    versions = open_faiss()

    def broken(store: RecordStore) -> None:
        store.database.path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vitrine.index.faiss.records.store.RecordStore.create", broken)
    with pytest.raises(StorageUnavailable, match="No space"):
        create(versions)
    assert versions.list() == []
    with pytest.raises(NoLiveVersion):
        versions.live()


def test_the_pointer_always_names_a_whole_version(open_faiss: Open):
    versions, reader = open_faiss(), open_faiss()
    names = []
    for count in (3, 4):
        index = create(versions)
        index.upsert(make_catalogue(count, 38))
        versions.complete(index.info.name)
        names.append(index.info.name)
    versions.publish(names[0])
    counts = {names[0]: 3, names[1]: 4}
    seen: set[str] = set()
    faults: list[str] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                live = reader.live()
                seen.add(live.info.name)
                if live.search(IndexQuery()).total != counts[live.info.name]:
                    faults.append(live.info.name)
            except VitrineError as error:
                faults.append(str(error))

    thread = threading.Thread(target=read)
    thread.start()
    deadline = time.monotonic() + 60
    turns = itertools.count()
    while (turn := next(turns)) < 30 or (seen != set(names) and time.monotonic() < deadline):
        versions.publish(names[turn % 2])
    done.set()
    thread.join()
    assert faults == []
    assert seen == set(names)


def test_searches_and_writes_from_many_threads_agree(open_faiss: Open):
    versions = open_faiss()
    index = create(versions)
    records = make_catalogue(200, 39)
    index.upsert(records[:100])
    faults: list[object] = []
    done = threading.Event()

    def search() -> None:
        try:
            while not done.is_set():
                answer = index.search(IndexQuery(limit=200))
                if len(answer.hits) != answer.total or not 100 <= answer.total <= 200:
                    faults.append(answer.total)
        except VitrineError as error:
            faults.append(error)

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for record in records[100:]:
        index.upsert([record, records[0]])
    done.set()
    for thread in threads:
        thread.join()
    assert faults == []
    assert index.search(IndexQuery()).total == 200


def test_a_product_replaced_while_all_are_read_for_the_first_time_is_not_missed(
    open_faiss: Open, monkeypatch: pytest.MonkeyPatch
):
    index = create(open_faiss())
    records = make_catalogue(100, 41)
    index.upsert(records)
    last_seq = RecordView.last_seq

    def overtaken(view: RecordView) -> int:
        number = last_seq(view)
        index.upsert([records[0]])
        return number

    monkeypatch.setattr(RecordView, "last_seq", overtaken)
    assert index.search(IndexQuery()).total == 100
    index.delete([records[1].product.id])
    assert index.search(IndexQuery()).total == 99


@pytest.mark.parametrize("damage", [b"\xff\xfe", b"", b"no version", b"../../etc"])
def test_a_damaged_pointer_is_told_with_its_remedy(open_faiss: Open, damage: bytes):
    versions = open_faiss()
    index = create(versions)
    versions.complete(index.info.name)
    versions.publish(index.info.name)
    (versions.root / "live").write_bytes(damage)
    with pytest.raises(IndexUnavailable, match="vitrine publish VERSION"):
        versions.live()
    (sentence,) = versions.check()
    assert "names no version" in sentence
    assert [version.name for version in versions.list()] == [index.info.name]
    versions.publish(index.info.name)
    assert versions.live().info.name == index.info.name


def test_a_line_break_after_the_pointers_name_is_no_matter(open_faiss: Open):
    versions = open_faiss()
    index = create(versions)
    versions.complete(index.info.name)
    versions.publish(index.info.name)
    (versions.root / "live").write_text(f"{index.info.name}\n")
    assert versions.live().info.name == index.info.name


def test_a_pointer_to_derived_files_that_is_damaged_is_made_again(open_faiss: Open):
    versions = open_faiss()
    index = create(versions)
    index.upsert([make_record(f"p{n}", random.Random(n)) for n in range(5)])
    total = index.search(IndexQuery()).total
    index.close()
    for newest in versions.root.rglob("derived/newest"):
        newest.write_bytes(b"\xff\x00")
    again = open_faiss().open(index.info.name)
    assert again.search(IndexQuery()).total == total == 5
