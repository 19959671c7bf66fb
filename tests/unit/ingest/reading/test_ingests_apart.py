"""Ingests whose source is read by a process of its own."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.database import ingest_database
from ingest.failures import Failure, Ledger, open_ledger
from ingest.pipeline import Progress, RunControl, Summary, fill_index
from ingest.pipeline.models import IngestTask
from ingest.reading.process import ReaderUnavailable
from ingest.sources import Source, open_source
from ingest.tasks.bulk_ingest import open_context, run
from tests.fakes import FakeEmbedder
from tests.support.waiting import until
from tests.unit.ingest.catalogue import MAPPING, Shop
from tests.unit.ingest.reading.sources import HostileSource
from tests.unit.ingest.reading.test_process_rows import readers
from vitrine.fields import Mapping
from vitrine.settings import Settings
from vitrine.wiring import Vitrine

SHOWN = {**MAPPING.to_dict(), "source": {"shown": {"state": ["on", ""]}, "optional": True}}


@contextmanager
def vitrine_of(folder: Path, processes: int) -> Iterator[Vitrine]:
    settings = Settings(data_dir=folder, decode_processes=processes, decode_threads=2)
    embedder = FakeEmbedder()
    with closing(Vitrine(settings, embedder=lambda _: embedder)) as vitrine:
        yield vitrine


def everything_wrong(shop: Shop) -> Path:
    """A catalogue with every fault, in lines."""
    shop.fill_index(60)
    changes: dict[int, dict[str, Any]] = {
        4: {"image": "pictures/none.png"},
        7: {"image": ""},
        11: {"price": "on request"},
        15: {"price": "-5"},
        19: {"name": ""},
        20: {"id": None},
        23: {"id": "p3"},
        26: {"image": "/etc/hostname"},
        27: {"image": {"base64": "!!"}},
        30: {"state": "off"},
        31: {"state": "hidden"},
        35: {"color": "no color that anybody knows"},
        39: {"category": 7},
        42: {"image": ["pictures/1.png", "pictures/2.png", "pictures/1.png", "none.png"]},
    }
    rows = [{**row, **changes.get(number, {})} for number, row in enumerate(shop.rows)]
    lines = [json.dumps(row) for row in rows]
    lines[33:33] = ['{"id": "cut', "[1, 2]", '"text"', '{"id": "\udcff"}', ""]
    shop.catalogue.write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))
    return shop.catalogue


def undated(failures: tuple[Failure, ...]) -> list[Failure]:
    return [replace(failure, at=datetime.min) for failure in failures]


@pytest.mark.slow
def test_a_catalogue_with_everything_wrong_gives_the_same_on_either_road(tmp_path: Path) -> None:
    catalogue = everything_wrong(Shop(tmp_path))
    mapping = Mapping.from_dict(SHOWN)
    results, records = [], []
    for processes in (0, 1):
        shown: list[Progress] = []
        with vitrine_of(tmp_path / str(processes), processes) as vitrine:
            source = open_source(str(catalogue), vitrine.settings, mapping)
            summary = run(vitrine, source, mapping, control=RunControl(progress=shown.append))
            live = vitrine.versions.live()
            records.append({r.product.id: r for batch in live.scan() for r in batch})
            ledger = Ledger(ingest_database(vitrine.settings.data_dir))
            failures, warnings = ledger.entries(limit=1000)[0], ledger.warnings(limit=1000)[0]
        assert summary.stages["read"] > 0
        last = replace(shown[-1], rate=None, eta_s=None)
        counts = (summary.done, summary.embedded, summary.reasons, summary.left_out)
        told = [(w.reason, w.message, w.id, w.place, w.count) for w in warnings]
        results.append((counts, summary.warnings, sorted(undated(failures), key=str), told, last))
    here, apart = results
    assert here == apart
    assert here[0][2] == {
        "broken_row": 4,
        "missing": 3,
        "invalid_field": 4,
        "duplicate_id": 1,
        "forbidden_path": 1,
        "not_an_image": 1,
    }
    assert here[0][3] == {"state is 'off'": 1, "state is 'hidden'": 1}
    assert records[0].keys() == records[1].keys()
    for name, record in records[0].items():
        assert record.product == records[1][name].product
        assert record.image_keys == records[1][name].image_keys
        assert np.array_equal(record.vectors, records[1][name].vectors)


@pytest.mark.slow
def test_rows_that_cannot_be_counted_tell_the_share_that_was_read_apart(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.fill_index(40)
    catalogue = tmp_path / "products.json"
    catalogue.write_text(json.dumps({"products": shop.rows}), "utf-8")
    shown: list[Progress] = []
    with vitrine_of(tmp_path / "data", 1) as vitrine:
        source = open_source(str(catalogue), vitrine.settings, MAPPING)
        run(vitrine, source, MAPPING, control=RunControl(progress=shown.append))
    assert shown[-1].total is None
    assert shown[-1].share == 1.0


@pytest.mark.slow
def test_failed_rows_alone_are_tried_again_when_they_are_read_apart(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.fill_index(20)
    shop.rows[17] = {**shop.rows[17], "image": "late.png"}
    shop.write()
    with vitrine_of(tmp_path / "data", 1) as vitrine:
        source = open_source(str(shop.catalogue), vitrine.settings, MAPPING)
        assert run(vitrine, source, MAPPING).reasons == {"missing": 1}
        (tmp_path / "late.png").write_bytes((tmp_path / "pictures/17.png").read_bytes())
        context = open_context(vitrine)
        failed = context.ledger.rows(source.name)
        task = IngestTask(source, MAPPING, vitrine.versions.live(), only=failed)
        with closing(context.work):
            summary = fill_index(task, context)
        assert (summary.done, summary.unchanged, summary.failed) == (1, 0, 0)


def ingest(vitrine: Vitrine, source: HostileSource, control: RunControl | None = None) -> Summary:
    taken: Source = source  # it is one
    return run(vitrine, taken, MAPPING, control=control)


@pytest.mark.slow
def test_readers_that_die_end_an_ingest_that_the_next_one_goes_on_with(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shop = Shop(tmp_path)
    shop.fill_index(300)
    with vitrine_of(tmp_path / "data", 1) as vitrine:
        with pytest.raises(ReaderUnavailable, match=r"SIGKILL \(row 129\).*to go on"):
            ingest(vitrine, HostileSource(tmp_path, deed="die"))
        assert readers() == []
        with caplog.at_level(logging.WARNING):
            summary = ingest(vitrine, HostileSource(tmp_path, deed="die", times=3))
        assert "another goes on" in caplog.text, "the third reader died as well, the fourth did not"
        assert (summary.failed, summary.published) == (0, True)
        assert vitrine.versions.live().count() == 300
        assert len(vitrine.versions.list()) == 1, "the version begun before was completed"
        assert open_ledger(vitrine.settings).entries()[1] == 0


@pytest.mark.slow
def test_an_ingest_of_a_source_that_hangs_is_cancelled(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.fill_index(200)
    with vitrine_of(tmp_path / "data", 1) as vitrine:
        control = RunControl(cancelled=(tmp_path / "hangs").exists)
        summary = ingest(vitrine, HostileSource(tmp_path, deed="hang"), control)
        assert summary.cancelled
        until(lambda: readers() == [], "the reader ends")
        assert not summary.published
