"""How far a job has come with its source: kept by both stores, and counted once."""

from __future__ import annotations

from ingest.jobs.models import (
    BULK,
    Done,
    IngestRequest,
    Job,
    JobState,
    Kind,
    NewItem,
    Retry,
    SourceReport,
)
from ingest.jobs.requests import IngestMode
from ingest.jobs.store import JobStore
from ingest.jobs.work import IngestSource
from tests.contract.jobs.items import claim

REQUEST = IngestRequest(
    "https://shop.example/ü.xml",
    {"product": {"id": "id"}},
    currency="EUR",
    images="media",
    mode=IngestMode.SYNC,
    allow_shrink=True,
)


def accept(store: JobStore) -> None:
    store.add(Job("i", Kind.INGEST, REQUEST), [NewItem(BULK, "ingest:i", IngestSource())])


def test_what_an_ingest_was_asked_for_is_read_back(store: JobStore):
    accept(store)
    job = store.job("i")
    assert (job.request, job.source, job.report) == (REQUEST, REQUEST.source, None)
    (item,) = claim(store, queue=BULK)
    assert item.work == IngestSource()


def test_a_report_is_counted_until_its_item_is_settled_and_never_twice(store: JobStore):
    accept(store)
    (item,) = claim(store, queue=BULK)
    store.report("i", SourceReport(done=40, unchanged=30, failed=2, total=100, rate=8, eta_s=7.25))
    under_way = store.job("i").counting_rows()
    assert (under_way.done, under_way.failed_items, under_way.total) == (40, 2, 100)
    assert (under_way.rate, under_way.eta_s) == (8, 7.25)
    last = SourceReport(done=97, failed=3, left_out=5, total=105, settled=True)
    store.settle([Done(item, 97, 3, report=last)])
    job = store.job("i").counting_rows()
    assert (job.state, job.done, job.failed_items, job.report) == (JobState.DONE, 97, 3, last)


def test_an_item_that_is_tried_again_begins_a_new_report(store: JobStore):
    accept(store)
    (item,) = claim(store, queue=BULK)
    store.report("i", SourceReport(done=40))
    store.settle([Retry(item, 0, 0, "its worker was stopped")])
    claim(store, queue=BULK)
    store.report("i", SourceReport(done=3, share=0.5))
    job = store.job("i").counting_rows()
    assert (job.done, job.report) == (3, SourceReport(done=3, share=0.5))


def test_a_report_of_a_job_that_has_ended_is_passed_over(store: JobStore):
    accept(store)
    store.end("i", JobState.CANCELLED)
    store.report("i", SourceReport(done=9))
    assert store.job("i").report is None
