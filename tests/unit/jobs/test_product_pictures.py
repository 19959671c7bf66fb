"""The pictures of products that the admin API changes: only new bytes are embedded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import ingest.tasks.product_pictures
from ingest.jobs.models import JobState
from ingest.jobs.work import RemotePicture, StoredPicture
from tests.shop import OLD, accepted, picture
from tests.unit.jobs.desk import Desk
from vitrine.errors import InvalidImage
from vitrine.products import Record

pytestmark = pytest.mark.slow


def put(desk: Desk, *numbers: int, **fields: Any) -> Record:
    """The product with these pictures, sent whole."""
    row = {"id": "bag", "title": "Bag", "image": [picture(n) for n in numbers], **fields}
    job = desk.finish(desk.admin.upsert([accepted(row)]))
    assert (job.state, job.failed_items) == (JobState.DONE, 0)
    return record_of(desk)


def record_of(desk: Desk) -> Record:
    return desk.live.get(["bag"])["bag"]


def embedded(desk: Desk) -> int:
    return desk.shop.models(OLD).images_embedded


def assert_shows(desk: Desk, record: Record, *numbers: int) -> None:
    """These pictures in this order, each with its own vector."""
    assert [desk.shop.vitrine.images.get(key) for key in record.image_keys] == [
        picture(n) for n in numbers
    ]
    expected = np.stack([desk.shop.embed(OLD, picture(n)) for n in numbers])
    np.testing.assert_allclose(record.vectors, expected, atol=1e-6)


def test_a_product_has_all_pictures_that_are_sent(desk: Desk):
    assert_shows(desk, put(desk, 201, 202, 203), 201, 202, 203)


@pytest.mark.parametrize(
    ("numbers", "new"),
    [
        ((203, 201, 202), 0),
        ((202,), 0),
        ((201, 202, 203, 204), 1),
        ((204, 203), 1),
        ((201, 202, 203), 0),
        ((205, 206), 2),
        ((201, 201, 204), 1),
    ],
)
def test_only_new_bytes_are_embedded(desk: Desk, numbers: tuple[int, ...], new: int):
    put(desk, 201, 202, 203)
    before = embedded(desk)
    record = put(desk, *numbers, price=7.0)
    assert embedded(desk) == before + new
    assert record.product.price == 7
    assert_shows(desk, record, *dict.fromkeys(numbers))


def test_pictures_change_and_fields_stay(desk: Desk):
    before = put(desk, 201, 202, price=3.0)
    count = embedded(desk)
    second = StoredPicture(before.image_keys[1])
    desk.finish(desk.admin.patch("bag", {}, [second, picture(204)]))
    assert embedded(desk) == count + 1
    record = record_of(desk)
    assert record.product == before.product
    assert_shows(desk, record, 202, 204)
    desk.finish(desk.admin.patch("bag", {"price": 4.0}, [picture(204)]))
    assert embedded(desk) == count + 3  # assert_shows embedded the two of the expectation
    assert record_of(desk).product.price == 4
    assert_shows(desk, record_of(desk), 204)


def test_a_broken_picture_costs_itself_and_is_noted(desk: Desk):
    row = {"id": "bag", "title": "Bag", "image": [picture(201), b"no picture", picture(202)]}
    job = desk.finish(desk.admin.upsert([accepted(row)]))
    assert (job.state, job.done, job.failed_items) == (JobState.DONE, 1, 0)
    assert_shows(desk, record_of(desk), 201, 202)
    ((failure,), total) = desk.admin.failures()
    assert (total, failure.id, failure.reason) == (1, "bag", "lost_picture")
    assert failure.message.startswith("left out 1 of 3 pictures: ")
    put(desk, 201, 202)
    assert desk.admin.failures() == ([], 0)


def test_a_picture_that_the_store_lacks_costs_itself(desk: Desk):
    put(desk, 201)
    desk.finish(desk.admin.patch("bag", {}, [StoredPicture("0" * 64), picture(202)]))
    assert_shows(desk, record_of(desk), 202)


def test_a_product_of_which_no_picture_can_be_had_is_a_failure_and_keeps_its_own(desk: Desk):
    put(desk, 201, 202)
    job = desk.finish(desk.admin.patch("bag", {"price": 5.0}, [StoredPicture("0" * 64), b"none"]))
    assert (job.state, job.failed_items) == (JobState.FAILED, 1)
    assert_shows(desk, record_of(desk), 201, 202)


def test_a_picture_that_cannot_be_reached_is_tried_again_before_it_is_left_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    tries = []

    class Unreachable:
        def read(self, settings: object) -> bytes:
            tries.append(1)
            raise InvalidImage("unreachable", "the host does not answer")

    monkeypatch.setattr(ingest.tasks.product_pictures, "picture_of", lambda value, _: Unreachable())
    far = RemotePicture("https://shop.example/a.png")
    put(desk, 201)
    desk.finish(desk.admin.patch("bag", {}, [picture(202), far]))
    assert len(tries) == desk.shop.vitrine.settings.job_attempts
    assert_shows(desk, record_of(desk), 202)


def test_new_pictures_of_an_unknown_product_are_a_failure(desk: Desk):
    job = desk.finish(desk.admin.patch("nobody", {}, [picture(201)]))
    assert (job.state, job.failed_items) == (JobState.FAILED, 1)
    assert desk.live.get(["nobody"]) == {}


def test_a_picture_that_several_products_bring_is_embedded_once(desk: Desk):
    before = embedded(desk)
    rows = [{"id": f"size {n}", "title": "Bag", "image": [picture(300)]} for n in range(5)]
    assert desk.finish(desk.admin.upsert([accepted(row) for row in rows])).done == 5
    assert embedded(desk) == before + 1
