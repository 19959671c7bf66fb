"""The failure ledger."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.failures import API, Failure, Ledger, open_ledger
from vitrine.errors import StorageUnavailable
from vitrine.settings import Settings


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger(Settings(data_dir=tmp_path))


def entry(
    product_id: str,
    *,
    row: int | None = None,
    source: str = API,
    run: int | None = None,
    message: str = "no",
    place: str = "",
) -> Failure:
    return Failure(product_id, "image", "missing", message, source, row, run, place=place)


def ids(ledger: Ledger) -> list[str]:
    return [one.id for one in ledger.entries()[0]]


def test_failures_are_listed_newest_first_in_parts(ledger: Ledger) -> None:
    for number in range(5):
        ledger.add(entry(f"p{number}"))
    assert ids(ledger) == ["p4", "p3", "p2", "p1", "p0"]
    found, total = ledger.entries(limit=2, offset=1)
    assert ([one.id for one in found], total) == (["p3", "p2"], 5)
    assert abs((datetime.now(UTC) - found[0].at).total_seconds()) < 60


def test_a_row_that_fails_again_is_renewed(ledger: Ledger) -> None:
    ledger.add(entry("p1", row=1, source="shop.csv", message="first"))
    ledger.add(entry("p2", row=2, source="shop.csv"))
    ledger.add(entry("p1", row=1, source="shop.csv", message="second"))
    ledger.add(entry("p1", message="by the API"))
    ledger.add(entry("p1", message="by the API again"))
    assert [one.message for one in ledger.entries()[0]] == ["by the API again", "second", "no"]


def test_the_export_of_the_next_day_renews_what_fails_again(ledger: Ledger) -> None:
    ledger.add(entry("p1", row=1, source="monday.csv"))
    ledger.add(entry("row 3", row=3, source="monday.csv", place="row 3"))
    ledger.add(entry("p1", message="by the API"))
    ledger.add(entry("p1", row=2, source="tuesday.csv"))
    ledger.add(entry("row 3", row=3, source="tuesday.csv", place="row 3"))
    assert ledger.sources() == {API: 1, "monday.csv": 1, "tuesday.csv": 2}
    assert ledger.forget("monday.csv") == 1
    assert ledger.sources() == {API: 1, "tuesday.csv": 2}


def test_products_that_succeed_later_leave(ledger: Ledger) -> None:
    for number in range(4):
        ledger.add(entry(f"p{number}"))
    assert ledger.clear(["p1", "p3", "unknown"]) == 2
    assert ids(ledger) == ["p2", "p0"]


def test_after_a_complete_run_only_its_own_failures_of_the_source_stand(ledger: Ledger) -> None:
    ledger.add(entry("old", row=1, source="shop.csv", run=1))
    ledger.add(entry("again", row=2, source="shop.csv", run=2))
    ledger.add(entry("other", row=1, source="other.csv", run=1))
    ledger.add(entry("api"))
    ledger.drop_resolved("shop.csv", 2)
    assert ids(ledger) == ["api", "other", "again"]
    assert ledger.rows("shop.csv") == {2}
    assert ledger.sources() == {API: 1, "other.csv": 1, "shop.csv": 1}


def test_what_a_newer_run_has_noted_stays_whatever_an_older_one_does_late(ledger: Ledger) -> None:
    ledger.add(entry("twice", row=1, source="shop.csv", run=2))
    ledger.add(entry("twice", row=1, source="shop.csv", run=1))
    ledger.drop_resolved("shop.csv", 1)
    ledger.drop_resolved("shop.csv", 2)
    (failure,), _ = ledger.entries()
    assert (failure.id, failure.run) == ("twice", 2)


def test_the_ledger_is_kept_on_disk_and_shared(tmp_path: Path) -> None:
    one, other = (open_ledger(Settings(data_dir=tmp_path)) for _ in range(2))
    one.add(entry("p1"))
    assert ids(other) == ["p1"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageUnavailable, match="cannot be used"):
        open_ledger(Settings(data_dir=tmp_path / "file"))
