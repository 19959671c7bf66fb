"""Which sizes the benchmark of filtered search takes on."""

from __future__ import annotations

import pytest

from benchmarks import filtered
from benchmarks.report import Report


def test_a_size_without_room_is_left_out_in_words(capsys: pytest.CaptureFixture[str]):
    report = Report()
    filtered.measure(report, sizes=(10**9,), rounds=1)
    assert not report.figures
    assert "1,000,000,000 vectors is left out" in (said := capsys.readouterr().out)
    assert "4096.0 GB are needed" in said
