"""XML feeds, spreadsheets, archives and nested JSON come in as rows, and bombs do not."""

from __future__ import annotations

import datetime
import errno
import gc
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ingest.catalogue import MappingChoice, choose_mapping
from ingest.sources import BrokenRow, LeftOutRow, Row, Source, open_source
from ingest.sources.spreadsheet import StringTable
from vitrine.errors import InvalidInput, SourceUnavailable, StorageUnavailable
from vitrine.fields import Mapping
from vitrine.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


def written(tmp_path: Path, name: str, data: bytes | str) -> str:
    path = tmp_path / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return str(path)


def values(source: Source) -> list[dict[str, Any]]:
    return [dict(row.values) for row in source.rows() if isinstance(row, Row)]


def mapping(**source: Any) -> Mapping:
    product = {"id": "id", "title": "title", "images": "image"}
    return Mapping.from_dict({"product": product, "source": {"optional": True, **source}})


RSS = """<?xml version="1.0" encoding="windows-1251"?>
<rss xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title>
<item><g:id>1</g:id><title>Платье &amp; пояс</title><g:price>5 EUR</g:price>
  <g:shipping><g:country>DE</g:country></g:shipping></item>
<item><g:id>2</g:id><title><![CDATA[<b>Mug</b>]]></title><g:color>a</g:color><g:color>b</g:color></item>
</channel></rss>"""


def test_an_xml_feed_is_read_in_its_own_encoding(tmp_path: Path, settings: Settings) -> None:
    source = open_source(written(tmp_path, "feed.xml", RSS.encode("cp1251")), settings)
    assert values(source) == [
        {
            "g:id": "1",
            "title": "Платье & пояс",
            "g:price": "5 EUR",
            "g:shipping": {"g:country": "DE"},
        },
        {"g:id": "2", "title": "<b>Mug</b>", "g:color": ["a", "b"]},
    ]
    assert [row.place for row in source.rows()] == ["<item> 1", "<item> 2"]
    assert source.notes() == ("feed.xml: the rows are the elements <item>",)


def test_attributes_and_unknown_row_elements_are_read(tmp_path: Path, settings: Settings) -> None:
    text = '<list><thing nr="7"><n a="b">x</n><m/></thing><thing nr="8"><n>y</n><m/></thing></list>'
    source = open_source(written(tmp_path, "odd.xml", text), settings)
    assert values(source) == [
        {"@nr": "7", "n": {"@a": "b", "#text": "x"}, "m": ""},
        {"@nr": "8", "n": "y", "m": ""},
    ]


def test_an_xml_feed_that_breaks_off_keeps_what_came_before(
    tmp_path: Path, settings: Settings
) -> None:
    source = open_source(written(tmp_path, "f.xml", RSS[: RSS.index("</channel>")]), settings)
    rows = list(source.rows())
    assert [type(row) for row in rows] == [Row, Row, BrokenRow] or isinstance(rows[-1], BrokenRow)
    assert "not valid XML" in rows[-1].message


BOMB = """<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><r><item><x>&c;</x><y/></item></r>"""
EXTERNAL = """<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/hostname">]>
<r><item><x>&a;</x><y/></item></r>"""


@pytest.mark.parametrize("text", [BOMB, EXTERNAL])
def test_entities_that_a_feed_declares_are_refused(
    tmp_path: Path, settings: Settings, text: str
) -> None:
    with pytest.raises(InvalidInput, match="declares entities of its own"):
        open_source(written(tmp_path, "f.xml", text), settings).columns(())


def test_a_document_type_alone_is_no_reason_to_refuse(tmp_path: Path, settings: Settings) -> None:
    text = (
        '<!DOCTYPE yml_catalog SYSTEM "shops.dtd"><yml_catalog><shop><offers>'
        '<offer id="1"><name>A</name><price>2</price></offer></offers></shop></yml_catalog>'
    )
    source = open_source(written(tmp_path, "f.xml", text), settings)
    assert values(source) == [{"@id": "1", "name": "A", "price": "2"}]


def workbook(rows: list[list[Any]], sheet: str = "Products") -> bytes:
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    book.create_sheet("Notes").append(["nothing"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_spreadsheet_is_read_with_its_types(tmp_path: Path, settings: Settings) -> None:
    data = workbook(
        [
            ["Our list"],
            ["id", "title", "price", "new", "since", None],
            ["001", "Größe", 19.99, True, datetime.datetime(2026, 1, 31)],
            [],
            [2, "Mug <b>", 5, False, None],
        ]
    )
    path = written(tmp_path, "p.xlsx", data)
    source = open_source(path, settings)
    assert set(source.columns(())) == {"id", "title", "price", "new", "since"}
    assert values(source) == [
        {
            "id": "001",
            "title": "Größe",
            "price": 19.99,
            "new": True,
            "since": "2026-01-31T00:00:00",
        },
        {"id": 2, "title": "Mug <b>", "price": 5, "new": False, "since": None},
    ]
    assert [row.place for row in source.rows()] == ["row 3", "row 5"]
    assert "taken from row 2" in source.notes()[0]
    with pytest.raises(InvalidInput, match=r"no sheet 'Prices'; it has 'Products', 'Notes'"):
        open_source(path, settings, mapping(sheet="Prices")).columns(())


def test_a_spreadsheet_that_is_damaged_keeps_what_came_before(
    tmp_path: Path, settings: Settings
) -> None:
    book = io.BytesIO(workbook([["id", "title"], ["1", "Mug"], ["2", "Cup"]]))
    out = io.BytesIO()
    with zipfile.ZipFile(book) as whole, zipfile.ZipFile(out, "w") as damaged:
        for name in whole.namelist():
            data = whole.read(name)
            if name == "xl/worksheets/sheet1.xml":
                data = data[: data.index(b"Cup")]
            damaged.writestr(name, data)
    source = open_source(written(tmp_path, "p.xlsx", out.getvalue()), settings)
    assert values(source) == [{"id": "1", "title": "Mug"}]
    (broken,) = [row for row in source.rows() if isinstance(row, BrokenRow)]
    assert broken.place == "row 3"
    assert "damaged from here on" in broken.message


def test_the_texts_of_a_workbook_are_read_as_far_as_they_are_asked_for(tmp_path: Path) -> None:
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    items = "<si><t>Größe</t></si><si><r><t>b</t></r><r><t>c</t></r></si><si><t/></si>"
    source = io.BytesIO(f'<sst xmlns="{space}">{items}</sst>'.encode())
    with (tmp_path / "strings").open("w+b") as file:
        table = StringTable(source, file)
        assert table[1] == "bc"
        assert len(table) == 2
        assert [table[0], table[2], table[1]] == ["Größe", "", "bc"]
        with pytest.raises(IndexError, match="has 3 texts"):
            table[3]


def test_what_is_no_spreadsheet_is_told(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        open_source(written(tmp_path, "p.xlsx", b"not one"), settings).columns(())


def archive(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in files.items():
            packed.writestr(name.replace("__", "/").replace("_", "."), data)
    return out.getvalue()


def test_an_archive_is_read_with_the_pictures_beside_its_catalogue(
    tmp_path: Path, settings: Settings
) -> None:
    data = archive(shop__p_csv=b"id,image\n1,img/a.png\n", shop__img__a_png=b"x", readme_md=b"#")
    source = open_source(written(tmp_path, "export.zip", data), settings)
    (row,) = source.rows()
    assert isinstance(row, Row)
    assert row.values == {"id": "1", "image": "img/a.png"}
    assert row.base is not None
    assert (row.base / "img/a.png").read_bytes() == b"x"
    assert source.name.endswith("export.zip")


def test_nothing_is_unpacked_outside_its_folder(tmp_path: Path, settings: Settings) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("../../evil.csv", "id\n1\n")
    source = open_source(written(tmp_path, "export.zip", out.getvalue()), settings)
    assert values(source) == [{"id": "1"}]
    assert not list(tmp_path.parent.glob("evil.csv"))


def test_a_zip_bomb_is_refused(tmp_path: Path, settings: Settings) -> None:
    data = archive(p_csv=b"0" * 150_000_000)
    with pytest.raises(InvalidInput, match="would unpack to 150 MB"):
        open_source(written(tmp_path, "export.zip", data), settings)


def test_what_is_unpacked_goes_with_its_reader_and_of_a_killed_one_with_the_next(
    tmp_path: Path, settings: Settings
) -> None:
    left = settings.data_dir / "sources" / "unpacked-by-one-that-was-killed"
    left.mkdir(parents=True)
    path = written(tmp_path, "export.zip", archive(p_csv=b"id\n1\n"))
    source = open_source(path, settings)
    (kept,) = left.parent.iterdir()
    other = open_source(path, settings)
    assert kept.is_dir()
    assert values(source) == values(other) == [{"id": "1"}]
    del source, other
    gc.collect()
    assert list(left.parent.iterdir()) == []


def test_a_full_disk_is_not_the_archive_s_fault_and_keeps_nothing_of_it(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
        (folder / "half.csv").write_bytes(b"id")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "extract", refuse)
    with pytest.raises(StorageUnavailable, match=r"sources/unpacked-.*No space left"):
        open_source(written(tmp_path, "export.zip", archive(p_csv=b"id\n1\n")), settings)
    assert list((settings.data_dir / "sources").iterdir()) == []


@pytest.mark.parametrize(
    ("document", "ids"),
    [
        ({"products": [{"id": 1, "variants": [{"id": 5}]}]}, [1]),
        ({"meta": {"page": 1}, "data": {"items": [{"id": 2}]}}, [2]),
        ({"@graph": [{"id": 3}]}, [3]),
        ({"@type": "ItemList", "itemListElement": [{"item": {"id": 4}}]}, [4]),
        ({"@type": "Product", "id": 6, "image": [{"url": "x"}]}, [6]),
        ({"goods": [{"id": 7}, {"id": 8}]}, [7, 8]),
        ({"data": {"shop": {"edges": [{"node": {"id": 1, "a": {"edges": []}}}]}}}, [1]),
        ({"data": {"shop": {"nodes": [{"id": 2, "images": [{"src": "x"}]}]}}}, [2]),
        ({"A.1": {"t": "x", "i": [{"src": "x"}]}, "B": {"t": "y", "i": []}}, ["A.1", "B"]),
        ({"page": {"n": 1}, "products": {"A": {"id": 3, "t": 0}, "B": {"t": 0, "id": 4}}}, [3, 4]),
        ({"id": 9}, [9]),
    ],
)
@pytest.mark.parametrize("indent", [None, 1])
def test_rows_are_found_in_a_json_document(
    tmp_path: Path, settings: Settings, document: object, ids: list[Any], indent: int | None
) -> None:
    path = written(tmp_path, "p.json", json.dumps(document, indent=indent))
    if ids == [9] and indent:
        with pytest.raises(InvalidInput, match="holds no list of JSON objects"):
            open_source(path, settings).columns(())
        return
    assert [row["id"] for row in values(open_source(path, settings))] == ids


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("name", ["p.json", "p.txt"])
def test_a_json_document_may_be_of_any_unicode(
    tmp_path: Path, settings: Settings, encoding: str, name: str
) -> None:
    document = [{"id": n, "title": "Größe 赤 😀"} for n in range(3000)]
    path = written(tmp_path, name, json.dumps(document, ensure_ascii=False).encode(encoding))
    assert values(open_source(path, settings)) == document


def test_a_feed_that_breaks_before_its_first_row_says_where(
    tmp_path: Path, settings: Settings
) -> None:
    path = written(tmp_path, "p.xml", "<shop><item><title>A & B</title></item></shop>")
    with pytest.raises(InvalidInput, match=r"not valid XML: .* line 1, column 22"):
        open_source(path, settings).columns(())


def test_a_mapping_says_where_the_rows_are_and_what_makes_one(
    tmp_path: Path, settings: Settings
) -> None:
    document = {
        "shop": {"goods": [{"title": "A", "variants": [{"sku": 1}, {"sku": 2}]}, {"title": "B"}]}
    }
    path = written(tmp_path, "p.json", json.dumps(document))
    source = open_source(path, settings, mapping(items="shop.goods[]", expand="variants"))
    assert values(source) == [
        {"title": "A", "variants": {"sku": 1}},
        {"title": "A", "variants": {"sku": 2}},
        {"title": "B"},
    ]
    assert [row.place for row in source.rows()] == [
        "entry 1, variants 1",
        "entry 1, variants 2",
        "entry 2",
    ]


def test_rows_of_a_group_take_its_first_values_wherever_they_stand(
    tmp_path: Path, settings: Settings
) -> None:
    text = "id,title,image,handle\n1,A,a.png,x\n2,B,b.png,y\n3,,,x\n,,c.png,x\n4,,d.png,y\n"
    table = mapping(rows="variants", group_by="handle")
    rows = list(open_source(written(tmp_path, "p.csv", text), settings, table).rows())
    taken = [row.values for row in rows if isinstance(row, Row)]
    assert [(v["id"], v["title"], v["image"]) for v in taken] == [
        ("1", "A", "a.png"),
        ("2", "B", "b.png"),
        ("3", "A", "a.png"),
        ("4", "B", "d.png"),
    ]
    assert [row.reason for row in rows if isinstance(row, LeftOutRow)] == [
        "a further picture of its product"
    ]


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ({"on": "1"}, ["1"]),
        ({"on": ["1", ""]}, ["1", "3"]),
        ({"on": [True, "YES"]}, ["2"]),
        ({"on": "1", "title": "b"}, []),
    ],
)
def test_rows_that_a_mapping_does_not_want_are_left_out(
    tmp_path: Path, settings: Settings, where: dict[str, Any], ids: list[str]
) -> None:
    path = written(tmp_path, "p.csv", "id,title,on\n1,a,1\n2,b,Yes\n3,c,\n")
    source = open_source(path, settings, mapping(where=where))
    assert [row["id"] for row in values(source)] == ids
    assert len(list(source.rows())) == 3


def test_the_mapping_says_how_a_file_is_read(tmp_path: Path, settings: Settings) -> None:
    path = written(tmp_path, "p.dat", 'remark\nid#title\n1#"Größe\n'.encode("cp850"))
    table = mapping(format="csv", encoding="cp850", separator="#", quote="none", skip_lines=1)
    assert values(open_source(path, settings, table)) == [{"id": "1", "title": '"Größe'}]


@pytest.mark.parametrize(
    ("text", "encoding", "note"),
    [
        ("id,title\n1,Größe\n" * 3, "utf-8", None),
        ("id,title\n1,Größe\n" * 3, "utf-16", None),
        ("id,title\n1,Größe\n" * 3, "utf-16-le", "UTF-16-LE, which is a guess"),
        ("id,title\n1,Größe\n" * 3, "utf-32", None),
        ("id,title\n1,Größe\n" * 3, "utf-32-be", "UTF-32-BE, which is a guess"),
        ("id,title\n1,Größe für Männer\n", "mac_roman", "Mac Roman, which is a guess"),
        ("id,title\n1,Théière émaillée\n", "mac_roman", "Mac Roman, which is a guess"),
        ("id,title\n1,Größe und Maß\n" * 3, "cp1252", "Windows-1252, which is a guess"),
        ("id,title\n1,赤いドレスと青い靴\n" * 3, "cp932", "cp932, which is a guess"),
        ("id,title\n1,红色连衣裙和蓝色鞋子\n" * 3, "gb18030", "gb18030, which is a guess"),
    ],
)
def test_an_encoding_is_found_and_a_guess_is_announced(
    tmp_path: Path, settings: Settings, text: str, encoding: str, note: str | None
) -> None:
    source = open_source(written(tmp_path, "p.csv", text.encode(encoding)), settings)
    assert values(source)[0]["title"] == text.splitlines()[1].partition(",")[2]
    assert source.notes() == () if note is None else note in source.notes()[0]


@pytest.mark.parametrize(
    "title", ["Export of 2025-01-01;;;\n;;;", "Export of 2025-01-01\n", "All products"]
)
def test_a_title_above_the_header_and_lines_of_empty_cells_are_passed_over(
    tmp_path: Path, settings: Settings, title: str
) -> None:
    text = f"{title}\nid;title;image;price\n1;Mug;a.png;5\n;;;\n2;Cup;b.png;6\n"
    source = open_source(written(tmp_path, "p.csv", text), settings)
    assert [(row["id"], row["title"]) for row in values(source)] == [("1", "Mug"), ("2", "Cup")]
    assert not [row for row in source.rows() if isinstance(row, BrokenRow)]


def test_a_number_that_is_written_as_a_formula_keeps_its_zeros(
    tmp_path: Path, settings: Settings
) -> None:
    path = written(tmp_path, "p.csv", 'id,title\n="0046",Mug\n"=""0047""",Cup\n=1+1,Sum\n')
    assert [row["id"] for row in values(open_source(path, settings))] == ["0046", "0047", "=1+1"]


@pytest.mark.parametrize("name", ["p.csv", "p.json", "p.xml"])
def test_a_page_instead_of_a_catalogue_is_told(
    tmp_path: Path, settings: Settings, name: str
) -> None:
    path = written(tmp_path, name, "\n<!DOCTYPE html>\n<html><body>Log in</body></html>")
    with pytest.raises(InvalidInput, match="a page of HTML and not a catalogue"):
        open_source(path, settings).columns(())


@pytest.mark.parametrize("name", ["p.xls", "p.xlsx", "p.csv"])
def test_an_old_or_locked_spreadsheet_is_told(
    tmp_path: Path, settings: Settings, name: str
) -> None:
    path = written(tmp_path, name, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512))
    with pytest.raises(InvalidInput, match="old format, or one with a password"):
        open_source(path, settings).columns(())


def test_a_workbook_that_was_renamed_is_read_as_one(tmp_path: Path, settings: Settings) -> None:
    path = written(tmp_path, "p.csv", workbook([["id", "title"], ["1", "Mug"]]))
    assert values(open_source(path, settings)) == [{"id": "1", "title": "Mug"}]


@pytest.mark.parametrize(
    ("title", "cause"), [("Salt & Pepper", "written &amp;"), ("A&nbsp;B", "entities of HTML")]
)
def test_what_is_wrong_with_a_feed_is_told_with_its_usual_cause(
    tmp_path: Path, settings: Settings, title: str, cause: str
) -> None:
    path = written(
        tmp_path, "p.xml", f"<items><item><id>1</id><title>{title}</title></item></items>"
    )
    with pytest.raises(InvalidInput, match=cause):
        open_source(path, settings).columns(())


def test_standard_input_is_read_whole_after_its_mapping_was_chosen(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    title = "Becher mit Henkel und einem Deckel, nicht nur für den Kaffee"
    lines = f'{{"id": "1", "title": "{title}", "image": "a.png"}}\n{{"id": "2", "title": "Cup"}}\n'
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines.encode())))
    mapping = choose_mapping("-", settings, MappingChoice()).mapping
    assert mapping.language == "de"
    assert [row["id"] for row in values(open_source("-", settings, mapping))] == ["1", "2"]


def test_standard_input_is_refused_where_a_mapping_reads_twice(settings: Settings) -> None:
    with pytest.raises(InvalidInput, match="save it in a file"):
        open_source("-", settings, Mapping.load("magento"))


def test_the_place_of_the_rows_in_a_document_is_told_as_a_mapping_writes_it(
    tmp_path: Path, settings: Settings
) -> None:
    path = written(tmp_path, "p.json", json.dumps({"data": {"items": [{"id": 2}]}}))
    source = open_source(path, settings)
    assert [note.split("; ")[0] for note in source.notes()] == ["p.json: the rows are data.items[]"]


def test_a_quotation_mark_costs_no_other_row(tmp_path: Path, settings: Settings) -> None:
    text = 'id,title\n1,"a\nb ""c"", d"\n2,"open\n3,c\n4,"x" y\n5,5" disk\n'
    source = open_source(written(tmp_path, "p.csv", text), settings)
    assert [(row["id"], row["title"]) for row in values(source)] == [
        ("1", 'a\nb "c", d'),
        ("3", "c"),
        ("4", "x y"),
        ("5", '5" disk'),
    ]
    assert [
        (row.place, "not closed" in row.message)
        for row in source.rows()
        if isinstance(row, BrokenRow)
    ] == [("row 3", True)]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("feed.json", "[]"),
        ("feed.json", '{"products": []}'),
        ("feed.jsonl", ""),
        ("feed.xml", "<rss><channel><title>Shop</title></channel></rss>"),
        ("feed.csv", ""),
    ],
)
def test_a_feed_without_a_single_product_is_taken_for_a_bad_day(
    tmp_path: Path, settings: Settings, name: str, data: str
) -> None:
    with pytest.raises(SourceUnavailable):
        choose_mapping(written(tmp_path, name, data), settings, MappingChoice())
