"""What was taken but looks odd is told beside the failures, grouped for an employee."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from ingest.commands import failures
from ingest.failures import CatalogueWarning, Ledger, open_ledger
from ingest.pipeline.warnings import RunWarnings
from tests.unit.ingest.catalogue import Shop


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("VITRINE_DATA_DIR", str(tmp_path / "data"))
    return Shop(tmp_path)


def ledger(shop: Shop) -> Ledger:
    return open_ledger(shop.settings)


def told(shop: Shop) -> dict[str, CatalogueWarning]:
    return {warning.reason: warning for warning in ledger(shop).warnings()[0]}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(failures, arguments, catch_exceptions=False)


def placeholders(shop: Shop) -> None:
    """24-placeholder.csv: three products share one picture of 1 x 1 pixel."""
    Image.new("RGB", (1, 1)).save(shop.root / "pictures" / "dot.png")
    for number in range(3):
        shop.rows.append({**shop.product(number), "image": "pictures/dot.png"})


def test_24_placeholder(shop: Shop) -> None:
    placeholders(shop)
    summary = shop.ingest()
    assert (summary.done, summary.failed) == (3, 0)
    assert summary.warnings == {"tiny_picture": 1, "shared_picture": 1}
    assert "1 x 1 pixels" in told(shop)["tiny_picture"].message
    assert told(shop)["shared_picture"].message.startswith("3 products share the picture dot.png")


def test_variants_of_a_product_may_share_its_picture() -> None:
    warnings = RunWarnings("s", 1)
    for number in range(5):
        warnings.saw_picture("key", "a.png", id=str(number), group="tee", place="")
    assert warnings.finish() == ()


def test_a_remark_is_told_once_with_its_count_and_first_place(shop: Shop) -> None:
    shop.fill_index(6)
    shop.rows = [{**row, "color": "vermouth"} for row in shop.rows]
    summary = shop.ingest()
    assert summary.warnings == {"unknown_color": 6}
    warning = told(shop)["unknown_color"]
    assert (warning.count, warning.id, warning.place) == (6, "p0", "line 1")
    assert "[colors]" in warning.message


def test_what_is_corrected_is_not_told_any_more(shop: Shop) -> None:
    shop.fill_index(2)
    shop.rows = [{**row, "color": "vermouth"} for row in shop.rows]
    shop.ingest()
    shop.rows = [{**row, "color": "red"} for row in shop.rows]
    assert shop.ingest().warnings == {}
    assert ledger(shop).warnings() == ((), 0)


def test_a_guess_about_the_file_is_told(shop: Shop) -> None:
    shop.fill_index(1)
    shop.ingest()
    assert "guess" not in told(shop)
    other = RunWarnings("s", 1)
    other.add("guess", "read as Windows-1252")
    assert other.by_reason() == {"guess": 1}


def test_failures_are_grouped_by_reason_with_what_to_do(shop: Shop) -> None:
    shop.fill_index(30)
    for number in range(15):
        shop.rows[number] = {**shop.rows[number], "price": "ask us"}
    shop.rows[20] = {**shop.rows[20], "image": "pictures/none.png"}
    placeholders(shop)
    shop.ingest()
    groups = ledger(shop).groups()
    assert [(group.reason, group.count) for group in groups] == [
        ("invalid_field", 15),
        ("missing", 1),
    ]
    assert groups[1].example.place == "line 21"
    text = run("--limit", "4").stdout
    assert "invalid_field: 15\n  what to do: correct the cell" in text
    assert "  line 15  p14  price: 'ask us' is not a price" in text
    assert "  and 11 more" in text
    assert run("--reason", "missing").stdout.startswith("missing: 1\n")


def test_the_ledger_is_written_as_a_table_for_a_spreadsheet(shop: Shop) -> None:
    shop.fill_index(3)
    shop.rows[0] = {**shop.rows[0], "id": "=HYPERLINK(1)", "price": "ask us"}
    placeholders(shop)
    shop.rows = [{**row, "id": f"q{n}" if n else row["id"]} for n, row in enumerate(shop.rows)]
    shop.ingest()
    rows = list(csv.DictReader(io.StringIO(run("--csv").stdout)))
    assert [row["kind"] for row in rows] == ["failure", "warning", "warning"]
    assert rows[0]["id"] == "'=HYPERLINK(1)", "no spreadsheet runs what a catalogue holds"
    assert rows[0]["place"] == "line 1"
    assert rows[0]["remedy"]
    assert rows[1]["reason"] in ("tiny_picture", "shared_picture")
