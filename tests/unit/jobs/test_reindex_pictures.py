"""Products with several pictures on their way through a reindex and live writes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ingest.pipeline.picture_work import PictureWork
from ingest.tasks import picture_work
from ingest.tasks.picture_work import SharedPictureWork, open_picture_work
from tests.fake_index import FakeIndex
from tests.shop import NEW, OLD, accepted, picture, product
from tests.unit.jobs.desk import COUNT, Desk, step_until
from vitrine.embedding import Embedder
from vitrine.errors import NotFound
from vitrine.products import Record
from vitrine.wiring import Vitrine

NUMBERS = (501, 502, 503)


@pytest.fixture
def gallery(desk: Desk) -> Record:
    """A live product with three pictures."""
    return with_pictures(desk)


def with_pictures(desk: Desk) -> Record:
    keys = tuple(desk.shop.vitrine.images.put(picture(number)) for number in NUMBERS)
    vectors = np.stack([desk.shop.embed(OLD, picture(number)) for number in NUMBERS])
    record = Record(replace(product(7), title="Gallery"), vectors, keys)
    desk.live.upsert([record])
    return record


@pytest.mark.parametrize("model", [OLD, NEW])
def test_a_reindex_keeps_every_picture(desk: Desk, gallery: Record, model: str):
    job = desk.finish(desk.admin.reindex(model=model))
    assert (job.state, job.error, job.failed_items) == ("done", None, 0)
    record = desk.live.get([gallery.product.id])[gallery.product.id]
    assert record.image_keys == gallery.image_keys
    expected = np.stack([desk.shop.embed(model, picture(number)) for number in NUMBERS])
    np.testing.assert_allclose(record.vectors, expected, atol=1e-6)


def test_a_picture_that_is_lost_does_not_take_the_others_with_it(desk: Desk, gallery: Record):
    desk.shop.vitrine.images.delete(gallery.image_keys[1])
    job = desk.finish(desk.admin.reindex(model=NEW))
    assert (job.state, job.error) == ("done", None)
    record = desk.live.get([gallery.product.id])[gallery.product.id]
    assert record.image_keys == (gallery.image_keys[0], gallery.image_keys[2])
    expected = np.stack([desk.shop.embed(NEW, picture(number)) for number in (501, 503)])
    np.testing.assert_allclose(record.vectors, expected, atol=1e-6)


def test_a_write_without_a_picture_keeps_them_all(desk: Desk, gallery: Record):
    desk.finish(desk.admin.upsert([accepted({"id": gallery.product.id, "title": "New"})]))
    record = desk.live.get([gallery.product.id])[gallery.product.id]
    assert (record.product.title, record.image_keys) == ("New", gallery.image_keys)


def test_every_picture_of_a_product_must_find_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    desk = Desk(tmp_path, count=15)  # so that all are sampled
    with_pictures(desk)
    real = FakeIndex.upsert

    def spoilt(self: FakeIndex, records: Sequence[Record]) -> None:
        """The last of several pictures gets the vector of the first."""
        real(self, [replace(r, vectors=np.stack([*r.vectors[:-1], r.vectors[0]])) for r in records])

    monkeypatch.setattr(FakeIndex, "upsert", spoilt)
    job = desk.finish(desk.admin.reindex())
    desk.admin.close()
    assert job.state == "failed"
    assert "are not found by their own picture, such as 'p00007'" in job.error
    assert desk.live is desk.before


def test_all_parts_of_a_reindex_share_one_work_which_ends_with_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    opened: list[PictureWork] = []
    closed: list[PictureWork] = []

    def open_work(vitrine: Vitrine, embedder: Embedder) -> PictureWork:
        work = open_picture_work(vitrine, embedder)
        monkeypatch.setattr(work, "close", lambda: closed.append(work))
        opened.append(work)
        return work

    monkeypatch.setattr(picture_work, "open_picture_work", open_work)
    job_id = desk.admin.reindex(model=NEW)
    step_until(desk, job_id, lambda job: job.done == COUNT)
    assert closed == []
    assert desk.finish(job_id).state == "done"
    assert len(opened) == 1
    assert closed == opened


def test_works_on_pictures_that_met_an_error_are_not_used_again(desk: Desk):
    works = SharedPictureWork(desk.shop.vitrine)
    embedder = desk.shop.vitrine.embedders.get(OLD)
    first = works.of(embedder)
    with suppress(NotFound), works.in_use():
        raise NotFound("the version is gone")
    other = works.of(embedder)
    assert other is not first
    assert works.of(embedder) is other
