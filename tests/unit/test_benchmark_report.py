"""The table of the benchmarks as it stands in the README."""

from __future__ import annotations

import pytest

from benchmarks.report import Figure, Report, add_growth
from benchmarks.writing import Writer, add_beside_writes


def test_figures_of_several_cases_share_a_row_and_a_missed_target_is_told(capsys):
    report = Report()
    report.add(Figure("ready", 2.51, "s", "<= 5", True, {"floor": 1.0}, "cold"))
    report.add(Figure("page, p95", 9.46, "ms", "<= 10", True, case="100 %"))
    report.add(Figure("recall", 1.0, "", ">= 0.99", True, case="100 %"))
    report.add(Figure("page, p95", 11.2, "ms", "<= 10", False, case="50 %"))
    report.add(Figure("forward", 40.0, "photos/s", case="batch 16"))
    assert report.markdown().split("\n") == [
        "| figure | value | target |  | beside it in the same run |",
        "|-|-|-|-|-|",
        "| ready | 2.51 s | <= 5 | met | floor 1, cold |",
        "",
        "| figure | target | 100 % | 50 % |",
        "|-|-|-|-|",
        "| page, p95, ms | <= 10 | 9.46 | **11.2** missed |",
        "| recall | >= 0.99 | 1 |  |",
        "",
        "| figure | target | batch 16 |",
        "|-|-|-|",
        "| forward, photos/s |  | 40 |",
    ]
    last = capsys.readouterr().out.splitlines()[-2]
    assert last.startswith("page, p95, 50 %")
    assert "MISSED" in last


def test_growth_is_told_from_each_size_to_the_next():
    report = Report()
    add_growth(report, "memory", {100_000: 90.0, 10_000: 9.0, 1_000_000: 90.0})
    growth = {figure.case: figure.value for figure in report.figures}
    assert growth == {"10k to 100k": pytest.approx(1.0), "100k to 1000k": 0.0}


@pytest.mark.parametrize(
    ("judged", "target", "verdict"), [(True, "<= 2", "missed"), (False, "", "")]
)
def test_the_slowest_hundredth_beside_writes_is_judged_where_a_server_is_measured(
    judged: bool, target: str, verdict: str
):
    report = Report()
    add_beside_writes(
        report, "page", [0.001] * 99 + [0.004], [0.003] * 100, Writer(498.0), judged=judged
    )
    (figure,) = report.figures
    assert figure.value == pytest.approx(3.0)
    assert (figure.target, figure.verdict) == (target, verdict)
    assert figure.beside["p50 beside writes ms"] == pytest.approx(3.0)
    assert figure.beside["upserts/s"] == 498.0
