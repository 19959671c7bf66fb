"""Whatever a source is, reading it apart gives what reading it here gives."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.catalogue import MappingChoice, choose_mapping
from ingest.reading.outcomes import RowOutcome, RowReading, SourceProduct, read_chunks
from ingest.reading.process import ProcessRows
from ingest.reading.rows import LocalRows, Rows, rows_of
from ingest.sources import MemorySource, Source, StreamSource, open_source
from ingest.sources.hub import HubSource
from tests.unit.ingest.catalogue import picture
from tests.unit.ingest.test_exports import EXPORTS
from vitrine.fields import Mapping
from vitrine.fields.built_in import built_in_mappings
from vitrine.products import Product
from vitrine.settings import Settings

PRODUCT = {"id": "id", "title": "name", "image": "image", "price": "price"}
MAPPING = Mapping.from_dict({"product": PRODUCT, "source": {"optional": True}})
ROWS: list[dict[str, Any]] = [
    {"id": f"p{n}", "name": f"Größe {n}", "image": f"{n % 7}.png", "price": f"{n},90 €"}
    for n in range(40)
]
ROWS[3]["price"] = "?"
ROWS[5]["name"] = ""
ROWS[6]["image"] = ""


def settings(folder: Path) -> Settings:
    return Settings(data_dir=folder / "data")


def csv(folder: Path) -> Path:
    lines = [";".join(ROWS[0]), *(";".join(row.values()) for row in ROWS), "1;2;3;4;5"]
    path = folder / "p.csv"
    path.write_text("\n".join(lines), "cp1252", "replace")
    return path


def json_lines(folder: Path) -> Path:
    lines = [json.dumps(row) for row in ROWS]
    lines[7:7] = ['{"id": ', "[3]", '{"id": "\udcff"}', '{"id": {"a": 1}}']
    path = folder / "p.jsonl"
    path.write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))
    return path


def json_document(folder: Path) -> Path:
    path = folder / "p.json"
    path.write_text(json.dumps({"answer": {"products": ROWS}})[:-20], "utf-8")
    return path


def feed(folder: Path) -> Path:
    items = "".join(
        "<item>" + "".join(f"<{name}>{text}</{name}>" for name, text in row.items()) + "</item>"
        for row in ROWS
    )
    path = folder / "p.xml"
    path.write_text(f"<rss><channel>{items}</channel></rss>", "utf-8")
    return path


def workbook(folder: Path) -> Path:
    book = openpyxl.Workbook()
    book.active.append(["our products", None])
    book.active.append(list(ROWS[0]))
    for row in ROWS:
        book.active.append(list(row.values()))
    book.save(folder / "p.xlsx")
    return folder / "p.xlsx"


def parquet(folder: Path) -> Path:
    rows = [{**row, "image": {"bytes": picture(number=n)}} for n, row in enumerate(ROWS)]
    pq.write_table(pa.Table.from_pylist(rows), folder / "p.parquet", row_group_size=7)
    return folder / "p.parquet"


def several(folder: Path) -> Path:
    csv(folder)
    json_lines(folder)
    return folder / "p.[cj]*"


def archive(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "p.zip", "w") as packed:
        packed.write(csv(folder), "shop/p.csv")
        packed.writestr("shop/1.png", picture())
    return folder / "p.zip"


def pictures(folder: Path) -> Path:
    for n in range(3):
        (folder / "shop" / f"{n}").mkdir(parents=True)
        (folder / "shop" / f"{n}" / "a.png").write_bytes(picture(number=n))
    return folder / "shop"


def never() -> bool:
    return False


def told(rows: Rows) -> tuple[list[object], tuple[str, ...]]:
    """The outcomes, as values that can be compared, and the notes."""
    outcomes = [outcome for chunk in rows.chunks(never) for outcome in chunk.outcomes]
    return [comparable(outcome) for outcome in outcomes], rows.notes()


def comparable(outcome: RowOutcome) -> object:
    if not isinstance(outcome, SourceProduct) or outcome.refusal is None:
        return outcome
    return replace(outcome, refusal=None), outcome.refusal.reason, str(outcome.refusal)


def reading(source: Source, mapping: Mapping = MAPPING) -> RowReading:
    return RowReading(source, mapping, 16, 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    "write",
    [csv, json_lines, json_document, feed, workbook, parquet, several, archive, pictures],
)
def test_every_kind_of_source_is_read_apart_as_here(
    tmp_path: Path, write: Callable[[Path], Path]
) -> None:
    spec = str(write(tmp_path))
    mapping = Mapping.load("image_folder") if write is pictures else MAPPING
    source = open_source(spec, settings(tmp_path), mapping)
    source.columns({"id", "price"})
    here = LocalRows(reading(source, mapping))
    apart = rows_of(reading(source, mapping), out_of_process=True, memory_mb=1000)
    assert isinstance(apart, ProcessRows)
    (other_outcomes, other_notes), (outcomes, notes) = told(apart), told(here)
    assert outcomes == other_outcomes
    assert notes == other_notes
    assert len(outcomes) >= (3 if write is pictures else 40)


@pytest.mark.parametrize("file", sorted(path.name for path in EXPORTS.iterdir()))
def test_every_export_survives_the_journey(tmp_path: Path, file: str) -> None:
    choice = MappingChoice(images="https://shop.example/media")
    mapping = choose_mapping(str(EXPORTS / file), settings(tmp_path), choice).mapping
    source = open_source(str(EXPORTS / file), settings(tmp_path), mapping)
    source.columns(set(mapping.columns().values()))
    list(read_chunks(reading(source, mapping)))  # what has been used travels as well
    detached = source.detached()
    assert detached is not None
    arrived = pickle.loads(pickle.dumps(reading(detached, mapping)))
    here, there = told(LocalRows(reading(source, mapping))), told(LocalRows(arrived))
    assert here == there
    assert here[0]


@pytest.mark.parametrize("name", built_in_mappings())
def test_a_mapping_travels_without_what_reading_made_of_it(name: str) -> None:
    mapping = Mapping.load(name)
    mapping.raw_id({})
    mapping.price_of({})
    other = pickle.loads(pickle.dumps(mapping))
    assert other == mapping
    assert other.model_fields_set == mapping.model_fields_set


def test_a_product_travels_with_attributes_that_stay_as_they_are() -> None:
    product = Product("1", "Mug", 4.5, codes=("a", "b"), attributes={"size": "L"})
    other = pickle.loads(pickle.dumps(product))
    assert other == product
    with pytest.raises(TypeError):
        other.attributes["size"] = "M"


@pytest.mark.parametrize("kind", ["memory", "stream", "hub"])
def test_what_only_this_process_has_is_read_here(tmp_path: Path, kind: str) -> None:
    sources: dict[str, Source] = {
        "memory": MemorySource(ROWS),
        "stream": StreamSource(io.BytesIO(b""), tmp_path),
        "hub": HubSource("shop/products", tmp_path),
    }
    assert isinstance(
        rows_of(reading(sources[kind]), out_of_process=True, memory_mb=1000), LocalRows
    )


def test_nothing_is_read_apart_where_no_process_decodes(tmp_path: Path) -> None:
    source = open_source(str(csv(tmp_path)), settings(tmp_path), MAPPING)
    assert isinstance(rows_of(reading(source), out_of_process=False, memory_mb=1000), LocalRows)
