"""Backups: a version in a folder, from every backend into every backend, while it is written to."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from tests.contract.backends import BACKENDS
from tests.contract.catalogue import make_catalogue, make_record
from tests.contract.test_fusion import constants_of, model_of, random_fused, vocabulary_of
from tests.contract.test_pictures import create_with_texts, with_text
from tests.support.waiting import until
from vitrine.backup import back_up, restore
from vitrine.backup.folder import MANIFEST
from vitrine.errors import Conflict, NoLiveVersion, StorageUnavailable
from vitrine.index import IndexVersions, VectorIndex, VersionFilling
from vitrine.products import Record

Create = Callable[[], VectorIndex]


Content = dict[str, Record]


def content(index: VectorIndex) -> Content:
    """All that a version holds."""
    return {r.product.id: r for batch in index.scan() for r in batch}


def equal(one: Content, other: Content) -> bool:
    """The same records; Qdrant brings vectors to unit length again, which may move a last bit."""
    return one.keys() == other.keys() and all(
        (r.product, r.image_keys) == (other[i].product, other[i].image_keys)
        and np.allclose(r.vectors, other[i].vectors, atol=1e-6)
        and same_text(r, other[i])
        for i, r in one.items()
    )


def same_text(one: Record, other: Record) -> bool:
    """Whether both have the same vector of their text, or none."""
    if one.text_vector is None or other.text_vector is None:
        return one.text_vector is other.text_vector
    return np.allclose(one.text_vector, other.text_vector, atol=1e-6)


def test_a_restored_version_is_the_one_that_was_backed_up(
    versions: IndexVersions, create: Create, tmp_path: Path
):
    source = create()
    source.upsert(make_catalogue(80, 41))
    versions.complete(source.info.name, VersionFilling("cuda", "bf16", 512, 7.5))
    source = versions.open(source.info.name)
    manifest = back_up(source, tmp_path / "backup")
    restored = restore(versions, tmp_path / "backup", data_dir=tmp_path)
    assert equal(content(restored), content(source))
    assert (manifest.products, manifest.version) == (80, source.info.name)
    for name in ("model", "fingerprint", "dimension", "schema", "mapping", "filling"):
        assert getattr(restored.info, name) == getattr(source.info, name)
    assert [v.state for v in versions.list() if v.name == restored.info.name] == ["ready"]
    with pytest.raises(NoLiveVersion):
        versions.live()
    versions.publish(restored.info.name)


@pytest.mark.parametrize("other", ["faiss", "qdrant-engine"])
def test_a_backup_moves_from_one_backend_to_another_with_all_vectors(
    versions: IndexVersions, tmp_path: Path, other: str
):
    source = create_with_texts(versions)
    rng = random.Random(42)
    source.upsert([with_text(r, rng) for r in make_catalogue(40, 42, images=(1, 8))])
    records = [record for batch in source.scan() for record in batch]
    model = model_of(vocabulary_of(records), constants_of(records, rng))
    versions.learn(source.info.name, model)
    back_up(source, tmp_path / "backup")
    # the engine keeps one set of versions for each folder: the same one for the same backend
    elsewhere = BACKENDS[other](tmp_path / "data")
    restored = restore(elsewhere, tmp_path / "backup", data_dir=tmp_path)
    assert equal(content(restored), content(source))
    learnt = restored.search_model
    assert learnt is not None
    assert learnt.key == model.key
    assert learnt.mark is not None
    assert restored.count_written(learnt.mark) == 0
    query = random_fused(records, rng, 1)
    ids = [[h.product.id for h in index.search(query).hits] for index in (source, restored)]
    assert ids[0] == ids[1]
    elsewhere.close()


def test_a_backup_under_writes_is_the_version_at_the_moment_it_names(
    versions: IndexVersions, create: Create, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("vitrine.backup.writing._BATCH", 7)  # many reads, with writes between them
    seed = 43
    rng = random.Random(seed)
    source = create()
    state = {r.product.id: r for r in make_catalogue(120, seed)}
    source.upsert(list(state.values()))
    history: list[tuple[datetime, datetime, Content]] = []
    begin = datetime.now(UTC)
    history.append((begin, begin, dict(state)))
    stop = threading.Event()

    def write() -> None:
        for number in range(40):  # a backup comes to its end once nobody writes for a moment
            if stop.is_set():
                return
            started = datetime.now(UTC)
            if number % 3 == 2:
                gone = rng.choice(sorted(state))
                source.delete([gone])
                del state[gone]
            else:
                name = f"new{number}" if number % 3 else rng.choice(sorted(state))
                state[name] = make_record(name, rng)
                source.upsert([state[name]])
            history.append((started, datetime.now(UTC), dict(state)))
            stop.wait(0.03)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        until(lambda: len(history) >= 3, "writes go on")
        manifest = back_up(source, tmp_path / "backup")
    finally:
        stop.set()
        writer.join()
    restored = content(restore(versions, tmp_path / "backup", data_dir=tmp_path))
    moment = datetime.fromisoformat(manifest.moment)
    # after the last write that had ended by then, or after the one that was under way
    possible = [
        after
        for place, (started, _, after) in enumerate(history)
        if started <= moment and (place + 1 == len(history) or history[place + 1][1] >= moment)
    ]
    assert any(equal(restored, state) for state in possible), (
        f"seed {seed}: {len(restored)} products at {moment}"
    )
    assert len(history) >= 3


def test_a_folder_that_is_in_use_is_left_alone(create: Create, tmp_path: Path):
    index = create()
    index.upsert(make_catalogue(5, 1))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(Conflict, match="not empty"):
        back_up(index, tmp_path / "mine")
    back_up(index, tmp_path / "backup")
    with pytest.raises(Conflict, match="already contains a backup"):
        back_up(index, tmp_path / "backup")


@pytest.mark.parametrize("damaged", ["00001.products", "00001.vectors.npy"])
def test_a_damaged_backup_is_refused_before_anything_is_made(
    versions: IndexVersions, create: Create, tmp_path: Path, damaged: str
):
    source = create()
    source.upsert(make_catalogue(10, 2))
    back_up(source, tmp_path / "backup")
    data = bytearray((tmp_path / "backup" / damaged).read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "backup" / damaged).write_bytes(data)
    with pytest.raises(StorageUnavailable, match=damaged):
        restore(versions, tmp_path / "backup", data_dir=tmp_path)
    assert [v.name for v in versions.list()] == [source.info.name]


class Killed(BaseException):
    """Stands where a process would have died in the test's own process."""


def test_half_a_restore_is_never_published_and_the_next_one_removes_it(
    versions: IndexVersions, create: Create, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("vitrine.backup.restoring._BATCH", 10)
    source = create()
    source.upsert(make_catalogue(30, 3))
    back_up(source, tmp_path / "backup")

    def die(written: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        restore(versions, tmp_path / "backup", data_dir=tmp_path, progress=die)
    (half,) = [v for v in versions.list() if v.name != source.info.name]
    assert (half.state, half.count) == ("building", 10)
    with pytest.raises(Conflict):
        versions.publish(half.name)
    restored = restore(versions, tmp_path / "backup", data_dir=tmp_path)
    assert equal(content(restored), content(source))
    assert {v.name for v in versions.list()} == {source.info.name, restored.info.name}


_CHILD = """
import os, signal, sys
from pathlib import Path
import vitrine.backup.writing, vitrine.backup.restoring
from vitrine.backup import back_up, restore
from vitrine.index.faiss import open_versions
from vitrine.settings import Settings
vitrine.backup.writing._PART = vitrine.backup.writing._BATCH = vitrine.backup.restoring._BATCH = 10
what, data, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
versions = open_versions(Settings(data_dir=data))
die = lambda done: os.kill(os.getpid(), signal.SIGKILL) if done >= 20 else None
if what == "backup":
    back_up(versions.open(sys.argv[4]), folder, progress=die)
else:
    restore(versions, folder, data_dir=data, progress=die)
"""


def killed(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, *arguments],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
        timeout=120,
    )
    assert done.returncode == -signal.SIGKILL


def test_kill_9_in_the_middle_leaves_no_backup_and_no_version_that_serves(tmp_path: Path):
    from tests.contract.catalogue import DIMENSION, SCHEMA

    data, folder = tmp_path / "data", tmp_path / "backup"
    versions = BACKENDS["faiss"](data)
    source = versions.create(
        model="m", fingerprint="f", dimension=DIMENSION, schema=SCHEMA, mapping={}
    )
    source.upsert(make_catalogue(50, 5))
    versions.complete(source.info.name)
    versions.publish(source.info.name)
    killed("backup", str(data), str(folder), source.info.name)
    assert not (folder / MANIFEST).exists()
    with pytest.raises(StorageUnavailable, match="not finished"):
        restore(versions, folder, data_dir=data)
    back_up(source, folder)  # the same folder may be used again
    killed("restore", str(data), str(folder))
    assert versions.live().info.name == source.info.name
    (half,) = [v for v in versions.list() if v.name != source.info.name]
    assert half.state == "building"
    restored = restore(versions, folder, data_dir=data)
    assert equal(content(restored), content(source))
    assert half.name not in {v.name for v in versions.list()}
    versions.close()
