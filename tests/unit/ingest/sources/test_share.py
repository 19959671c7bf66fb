"""Sources whose rows nobody can count say how much of their bytes they have read."""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from ingest.sources import open_source
from vitrine.settings import Settings

ROWS = 3000


def xml(path: Path) -> None:
    path.write_text("<f>" + "".join(_item(number) for number in range(ROWS)) + "</f>")


def packed_xml(path: Path) -> None:
    data = "<f>" + "".join(_item(number) for number in range(20 * ROWS)) + "</f>"
    path.write_bytes(gzip.compress(data.encode(), mtime=0))


def _item(number: int) -> str:
    return f"<item><id>{number}</id><title>{f'thing {number * 7919}' * 5}</title></item>"


def json_document(path: Path) -> None:
    items = [{"id": number, "title": f"thing {number}" * 5} for number in range(ROWS)]
    path.write_text(json.dumps({"products": items}))


def workbook(path: Path) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(["id", "title"])
    for number in range(5 * ROWS):
        sheet.append([number, f"thing {number * 7919 % 100_003}"])
    book.save(path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("feed.xml", xml),
        ("feed.xml.gz", packed_xml),
        ("feed.json", json_document),
        ("feed.xlsx", workbook),
    ],
)
def test_the_share_that_is_read_grows_from_nothing_to_all(
    tmp_path: Path, name: str, write: Callable[[Path], None]
) -> None:
    write(tmp_path / name)
    source = open_source(str(tmp_path / name), Settings(data_dir=tmp_path))
    assert source.count() is None
    shares = [source.share() for _ in source.rows()]
    assert all(before <= after for before, after in itertools.pairwise(shares))
    assert 0 < shares[0] < 0.9
    assert shares[-1] > 0.9


def test_of_several_files_those_that_are_read_count_whole(tmp_path: Path) -> None:
    for name in ("a.xml", "b.xml", "c.xml"):
        xml(tmp_path / name)
    source = open_source(str(tmp_path / "*.xml"), Settings(data_dir=tmp_path))
    shares = [source.share() for _ in source.rows()]
    assert shares[ROWS - 1] == pytest.approx(1 / 3)
    assert shares[-1] == pytest.approx(1)


def test_rows_that_are_counted_need_no_share(tmp_path: Path) -> None:
    (tmp_path / "feed.csv").write_text("id,title\n1,a\n")
    source = open_source(str(tmp_path / "feed.csv"), Settings(data_dir=tmp_path))
    assert (source.count(), source.share()) == (1, None)
