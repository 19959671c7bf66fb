"""Vitrine as a library, as the README shows it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

import vitrine
from tests.fakes import FakeEmbedder
from vitrine.errors import InvalidMapping, InvalidSettings, NotFound
from vitrine.library import Shop
from vitrine.settings import Settings
from vitrine.wiring import Vitrine

README = Path(__file__).parents[2] / "README.md"


def mug(color: str, path: Path) -> None:
    image = Image.new("RGB", (224, 224), "white")
    pencil = ImageDraw.Draw(image)
    pencil.rounded_rectangle((50, 60, 150, 180), 12, fill=color)
    pencil.arc((130, 80, 190, 150), -90, 90, fill=color, width=14)
    image.save(path)


def test_the_lines_of_the_readme_work_as_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VITRINE_RUNTIME", "torch")  # no export of the model for three texts
    mug("#c81e1e", tmp_path / "red-mug.jpg")
    mug("#1e3cc8", tmp_path / "blue-mug.jpg")
    block = re.search(r"```python\n(import vitrine\n.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert block is not None
    exec(block.group(1), {})
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 1  # the blue one is not close
    assert printed[0].startswith("Red mug 9.9 ")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.chdir(tmp_path)
    for color in ("red", "blue"):
        Image.new("RGB", (32, 32), color).save(tmp_path / f"{color}.png")
    shop = Shop(Settings(data_dir=tmp_path / "data"))
    embedder = FakeEmbedder()
    shop.vitrine = Vitrine(shop.vitrine.settings, embedder=lambda _: embedder)
    return shop


ROWS: list[dict[str, Any]] = [
    {"id": "r", "title": "Red", "image": "red.png", "price": 10},
    {"id": "b", "title": "Blue", "image": "blue.png", "price": 30, "brand": "Acme"},
]


def test_a_shop_ingests_searches_shows_and_deletes(shop: Shop):
    assert shop.ingest(ROWS).done == 2
    assert [hit.product.id for hit in shop.search("red").hits] == ["r"]
    assert [hit.product.id for hit in shop.search("red", cutoff="off").hits] == ["r", "b"]
    assert [hit.product.id for hit in shop.search("blue", filter={"price": {"gt": 20}}).hits] == [
        "b"
    ]
    assert [hit.product.id for hit in shop.search(sort="-price").hits] == ["b", "r"]
    assert [hit.product.id for hit in shop.similar("r").hits] == ["b"]
    assert shop.product("b").brand == "Acme"
    assert shop.delete(["b"]) == 1
    with pytest.raises(NotFound):
        shop.product("b")


def test_a_second_ingest_embeds_only_what_is_new(shop: Shop):
    shop.ingest(ROWS)
    summary = shop.ingest([ROWS[0], {**ROWS[1], "price": 31}])
    assert (summary.embedded, summary.failed) == (0, 0)
    assert shop.product("b").price == 31


def test_rows_with_fields_of_their_own_need_a_mapping_and_are_told_so(shop: Shop):
    rows = [{**ROWS[0], "size": "L"}]
    with pytest.raises(InvalidMapping, match="'size'"):
        shop.ingest(rows)
    mapping = {
        "product": {name: name for name in ROWS[0]},
        "fields": {"size": {"from": "size", "type": "keyword"}},
    }
    assert shop.ingest(rows, mapping=mapping).done == 1
    assert shop.search(filter={"size": "L"}).total == 1


def test_a_page_is_followed_by_the_next(shop: Shop):
    shop.ingest(ROWS)
    first = shop.search("red", limit=1, cutoff="off")
    second = shop.search("red", limit=1, cutoff="off", cursor=first.next_cursor)
    assert [p.hits[0].product.id for p in (first, second)] == ["r", "b"]
    assert second.next_cursor is None


def test_a_setting_that_is_wrong_is_named(tmp_path: Path):
    with pytest.raises(InvalidSettings, match="VITRINE_BACKEND"):
        vitrine.open(tmp_path, backend="chroma")


def test_an_export_in_a_file_needs_no_mapping(shop: Shop, tmp_path: Path):
    export = tmp_path / "products_export.csv"
    export.write_text(
        "Handle,Title,Vendor,Variant Price,Variant SKU,Image Src,Status,Published\n"
        "red,Red,Acme,49.90,R-1,red.png,active,true\n"
        "blue,Blue,Acme,9.90,B-1,blue.png,draft,true\n"
    )
    summary = shop.ingest(export)
    assert (summary.done, sum(summary.left_out.values()), summary.failed) == (1, 1, 0)
    assert shop.product("R-1").price == 49.9
    unknown = tmp_path / "unknown.csv"
    unknown.write_text("a,b\n1,2\n")
    with pytest.raises(InvalidMapping, match="vitrine map"):
        shop.ingest(unknown)
