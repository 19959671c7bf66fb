"""The reports of a job that reads a source: seldom, with what is left, and never its undoing."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from ingest.jobs.models import SourceReport
from ingest.pipeline import Progress
from ingest.tasks.reporting import EVERY_S, SourceReporter
from vitrine.errors import StorageUnavailable


class Records:
    def __init__(self) -> None:
        self.reports: list[SourceReport] = []
        self.away = False

    def report(self, job_id: str, report: SourceReport) -> None:
        if self.away:
            raise StorageUnavailable("the job store cannot be reached")
        self.reports.append(report)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def reporter(records: Records, clock: Clock) -> SourceReporter:
    return SourceReporter(records, "job", clock=clock)  # type: ignore[arg-type]


def progress(done: int, total: int | None = None) -> Progress:
    return Progress(done, 1, 2, total, 5.0, None if total is None else 4.0, left_out=3)


def test_of_many_calls_only_a_few_reach_the_store():
    records, clock = Records(), Clock()
    report = reporter(records, clock)
    for number in range(1000):
        report(progress(number, 2000))
        clock.now += 0.01
    assert len(records.reports) == 10 / EVERY_S
    assert records.reports[0] == SourceReport(
        done=1, unchanged=1, failed=2, left_out=3, total=2000, rate=5.0, eta_s=4.0
    )


def test_where_rows_are_not_counted_the_share_of_the_bytes_says_what_is_left():
    records, clock = Records(), Clock()
    report = reporter(records, clock)
    clock.now += 30
    report(replace(progress(7), share=0.5))
    assert (records.reports[0].share, records.reports[0].eta_s) == (0.5, 30.0)


def test_a_store_that_is_away_does_not_stop_the_run(caplog: pytest.LogCaptureFixture):
    records = Records()
    records.away = True
    with caplog.at_level(logging.WARNING):
        reporter(records, Clock())(progress(1))
    assert "cannot say how far it is" in caplog.text
