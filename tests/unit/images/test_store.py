"""The image store keeps bytes by content."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import pytest

from vitrine.errors import NotFound, StorageUnavailable
from vitrine.images.store import FileSystemStore, open_store
from vitrine.settings import Settings


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FileSystemStore:
    return FileSystemStore(
        str(tmp_path / "kept") if request.param == "folder" else f"memory://{tmp_path.name}"
    )


def test_what_is_put_is_got_by_its_hash(store: FileSystemStore) -> None:
    key = store.put(b"a picture")
    assert key == hashlib.sha256(b"a picture").hexdigest()
    assert store.get(key) == b"a picture"
    assert store.has(key)
    assert store.put(b"a picture") == key


def test_an_unknown_key_is_not_found(store: FileSystemStore) -> None:
    unknown = "0" * 64
    assert not store.has(unknown)
    with pytest.raises(NotFound):
        store.get(unknown)


@pytest.mark.parametrize("key", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 65])
def test_a_key_that_is_no_hash_reaches_no_file(store: FileSystemStore, key: str) -> None:
    assert not store.has(key)
    with pytest.raises(NotFound):
        store.get(key)


def test_files_lie_one_folder_deep_and_leave_no_parts(tmp_path: Path) -> None:
    store = FileSystemStore(str(tmp_path))
    key = store.put(b"x" * 1000)
    assert [
        path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()
    ] == [f"{key[:2]}/{key}"]


def test_a_picture_that_is_there_is_flushed_too_since_its_writer_may_have_died_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, flushed = FileSystemStore(str(tmp_path)), list[Path]()
    key = store.put(b"a picture")
    monkeypatch.setattr("vitrine.images.store.sync_folder", flushed.append)
    store.put(b"a picture")
    assert flushed == [tmp_path / key[:2]]


def test_a_picture_of_an_earlier_release_stays_where_it_is(tmp_path: Path) -> None:
    store, key = FileSystemStore(str(tmp_path)), hashlib.sha256(b"a picture").hexdigest()
    path = tmp_path / key[:2] / key[2:4] / key
    path.parent.mkdir(parents=True)
    path.write_bytes(b"a picture")
    os.utime(path, (0, 0))
    assert store.age_s(key) > 1e9
    assert store.put(b"a picture") == key
    assert store.age_s(key) < 1e9  # young again
    assert (store.get(key), store.has(key), list(store.walk_keys())) == (b"a picture", True, [key])
    store.delete(key)
    assert not store.has(key)


def test_many_threads_putting_the_same_bytes_leave_one_file(tmp_path: Path) -> None:
    store = FileSystemStore(str(tmp_path))
    threads = [threading.Thread(target=store.put, args=(b"same",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_a_store_that_cannot_write_says_which(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(StorageUnavailable, match="file"):
        FileSystemStore(str(blocked)).put(b"data")


def test_an_unknown_kind_of_store_is_refused_when_it_is_opened() -> None:
    with pytest.raises(StorageUnavailable, match="nowhere"):
        FileSystemStore("nowhere://bucket")


def test_the_default_store_lies_under_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store(Settings(data_dir=Path("kept")))
    os.chdir("/")
    key = store.put(b"data")
    assert (tmp_path / "kept" / "images" / key[:2] / key).read_bytes() == b"data"


@pytest.mark.parametrize("damage", [b"", b"another picture"])
def test_a_damaged_file_is_told_when_it_is_read_and_repaired_by_the_next_write(
    tmp_path: Path, damage: bytes
) -> None:
    store = FileSystemStore(str(tmp_path))
    key = store.put(b"the picture")
    (tmp_path / key[:2] / key).write_bytes(damage)
    with pytest.raises(StorageUnavailable, match="send the product's picture again"):
        store.get(key)
    assert store.put(b"the picture") == key
    assert store.get(key) == b"the picture"
