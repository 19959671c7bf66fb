"""Catalogues of every form come in as rows."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.sources import BrokenRow, Row, Source, open_source
from ingest.sources.stream import StreamSource
from vitrine.errors import InvalidInput
from vitrine.fields import Mapping
from vitrine.settings import Settings

ROWS = [
    {"id": "001", "name": "Mug", "price": "1.50"},
    {"id": "002", "name": 'Größe, "XL"\nzwei', "price": "NA"},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    return tmp_path / "shop"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


def values(source: Source) -> list[dict[str, Any]]:
    found = list(source.rows())
    assert [row.number for row in found] == list(range(len(found)))
    return [dict(row.values) for row in found if isinstance(row, Row)]


def broken(source: Source) -> dict[int, str]:
    return {row.number: row.message for row in source.rows() if isinstance(row, BrokenRow)}


def as_csv(separator: str = ",") -> str:
    quoted = '"Größe, ""XL""\nzwei"'
    return (
        separator.join(("id", "name", "price"))
        + f"\n001{separator}Mug{separator}1.50\n\n002{separator}{quoted}{separator}NA\n"
    )


@pytest.mark.parametrize(
    ("file", "data"),
    [
        ("p.csv", as_csv().encode()),
        ("p.csv", as_csv().replace("\n", "\r\n").replace('XL""\r\n', 'XL""\n').encode()),
        ("p.csv", b"\xef\xbb\xbf" + as_csv(";").encode()),
        ("p.csv", as_csv("\t").encode("utf-16")),
        ("p.csv", as_csv(";").encode("cp1252")),
        ("p.tsv", as_csv("\t").encode()),
        ("p.csv.gz", gzip.compress(as_csv().encode(), mtime=0)),
        ("p.csv.bz2", bz2.compress(as_csv().encode())),
        ("p.csv.xz", lzma.compress(as_csv().encode())),
        ("p.json.gz", gzip.compress(json.dumps(ROWS).encode(), mtime=0)),
        ("P.CSV", as_csv("|").encode()),
        ("p.jsonl", "\n".join(map(json.dumps, ROWS)).encode()),
        (
            "p.ndjson",
            b"\xef\xbb\xbf" + "\r\n".join(json.dumps(r, ensure_ascii=False) for r in ROWS).encode(),
        ),
        ("p.jsonl.gz", gzip.compress("\n".join(map(json.dumps, ROWS)).encode(), mtime=0)),
        ("p.json", json.dumps(ROWS, indent=2).encode()),
        ("p.json", b"\xef\xbb\xbf\n" + json.dumps(ROWS, ensure_ascii=False).encode()),
        ("p.json", "\n".join(map(json.dumps, ROWS)).encode()),
        ("[odd] na*me?.csv", as_csv().encode()),
    ],
)
def test_text_stays_as_written_in_every_notation(
    folder: Path, settings: Settings, file: str, data: bytes
) -> None:
    (folder / file).write_bytes(data)
    source = open_source(str(folder / file), settings)
    assert values(source) == ROWS
    assert values(source) == ROWS, "a source can be read again"
    assert set(source.columns({"id", "price"})) == {"id", "name", "price"}
    assert source.count() in (2, 3, 4, 5, None)


def test_parquet_keeps_types_and_counts_its_rows(folder: Path, settings: Settings) -> None:
    rows = [
        {"id": i, "image": {"bytes": b"x" * i, "path": None}, "tags": ["a"] * i} for i in range(50)
    ]
    pq.write_table(pa.Table.from_pylist(rows), folder / "p.parquet", row_group_size=7)
    source = open_source(str(folder / "p.parquet"), settings)
    assert values(source) == rows
    assert source.count() == 50
    assert tuple(source.columns(())) == ("id", "image", "tags")


def test_a_glob_is_read_in_order_of_name_with_numbers_throughout(
    folder: Path, settings: Settings
) -> None:
    (folder / "b.csv").write_text("id,name\n3,c\n")
    (folder / "a.jsonl").write_text('{"id": "1"}\n{"id": "2"}\n')
    (folder / "notes.txt").write_text("no catalogue")
    source = open_source(f"{folder}/[ab].*", settings)
    assert [row["id"] for row in values(source)] == ["1", "2", "3"]
    assert set(source.columns({"name"})) == {"id", "name"}
    assert all(row.base == folder for row in source.rows() if isinstance(row, Row))


def test_a_broken_line_costs_that_line_only(folder: Path, settings: Settings) -> None:
    lines = [
        b'{"id": "1"}',
        b'{"id": "2"',
        b"[3]",
        b'{"id": "\xff4"}',
        b'{"id": 5, "price": "x"}',
        b'{"id": {"a": 1}}',
        b"nan",
        b'{"id":"8"}',
    ]
    (folder / "p.jsonl").write_bytes(b"\n".join(lines))
    source = open_source(str(folder / "p.jsonl"), settings)
    assert values(source) == [{"id": "1"}, {"id": 5, "price": "x"}, {"id": {"a": 1}}, {"id": "8"}]
    assert set(broken(source)) == {1, 2, 3, 6}
    assert "p.jsonl: the line is not valid JSON" in broken(source)[1]


def test_a_csv_line_of_another_width_costs_that_line_only(folder: Path, settings: Settings) -> None:
    (folder / "p.csv").write_text("id,name\n1,a\n2,b,c\n3\n4,d\n")
    source = open_source(str(folder / "p.csv"), settings)
    assert values(source) == [
        {"id": "1", "name": "a"},
        {"id": "3", "name": ""},
        {"id": "4", "name": "d"},
    ]
    assert "has 3 values, but the header names 2 columns" in broken(source)[1]


def test_a_quotation_mark_that_never_closes_does_not_take_all_memory(
    folder: Path, settings: Settings
) -> None:
    (folder / "p.csv").write_text('id,name\n1,a\n2,"b\n' + "x,y\n" * 400_000)
    source = open_source(str(folder / "p.csv"), settings)
    assert "quotation mark" in broken(source)[1]


def test_damage_within_a_json_list_keeps_what_came_before(folder: Path, settings: Settings) -> None:
    (folder / "p.json").write_text('[{"id": "1"}, 5, {"id": "2"}, {"id": ]')
    source = open_source(str(folder / "p.json"), settings)
    assert values(source) == [{"id": "1"}, {"id": "2"}]
    assert "not a JSON object" in broken(source)[1]
    assert "not valid JSON" in broken(source)[3]


def test_columns_of_lines_are_sought_until_all_wanted_are_found(
    folder: Path, settings: Settings
) -> None:
    (folder / "p.jsonl").write_text('{"id": 1}\n' * 5000 + '{"id": 2, "rare": 3}\n')
    source = open_source(str(folder / "p.jsonl"), settings)
    assert "rare" in source.columns({"id", "rare"})
    assert "none" not in source.columns({"id", "none"})


def test_class_folders_become_the_category(folder: Path, settings: Settings) -> None:
    for name in (
        "red_dress.jpg",
        "Men/Tops/blue-tee.PNG",
        "Men/shoe.webp",
        "Men/notes.txt",
        ".hidden/x.jpg",
        "train/hat.jpg",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    source = open_source(str(folder), settings)
    assert [(r["path"], r["name"], r["category"]) for r in values(source)] == [
        ("red_dress.jpg", "red dress", ""),
        ("Men/shoe.webp", "shoe", "Men"),
        ("Men/Tops/blue-tee.PNG", "blue tee", "Men/Tops"),
        ("train/hat.jpg", "hat", "train"),
    ]
    assert source.count() == 4


def test_a_local_data_set_is_streamed_with_its_pictures_as_bytes(
    folder: Path, settings: Settings
) -> None:
    rows = [{"id": str(i), "image": {"bytes": b"no picture", "path": None}} for i in range(3)]
    table = pa.Table.from_pylist(rows)
    features = {
        "info": {
            "features": {"id": {"dtype": "string", "_type": "Value"}, "image": {"_type": "Image"}}
        }
    }
    table = table.replace_schema_metadata({"huggingface": json.dumps(features)})
    (folder / "data").mkdir()
    pq.write_table(table, folder / "data" / "train-00000-of-00001.parquet")
    source = open_source(str(folder), settings)
    assert values(source) == rows
    assert set(source.columns({"id"})) == {"id", "image"}


def test_standard_input_is_read_once_line_by_line() -> None:
    source = StreamSource(
        io.BytesIO(b'\xef\xbb\xbf{"id": "1"}\n\nbroken\n{"id": "3"}\n'), Path("/shop")
    )
    assert set(source.columns({"id"})) == {"id"}
    found = list(source.rows())
    assert [type(row).__name__ for row in found] == ["Row", "BrokenRow", "Row"]
    assert isinstance(found[0], Row)
    assert found[0].base == Path("/shop")


@pytest.mark.parametrize("spec", ["none.csv", "folder/none-*.parquet", "a/b/c", "what is this?"])
def test_what_does_not_exist_is_told_with_what_may_be_given(settings: Settings, spec: str) -> None:
    with pytest.raises(
        InvalidInput, match=r"there is no .* give a path or glob of \.parquet, \.csv"
    ):
        open_source(spec, settings)


def test_an_unreachable_data_set_says_so_and_what_to_do(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.sources.hf_datasets.streamed", _no_network)
    monkeypatch.setattr("ingest.sources.hub.streamed", _no_network)
    source = open_source("someone/some_products", settings)
    with pytest.raises(
        InvalidInput, match=r"cannot be had from the hub .*no route.* give its folder"
    ):
        source.columns({"id"})


def _no_network(*_: object, **__: object) -> None:
    raise ConnectionError("no route to host")


@pytest.mark.parametrize(
    ("file", "data", "words"),
    [
        ("p.csv", b"", "p.csv is empty"),
        ("p.csv", b"\n", "needs a header line"),
        ("p.csv", b"id,name,id\n1,2,3\n", "several columns named 'id'"),
        ("p.parquet", b"PAR1 not really", "cannot be read as Parquet"),
        ("p.csv.gz", b"no gzip", "cannot be read"),
        ("p.doc", b"x", "none of the formats"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(
    folder: Path, settings: Settings, file: str, data: bytes, words: str
) -> None:
    (folder / file).write_bytes(data)
    with pytest.raises(InvalidInput, match=words):
        open_source(str(folder / file), settings).columns({"id"})


def test_reading_writes_only_below_the_data_folder(
    folder: Path, settings: Settings, tmp_path: Path
) -> None:
    (folder / "p.csv").write_text("id\n1\n")
    before = sorted(p for p in tmp_path.rglob("*") if not p.is_relative_to(settings.data_dir))
    assert values(open_source(str(folder / "p.csv"), settings)) == [{"id": "1"}]
    assert (
        sorted(p for p in tmp_path.rglob("*") if not p.is_relative_to(settings.data_dir)) == before
    )


def test_a_last_line_that_is_cut_off_is_no_row(tmp_path: Path, settings: Settings) -> None:
    for name, data, whole in (
        ("cut.csv", "id,title,price\n1,Mug,5\n2,Cu", 1),
        ("cut.tsv", "id\ttitle\tprice\n1\tMug\t5\n2\tCu", 1),
        ("whole.csv", "id,title,price\n1,Mug,5\n2,Cup,6", 2),
        ("short.csv", "id,title,price\n1,Mug,5\n2,Cup\n", 2),
    ):
        (tmp_path / name).write_text(data)
        rows = list(open_source(str(tmp_path / name), settings).rows())
        assert sum(isinstance(row, Row) for row in rows) == whole, name
        assert all("cut off" in row.message for row in rows if isinstance(row, BrokenRow)), name
        assert len(rows) == 2


@pytest.mark.parametrize("price", [5.5, "5.50", ["5.50"], {"@currency": "EUR", "#text": "5.50"}])
def test_prices_of_variants_come_from_every_form_of_cell_and_beside_broken_ids(
    folder: Path, settings: Settings, price: object
) -> None:
    mapping = Mapping.from_dict(
        {
            "source": {"shown": {"kind": ["style"]}, "prices_of": "variants"},
            "product": {"id": "id", "title": "title", "images": "image", "price": "price"},
        }
    )
    named = {"title": "Tee", "image": "a.jpg"}
    rows: list[dict[str, Any]] = [
        {"id": "A", "kind": "style", "price": None, "variants": ["A1"], **named},
        {"id": "A1", "kind": "size", "price": price, "variants": [], **named},
        {"id": "A\ud800", "kind": "size", "price": price, "variants": [], **named},
    ]
    path = folder / "p.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    (style, *_) = open_source(str(path), settings, mapping).rows()
    assert isinstance(style, Row)
    assert mapping.read(style.values, 0).price == 5.5
