"""15-day1.csv, then 15-day2.csv: bad pictures never hold back prices, nor shrink the shop."""

from __future__ import annotations

import io
from contextlib import redirect_stderr
from dataclasses import replace
from pathlib import Path

from ingest.commands.summary import print_summary
from ingest.failures import open_ledger
from ingest.pipeline import Summary
from ingest.sources import open_source
from ingest.tasks.bulk_ingest import IngestMode, IngestOptions, run
from tests.unit.ingest.catalogue import Shop
from vitrine.fields import Mapping

CASES = Path(__file__).parents[2] / "data" / "catalogue"


def day(shop: Shop, file: str, mode: IngestMode = IngestMode.UPDATE) -> Summary:
    mapping = Mapping.load(CASES / "15-day.toml")
    source = open_source(str(CASES / file), shop.settings, mapping)
    return run(shop.vitrine(), source, mapping, options=IngestOptions(mode, False))


def test_15_day2_prices_are_live_and_the_pictures_stay(shop: Shop) -> None:
    day(shop, "15-day1.csv")
    before = {name: record.image_key for name, record in shop.records.items()}
    summary = day(shop, "15-day2.csv")
    products = {name: record.product for name, record in shop.records.items()}
    assert {name: (p.price, p.in_stock) for name, p in products.items()} == {
        "1": (15.0, False),
        "2": (8.0, False),
        "3": (5.0, True),
    }
    assert {name: record.image_key for name, record in shop.records.items()} == before
    assert summary.reasons == {"missing": 2}
    entries, _ = open_ledger(shop.settings).entries()
    assert {(entry.id, entry.place) for entry in entries} == {("1", "row 2"), ("2", "row 3")}
    assert all("not-there-today.png" in entry.message for entry in entries)
    day(shop, "15-day1.csv")  # of another name, as exports of every day are
    assert open_ledger(shop.settings).entries()[1] == 0


def test_the_outcome_tells_that_fields_were_written_where_every_picture_failed(shop: Shop) -> None:
    day(shop, "15-day1.csv")
    summary = replace(day(shop, "15-day2.csv"), done=0, unchanged=0)
    printed = io.StringIO()
    with redirect_stderr(printed):
        print_summary(summary, as_json=False)
    assert (summary.incomplete, summary.published) == (2, False)
    assert f"version {summary.version} is up to date; " in printed.getvalue()


def test_15_day2_replace_keeps_the_three_products(shop: Shop) -> None:
    day(shop, "15-day1.csv")
    day(shop, "15-day2.csv", IngestMode.REPLACE)
    assert set(shop.records) == {"1", "2", "3"}
    assert shop.records["1"].product.price == 15.0
