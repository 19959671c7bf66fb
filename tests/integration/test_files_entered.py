"""How many of our own files one request enters: a newcomer has to open no more to follow it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from ingest.sources import open_source
from ingest.tasks.bulk_ingest import run
from service import create_app
from tests.fakes import FakeEmbedder
from tests.support.files_entered import empty_caches, files_entered
from vitrine.fields import Mapping
from vitrine.settings import Settings
from vitrine.wiring import Vitrine

MAPPING = {
    "product": {"id": "id", "title": "title", "image": "image", "price": "price", "color": "color"}
}
BY_VECTOR, BY_WORDS = 48, 86
ONE_ROW, WITH_LEARNING = 77, 111
"""Own files at most; a change that needs more of them says why here.

Facets count spellings that filters hold for equal as one value, which takes two files, and a page
is read in one transaction, which takes one, and queries whose texts were embedded together wait for
each other before a scan, which takes one. Words that are understood, ranked and fused with
vectors take 38 files more than vectors alone; four of them tell a known word, the word that names
the thing, how the catalogue writes words, and values by name ("not size 38"), which stood in files
with other things before, and the planner names the plan by which the segments were searched.
Parsing, operators and parameters of filters, phrases, numbers, measures, doubtful prices and
exclusions of the grammar, log-odds, and the answers of the embedded index have a file each instead
of a part of one with up to 400 lines. So have the locks of jobs in SQLite, the preparation of
pictures, and how a mapping differs from the live version's, on the way of a row. What becomes of a
row stands in a file of its own, which another process can run, and a file chooses which one does.
An ingest that has committed its rows goes on to learn from the catalogue what reads queries; its
language takes off the ends of plurals, and what a title says behind "for", in a file of its own,
and a file apart from the grammar reads those of its languages. Caches are empty when a test begins,
so that terms are numbered, by a file of its own, whichever tests came before.
"""
LEARNING = "vitrine/learning.py"


@pytest.fixture
def vitrine(tmp_path: Path) -> Vitrine:
    empty_caches()
    embedder = FakeEmbedder()
    return Vitrine(Settings(data_dir=tmp_path / "data"), embedder=lambda _: embedder)


def catalogue(folder: Path, count: int) -> Path:
    rows = ["id,title,image,price,color"]
    for number in range(count):
        color = ("red", "blue", "green")[number % 3]
        Image.new("RGB", (40, 40 + number), color).save(folder / f"{number}.png")
        rows.append(f"p{number},{color} mug,{number}.png,{number + 5},{color}")
    path = folder / "shop.csv"
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


@pytest.mark.parametrize(("ranking", "most"), [("vector", BY_VECTOR), ("auto", BY_WORDS)])
def test_a_text_query_with_filters_and_facets_enters_few_files(
    vitrine: Vitrine, tmp_path: Path, ranking: str, most: int
):
    source = open_source(str(catalogue(tmp_path, 30)), vitrine.settings)
    run(vitrine, source, Mapping.from_dict(MAPPING))
    client = create_app(vitrine).test_client()
    address = f"/v1/search?color=red&price_max=20&facets=color,price&ranking={ranking}&q="
    assert client.get(address + "warm").status_code == 200
    with files_entered() as entered:
        assert client.get(address + "mug").get_json()["hits"]
    print(entered)
    assert len(entered.files) <= most, str(entered)


def test_a_row_of_a_csv_file_enters_few_files_on_its_way_to_a_committed_vector(
    vitrine: Vitrine, tmp_path: Path
):
    mapping = Mapping.from_dict(MAPPING)
    run(vitrine, open_source(str(catalogue(tmp_path, 1)), vitrine.settings), mapping)
    path = catalogue(tmp_path, 2)
    with files_entered() as entered:
        assert run(vitrine, open_source(str(path), vitrine.settings), mapping).embedded == 1
    print(entered)
    files = list(entered.files)
    assert files.index(LEARNING) <= ONE_ROW, str(entered)
    assert len(files) <= WITH_LEARNING, str(entered)
