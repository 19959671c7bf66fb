"""Where a row's picture may come from."""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ingest.pictures import picture_of
from ingest.pictures.lists import listed_values
from tests.unit.ingest.catalogue import picture
from vitrine.errors import InvalidImage
from vitrine.settings import Settings

DATA = picture()
TEXT = base64.b64encode(DATA).decode()
SETTINGS = Settings()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a b.png").write_bytes(DATA)
    return tmp_path


@pytest.mark.parametrize(
    "value",
    [
        DATA,
        bytearray(DATA),
        {"bytes": DATA, "path": "ignored.png"},
        {"bytes": None, "path": "a b.png"},
        {"base64": TEXT},
        f"data:image/png;base64,{TEXT}",
        "a b.png",
        " ./a b.png ",
        ["", "a b.png", "second.png"],
    ],
)
def test_a_picture_is_read_however_it_is_given(folder: Path, value: Any) -> None:
    assert picture_of(value, folder).read(SETTINGS) == DATA


def test_absolute_paths_and_file_urls_are_read(folder: Path, tmp_path: Path) -> None:
    path = folder / "a b.png"
    assert picture_of(str(path), folder).read(SETTINGS) == DATA
    wider = Settings(catalogue_root=str(tmp_path))
    assert picture_of(str(path), tmp_path / "elsewhere").read(wider) == DATA
    assert picture_of(path.as_uri(), tmp_path / "elsewhere").read(wider) == DATA


def test_no_path_leads_out_of_the_catalogues_folder(tmp_path: Path) -> None:
    folder = tmp_path / "catalogue"
    folder.mkdir()
    private = tmp_path / "outside" / "private.png"
    private.parent.mkdir()
    private.write_bytes(DATA)
    (folder / "link.png").symlink_to(private)
    (folder / "inner").symlink_to(private.parent)
    for name in (
        str(private),
        private.as_uri(),
        os.path.relpath(private, folder),
        "link.png",
        "inner/private.png",
    ):
        with pytest.raises(InvalidImage) as caught:
            picture_of(name, folder).read(SETTINGS)
        assert (name, caught.value.reason) == (name, "forbidden_path")
        assert picture_of(name, folder).read(Settings(catalogue_root=str(tmp_path))) == DATA


@pytest.mark.parametrize(
    ("cell", "named"),
    [
        ("http://x/a.jpg http://x/b c.jpg", ["http://x/a.jpg", "http://x/b c.jpg"]),
        ("http://x/a.jpg\nhttps://x/b.jpg", ["http://x/a.jpg", "https://x/b.jpg"]),
        ('"http://x/a,1.jpg"', ["http://x/a,1.jpg"]),
        ("http://x/a.jpg?u=http://y/b", ["http://x/a.jpg?u=http://y/b"]),
        ("a.jpg; b.png", ["a.jpg", "b.png"]),
    ],
)
def test_a_cell_of_several_pictures_is_taken_apart(cell: str, named: list[str]) -> None:
    assert list(listed_values([cell], None)) == named


def test_an_image_object_is_kept_without_loss() -> None:
    opened = Image.open(io.BytesIO(DATA))
    again = Image.open(io.BytesIO(picture_of(opened, None).read(SETTINGS)))
    assert again.tobytes() == opened.convert("RGB").tobytes()


@pytest.mark.parametrize("url", ["https://example.com/a.png", "HTTP://example.com/a.png"])
def test_an_address_is_fetched_later(url: str) -> None:
    assert picture_of(url, None).url == picture_of({"url": url}, None).url == url


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "missing"),
        ("", "missing"),
        ([], "missing"),
        ({}, "missing"),
        ("none.png", "missing"),
        (".", "missing"),
        ("a\x00b", "missing"),
        ("x" * 5000, "missing"),
        (7, "not_an_image"),
        ({"base64": "no base64 !"}, "not_an_image"),
        ("data:image/png;base64,%%%", "not_an_image"),
    ],
)
def test_what_is_no_picture_is_told(folder: Path, value: Any, reason: str) -> None:
    with pytest.raises(InvalidImage) as caught:
        picture_of(value, folder).read(SETTINGS)
    assert caught.value.reason == reason


def test_an_element_without_content_is_no_picture_and_its_attributes_are_not_blamed() -> None:
    with pytest.raises(InvalidImage, match="the product has no picture"):
        picture_of({"@namespaces": "{}"}, None)


@pytest.mark.parametrize(
    "value", ["a b.png", "/etc/hostname", "file:///etc/hostname", {"path": "a b.png"}]
)
def test_a_source_from_elsewhere_may_not_name_files_of_this_machine(value: Any) -> None:
    with pytest.raises(InvalidImage, match="may name only bytes"):
        picture_of(value, None)


def test_a_file_over_the_limit_is_not_read(folder: Path) -> None:
    with (folder / "big.png").open("wb") as file:
        file.truncate(50_000_000)
    with pytest.raises(InvalidImage, match=r"50\.0 MB; the limit is 20 MB") as caught:
        picture_of("big.png", folder).read(SETTINGS)
    assert caught.value.reason == "too_many_bytes"


def test_what_is_no_regular_file_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe.png")
    with pytest.raises(InvalidImage, match="is not a file"):
        picture_of("pipe.png", folder).read(SETTINGS)
