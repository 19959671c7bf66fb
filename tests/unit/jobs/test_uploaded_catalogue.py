"""A catalogue that was sent to the service becomes a version of its own fields, by its own
mapping."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.catalogue import MappingChoice
from tests.end_to_end.browser.stock import picture
from tests.unit.jobs.desk import COUNT, Desk
from vitrine.fields import Mapping

ROWS = 24


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A shop whose catalogues may name pictures anywhere in the test's folder."""
    made = Desk(tmp_path, catalogue_root=str(tmp_path))
    yield made
    made.admin.close()


def export(folder: Path) -> bytes:
    """JSON lines that name their pictures."""
    colors = ("red", "green", "blue")
    for number in range(ROWS):
        data = picture(colors[number % 3], shade=number)
        (folder / f"{number}.png").write_bytes(data)
    rows = [
        {
            "id": f"new/{number:02d}",
            "title": f"New thing {number}",
            "price": 10 + number,
            "currency": "EUR",
            "image": str(folder / f"{number}.png"),
        }
        for number in range(ROWS)
    ]
    return "\n".join(json.dumps(row) for row in rows).encode()


def test_its_products_take_the_place_of_the_others(desk: Desk, tmp_path: Path):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("ingest.uploads.receive_catalogue", lambda *received: received[-1])
        live = desk.admin.receive_catalogue("new.jsonl", b"", MappingChoice())
    assert live == Mapping.from_dict(desk.live.info.mapping), "for what is no known export"
    upload = desk.admin.receive_catalogue("new.jsonl", export(tmp_path), MappingChoice())
    assert upload.preview.failed == 0
    mapping = upload.chosen.mapping
    job_id = desk.admin.reindex(source=upload.source, mapping=mapping, allow_shrink=True)
    job = desk.finish(job_id)
    assert (str(job.state), job.error) == ("done", None)
    live = desk.live
    assert live.count() == ROWS
    assert live.info.mapping == mapping.to_dict()
    assert [field.name for field in live.info.schema] == [field.name for field in mapping.schema()]


def test_a_file_that_leaves_most_products_out_is_refused_unless_that_is_meant(
    desk: Desk, tmp_path: Path
):
    upload = desk.admin.receive_catalogue("new.jsonl", export(tmp_path), MappingChoice())
    job = desk.finish(desk.admin.reindex(source=upload.source, mapping=upload.chosen.mapping))
    assert str(job.state) == "failed"
    assert "VITRINE_MAX_SHRINK" in job.error
    assert desk.live.count() == COUNT
