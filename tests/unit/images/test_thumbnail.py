"""Thumbnails are made once and named by what they show."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from tests.checkpoints import photo
from vitrine.errors import InvalidImage, NotFound
from vitrine.images.store import FileSystemStore
from vitrine.images.thumbnail import SIZES, Thumbnails
from vitrine.settings import Settings


def jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=95)
    return out.getvalue()


@pytest.fixture
def store(tmp_path: Path) -> FileSystemStore:
    return FileSystemStore(str(tmp_path / "images"))


@pytest.fixture
def thumbnails(store: FileSystemStore, tmp_path: Path) -> Thumbnails:
    return Thumbnails.of(store, Settings(data_dir=tmp_path))


def test_a_thumbnail_fits_its_square_and_keeps_the_shape(
    store: FileSystemStore, thumbnails: Thumbnails
) -> None:
    key = store.put(jpeg(photo(1, 800, 500)))
    seen = Image.open(io.BytesIO(thumbnails.get(key, 300).data))
    assert seen.size == (320, 200)


def test_a_small_picture_is_not_enlarged(store: FileSystemStore, thumbnails: Thumbnails) -> None:
    key = store.put(jpeg(photo(1, 50, 40)))
    assert Image.open(io.BytesIO(thumbnails.get(key, 320).data)).size == (50, 40)


def test_the_second_look_reads_what_the_first_made(
    store: FileSystemStore, thumbnails: Thumbnails, tmp_path: Path
) -> None:
    key = store.put(jpeg(photo(2, 400, 400)))
    first = thumbnails.get(key, 160)
    (made,) = (tmp_path / "thumbnails").rglob("*.jpg")
    made.write_bytes(b"as kept")
    assert thumbnails.get(key, 160).data == b"as kept"
    assert thumbnails.get(key, 160).etag == first.etag == Thumbnails.etag(key, 160)


def test_tags_differ_by_picture_and_size_but_not_within_a_step() -> None:
    assert Thumbnails.etag("a" * 64, 320) == Thumbnails.etag("a" * 64, 300)
    assert Thumbnails.etag("a" * 64, 320) != Thumbnails.etag("a" * 64, 321)
    assert Thumbnails.etag("a" * 64, 320) != Thumbnails.etag("b" * 64, 320)
    assert Thumbnails.etag("a" * 64, 10**9) == Thumbnails.etag("a" * 64, SIZES[-1])


def test_missing_and_broken_pictures_say_what_they_are(
    store: FileSystemStore, thumbnails: Thumbnails
) -> None:
    with pytest.raises(NotFound):
        thumbnails.get("0" * 64, 320)
    with pytest.raises(InvalidImage):
        thumbnails.get(store.put(b"no picture"), 320)
