"""A source's bad day never shrinks or empties the live catalogue."""

from __future__ import annotations

import pytest

from ingest.tasks.bulk_ingest import run
from tests.unit.ingest.catalogue import MAPPING, Shop
from vitrine.errors import InvalidInput


@pytest.fixture
def shop_of_60(shop: Shop) -> Shop:
    shop.fill_index(60)
    shop.ingest()
    return shop


def test_sync_removes_what_the_source_no_longer_names(shop_of_60: Shop):
    shop_of_60.rows = [*shop_of_60.rows[:50], shop_of_60.product(70)]
    summary = shop_of_60.ingest(sync=True)
    assert (summary.done, summary.unchanged, summary.removed) == (1, 50, 10)
    assert summary.refusal is None
    assert set(shop_of_60.records) == {f"p{n}" for n in [*range(50), 70]}


def test_without_sync_nothing_is_removed(shop_of_60: Shop):
    shop_of_60.rows = shop_of_60.rows[:50]
    assert shop_of_60.ingest().removed == 0
    assert len(shop_of_60.records) == 60


def test_a_file_cut_after_two_rows_removes_nothing_and_says_why(shop_of_60: Shop):
    whole = shop_of_60.rows
    shop_of_60.rows = whole[:2]
    summary = shop_of_60.ingest(sync=True)
    assert len(shop_of_60.records) == 60
    assert summary.removed == 0
    assert summary.refusal is not None
    assert "58 of 60 live products (97 %) are not in" in summary.refusal
    assert "at most 20 % may go at once" in summary.refusal
    shop_of_60.rows = whole
    mended = shop_of_60.ingest(sync=True)
    assert (mended.unchanged, mended.removed, mended.refusal) == (60, 0, None)


def test_who_allows_it_lets_any_number_go(shop_of_60: Shop):
    shop_of_60.rows = shop_of_60.rows[:2]
    summary = shop_of_60.ingest(sync=True, allow_shrink=True)
    assert (summary.removed, summary.refusal, len(shop_of_60.records)) == (58, None, 2)


@pytest.mark.parametrize("kept", [47, 48])
def test_just_the_allowed_share_may_go(shop_of_60: Shop, kept: int):
    shop_of_60.rows = shop_of_60.rows[:kept]
    summary = shop_of_60.ingest(sync=True)
    assert (summary.refusal is None) == (kept == 48)
    assert len(shop_of_60.records) == (48 if kept == 48 else 60)


def test_a_row_that_fails_still_names_its_product(shop_of_60: Shop):
    shop_of_60.rows[3] = {**shop_of_60.rows[3], "image": "gone.png"}
    shop_of_60.rows[4] = {**shop_of_60.rows[4], "price": "dear"}
    summary = shop_of_60.ingest(sync=True)
    assert (summary.removed, summary.failed) == (0, 2)
    assert len(shop_of_60.records) == 60


@pytest.mark.parametrize("broken", ["{cut", '{"name": "without an id"}'])
def test_nothing_goes_while_a_row_that_could_not_be_read_may_be_the_missing_one(
    shop_of_60: Shop, monkeypatch: pytest.MonkeyPatch, broken: str
):
    lines = shop_of_60.catalogue.read_text().splitlines()[:59]
    shop_of_60.catalogue.write_text("\n".join([*lines, broken]))
    monkeypatch.setattr(shop_of_60, "write", lambda: None)
    refused = shop_of_60.ingest(sync=True)
    assert (refused.removed, len(shop_of_60.records)) == (0, 60)
    assert "1 live products are not in" in str(refused.refusal)
    assert "1 of its rows could not be read" in str(refused.refusal)
    allowed = shop_of_60.ingest(sync=True, allow_shrink=True)
    assert (allowed.removed, allowed.refusal, len(shop_of_60.records)) == (1, None, 59)


@pytest.mark.parametrize("sync", [False, True])
def test_a_source_without_rows_changes_nothing_and_says_so(shop_of_60: Shop, sync: bool):
    shop_of_60.rows = []
    try:
        summary = shop_of_60.ingest(sync=sync)
    except InvalidInput:
        pass
    else:
        assert summary.refusal is not None
    assert len(shop_of_60.records) == 60


def test_a_source_that_breaks_off_removes_nothing(shop_of_60: Shop):
    class Feed:
        name = "feed"

        def columns(self, wanted: object) -> list[str]:
            return list(shop_of_60.rows[0])

        def rows(self) -> object:
            raise InvalidInput.of("source", "the feed answered 500")

        def count(self) -> None:
            return None

        def share(self) -> None:
            return None

        def notes(self) -> tuple[str, ...]:
            return ()

    with pytest.raises(InvalidInput, match="answered 500"):
        run(shop_of_60.vitrine(), Feed(), MAPPING)  # type: ignore[arg-type]
    assert len(shop_of_60.records) == 60


def test_a_version_built_anew_is_not_published_when_it_lacks_too_many(shop_of_60: Shop):
    live = shop_of_60.versions.live().info.name
    richer = MAPPING.model_copy(update={"language": "de"})
    shop_of_60.rows = shop_of_60.rows[:40]
    summary = shop_of_60.ingest(richer, replace=True)
    assert (summary.published, shop_of_60.versions.live().info.name) == (False, live)
    assert summary.refusal is not None
    assert "20 of 60 live products (33 %)" in summary.refusal
    embedded = shop_of_60.embedder.images_embedded
    allowed = shop_of_60.ingest(richer, replace=True, allow_shrink=True)
    assert (allowed.published, allowed.version) == (True, summary.version)
    assert len(shop_of_60.records) == 40
    assert shop_of_60.embedder.images_embedded == embedded


def test_products_of_other_ids_do_not_make_up_for_those_that_go(shop_of_60: Shop):
    shop_of_60.rows = [{**row, "id": f"new-{row['id']}"} for row in shop_of_60.rows]
    summary = shop_of_60.ingest(replace=True)
    assert not summary.published
    assert "60 of 60 live products (100 %)" in (summary.refusal or "")


def test_a_row_that_fails_names_its_product_without_a_spreadsheet_s_mark(shop_of_60: Shop):
    shop_of_60.rows[4] = {**shop_of_60.rows[4], "id": "'p4", "price": "dear"}
    summary = shop_of_60.ingest(sync=True)
    assert (summary.removed, summary.failed, summary.refusal) == (0, 1, None)
