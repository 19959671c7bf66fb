"""Thumbnails are made once and named by what they show."""

from __future__ import annotations

import errno
import io
from pathlib import Path

import pytest
from PIL import Image

from tests.checkpoints import photo
from vitrine.errors import InvalidImage, NotFound
from vitrine.images.decode import ImageLimits, decode
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


def written(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


ODD = {
    "a GIF with a comment longer than a JPEG can hold": written(
        Image.new("P", (50, 40)), "GIF", comment=b"x" * 70_000
    ),
    "a WebP with as long Exif and XMP": written(
        Image.new("RGB", (50, 40)), "WEBP", xmp=b"x" * 70_000, exif=b"Exif\0\0" + b"x" * 70_000
    ),
    "a line": written(Image.new("RGB", (30_000, 1)), "PNG"),
    "a column": written(Image.new("L", (1, 30_000)), "PNG"),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("size", [64, 1280])
def test_every_picture_that_is_accepted_has_a_thumbnail(
    store: FileSystemStore, thumbnails: Thumbnails, name: str, size: int
) -> None:
    decode(ODD[name], ImageLimits.of(Settings()), at_least=224)  # so it is accepted
    seen = Image.open(io.BytesIO(thumbnails.get(store.put(ODD[name]), size).data))
    assert 1 <= min(seen.size) <= max(seen.size) <= size
    assert not {"comment", "exif", "xmp"} & set(seen.info)


def test_where_none_can_be_kept_thumbnails_are_shown_all_the_same(
    store: FileSystemStore,
    thumbnails: Thumbnails,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("vitrine.images.thumbnail.atomic_write", full)
    key = store.put(jpeg(photo(3, 300, 200)))
    assert Image.open(io.BytesIO(thumbnails.get(key, 160).data)).size == (160, 107)
    assert "No space left on device" in caplog.text


def test_thumbnails_in_a_folder_that_is_a_file_are_shown_all_the_same(
    store: FileSystemStore, thumbnails: Thumbnails, tmp_path: Path
) -> None:
    (tmp_path / "thumbnails").write_bytes(b"in the way")
    key = store.put(jpeg(photo(3, 300, 200)))
    assert Image.open(io.BytesIO(thumbnails.get(key, 160).data)).size == (160, 107)


def test_what_was_made_of_a_picture_is_forgotten(
    store: FileSystemStore, thumbnails: Thumbnails, tmp_path: Path
) -> None:
    keys = [store.put(jpeg(photo(seed, 300, 200))) for seed in (4, 5)]
    for key in keys:
        for size in SIZES:
            thumbnails.get(key, size)
    thumbnails.forget(keys[0])
    made = {path.stem for path in (tmp_path / "thumbnails").rglob("*.jpg")}
    assert made == {keys[1]}
