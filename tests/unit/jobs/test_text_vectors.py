"""Text vectors in live writes and reindexes: those of the present words, made when these change."""

from __future__ import annotations

import numpy as np
import pytest

from tests.shop import NEW, accepted, picture
from tests.unit.jobs.desk import COUNT, Desk
from vitrine.products import Record
from vitrine.words import product_text

pytestmark = pytest.mark.slow


@pytest.fixture
def worded(desk: Desk) -> Desk:
    """A desk whose live version keeps text vectors, made by a reindex of one that kept none."""
    assert not desk.before.info.text_vectors
    desk.finish(desk.admin.reindex())
    return desk


def record_of(desk: Desk, number: int) -> Record:
    name = f"p{number:05}"
    return desk.live.get([name])[name]


def texts_embedded(desk: Desk) -> int:
    return desk.shop.models(NEW).texts_embedded


def assert_own_text(desk: Desk, record: Record) -> None:
    expected = desk.shop.models(NEW).embed_texts([product_text(record.product)])[0]
    np.testing.assert_allclose(record.text_vector, expected, atol=1e-6)


def test_a_reindex_gives_text_vectors_to_a_version_that_had_none(worded: Desk):
    assert worded.live.info.text_vectors
    for number in (0, 41, COUNT - 1):
        assert_own_text(worded, record_of(worded, number))


def test_a_reindex_with_the_same_model_embeds_no_text_again(worded: Desk):
    before = texts_embedded(worded)
    worded.finish(worded.admin.reindex(verify=False))
    assert texts_embedded(worded) == before
    assert_own_text(worded, record_of(worded, 7))


def test_a_changed_title_embeds_that_text_and_no_picture(worded: Desk):
    before, pictures = texts_embedded(worded), worded.shop.models(NEW).images_embedded
    vectors = record_of(worded, 3).vectors
    worded.finish(worded.admin.patch("p00003", {"title": "A hat"}))
    assert (texts_embedded(worded) - before, worded.shop.models(NEW).images_embedded) == (
        1,
        pictures,
    )
    record = record_of(worded, 3)
    assert record.product.title == "A hat"
    np.testing.assert_array_equal(record.vectors, vectors)
    assert_own_text(worded, record)


def test_a_changed_price_embeds_nothing(worded: Desk):
    before = texts_embedded(worded)
    worded.finish(worded.admin.patch("p00003", {"price": 5.0}))
    row = {"id": "p00004", "title": "Product 4", "price": 9.0}
    worded.finish(worded.admin.upsert([accepted(row)]))
    assert texts_embedded(worded) == before
    assert (record_of(worded, 3).product.price, record_of(worded, 4).product.price) == (5, 9)


def test_products_put_with_and_without_a_picture_have_their_own_texts(worded: Desk):
    rows = [
        {"id": "p00005", "title": "A cap", "price": 1.0},
        {"id": "p00006", "title": "A shoe", "price": 1.0, "image": picture(900)},
        {"id": "fresh", "title": "A mug", "price": 1.0, "image": picture(901)},
    ]
    job = worded.finish(worded.admin.upsert([accepted(row) for row in rows]))
    assert (job.done, job.failed_items) == (3, 0)
    for name, title in (("p00005", "A cap"), ("p00006", "A shoe"), ("fresh", "A mug")):
        record = worded.live.get([name])[name]
        assert record.product.title == title
        assert_own_text(worded, record)


def test_a_change_of_an_unknown_product_is_a_failure(worded: Desk):
    job = worded.finish(worded.admin.patch("nobody", {"title": "A hat"}))
    assert job.failed_items == 1
