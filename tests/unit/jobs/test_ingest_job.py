"""`vitrine ingest` as a job: a worker does it, says how far it is, and makes nothing worse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.admin import Admin
from ingest.catalogue import MappingChoice
from ingest.decoding.process import DecoderUnavailable
from ingest.jobs.catalogue_lock import catalogue_lock
from ingest.jobs.factory import open_store
from ingest.jobs.models import IngestRequest, SourceReport
from ingest.jobs.requests import IngestMode
from ingest.reading.process import ReaderUnavailable
from ingest.tasks import bulk_ingest
from ingest.tasks.runner import Runner
from tests.end_to_end.browser.stock import picture
from tests.fake_index import FakeVersions
from tests.shop import Shop, open_shop
from vitrine.errors import DecoderBusy, InvalidQuery, ModelBusy, NoLiveVersion, VitrineError

ROWS = 20


class Desk:
    """A shop without any product, its admin side, and a worker that works when told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shop: Shop = open_shop(
            folder, FakeVersions(), job_attempts=2, job_backoff_s=0, catalogue_root=str(folder)
        )
        self.store = open_store(self.shop.vitrine.settings)
        self.admin = Admin(self.shop.vitrine, store=self.store)
        self.runner = Runner(self.shop.vitrine, self.store)

    def catalogue(self, count: int = ROWS, **changes: Any) -> Path:
        """A file of products whose columns are named as the fields are."""
        for number in range(count):
            (self.folder / f"{number}.png").write_bytes(picture("red", shade=number))
        rows = [
            {
                "id": f"p{number}",
                "title": f"Thing {number}",
                "price": 10 + number,
                "currency": "EUR",
                "image": str(self.folder / f"{number}.png"),
                **changes,
            }
            for number in range(count)
        ]
        file = self.folder / "export.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return file

    def finish(self, job_id: str) -> Any:
        self.runner.drain()
        return self.admin.job(job_id)

    def live_ids(self) -> set[str]:
        live = self.shop.vitrine.versions.live()
        return {record.product.id for batch in live.scan() for record in batch}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.admin.close()


def test_a_first_catalogue_that_is_uploaded_becomes_the_first_version(desk: Desk):
    data = desk.catalogue().read_bytes()
    upload = desk.admin.receive_catalogue("export.jsonl", data, MappingChoice())
    assert [row.product is not None for row in upload.preview.rows] == [True] * ROWS
    job_id = desk.admin.reindex(source=upload.source, mapping=upload.chosen.mapping)
    job = desk.finish(job_id)
    assert (str(job.kind), str(job.state), job.error) == ("ingest", "done", None)
    assert (job.done, job.failed_items, job.total) == (ROWS, 0, ROWS)
    assert desk.live_ids() == {f"p{number}" for number in range(ROWS)}
    assert desk.shop.vitrine.versions.live().info.name == job.version


def test_without_a_catalogue_there_is_still_nothing_to_rebuild(desk: Desk):
    with pytest.raises(NoLiveVersion):
        desk.admin.reindex()
    with pytest.raises(InvalidQuery, match="VITRINE_MODEL"):
        desk.admin.reindex(source=str(desk.catalogue()), model="another")


def test_the_second_run_touches_nothing_and_says_so(desk: Desk):
    source = str(desk.catalogue())
    desk.finish(desk.admin.ingest(IngestRequest(source)))
    job = desk.finish(desk.admin.ingest(IngestRequest(source)))
    assert job.report is not None
    assert (job.report.done, job.report.unchanged) == (ROWS, ROWS)


def test_a_sync_that_would_shrink_the_shop_fails_and_changes_nothing(desk: Desk):
    source = desk.catalogue()
    desk.finish(desk.admin.ingest(IngestRequest(str(source))))
    source.write_text("\n".join(source.read_text().splitlines()[:2]))
    job = desk.finish(desk.admin.ingest(IngestRequest(str(source), mode=IngestMode.SYNC)))
    assert str(job.state) == "failed"
    assert job.error is not None
    assert "18 of 20 live products" in job.error
    assert job.report is not None
    assert job.report.refused
    assert len(desk.live_ids()) == ROWS
    meant = IngestRequest(str(source), mode=IngestMode.SYNC, allow_shrink=True)
    assert str(desk.finish(desk.admin.ingest(meant)).state) == "done"
    assert desk.live_ids() == {"p0", "p1"}


def test_an_ingest_waits_for_another_one_and_then_runs(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ingest.tasks.runner._TURN_S", 0.0)
    job_id = desk.admin.ingest(IngestRequest(str(desk.catalogue())))
    with catalogue_lock(desk.shop.vitrine.settings, "an ingest of another file"):
        assert desk.runner.step()
        waiting = desk.admin.job(job_id)
        assert str(waiting.state) == "running"
        assert "an ingest of another file" in (waiting.waiting or "")
    assert str(desk.finish(job_id).state) == "done"


@pytest.mark.parametrize("outage", [DecoderUnavailable, ReaderUnavailable, DecoderBusy, ModelBusy])
def test_an_ingest_is_tried_again_when_memory_or_the_model_was_short(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, outage: type[VitrineError]
):
    short = [outage("there is too little memory now")]
    opened = bulk_ingest.open_picture_work

    def open_or_fail(*arguments: Any) -> Any:
        if short:
            raise short.pop()
        return opened(*arguments)

    monkeypatch.setattr(bulk_ingest, "open_picture_work", open_or_fail)
    job_id = desk.admin.ingest(IngestRequest(str(desk.catalogue())))
    assert desk.runner.step()
    assert desk.admin.job(job_id).waiting == "there is too little memory now"
    job = desk.finish(job_id)
    assert (str(job.state), job.done, job.error) == ("done", ROWS, None)


def test_a_mapping_with_other_fields_fails_with_what_to_do(desk: Desk):
    desk.finish(desk.admin.ingest(IngestRequest(str(desk.catalogue()))))
    job = desk.finish(desk.admin.ingest(IngestRequest(str(desk.catalogue(brand="Acme")))))
    assert str(job.state) == "failed"
    assert "--replace" in (job.error or "")


def test_a_file_of_broken_rows_ends_as_failed_and_points_to_the_ledger(desk: Desk):
    job = desk.finish(desk.admin.ingest(IngestRequest(str(desk.catalogue(price="cheap")))))
    assert str(job.state) == "failed"
    assert (job.done, job.failed_items) == (0, ROWS)
    assert "vitrine failures" in (job.error or "")


def test_progress_is_reported_now_and_then_and_not_by_row(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    reports: list[SourceReport] = []
    report = desk.store.report

    def note(job_id: str, told: SourceReport) -> None:
        report(job_id, told)
        job = desk.admin.job(job_id)
        assert (job.done, job.failed_items, job.total) == (told.done, told.failed, ROWS)
        reports.append(told)

    monkeypatch.setattr(desk.store, "report", note)
    monkeypatch.setattr("ingest.tasks.reporting.EVERY_S", 0.0)
    monkeypatch.setattr("ingest.pipeline.fill._TICK_S", 0.001)
    job = desk.finish(desk.admin.ingest(IngestRequest(str(desk.catalogue()))))
    assert reports[-1].done == ROWS
    assert all(told.total == ROWS for told in reports)
    assert job.report is not None
    assert job.report.settled
    assert (job.done, job.eta_s) == (ROWS, 0.0)
