"""Live writes through the job engine into an index in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ingest.tasks.live_writes
import ingest.tasks.product_pictures
from ingest.accepted import AcceptedProduct
from ingest.admin import Admin
from ingest.failures import open_ledger
from ingest.jobs.factory import open_store
from ingest.jobs.models import Job, JobState
from ingest.jobs.store import JobStore
from ingest.tasks.runner import Runner
from tests.fake_index import FakeVersions
from tests.shop import NEW, OLD, Shop, accepted, open_shop, picture
from vitrine.errors import Conflict, DecoderBusy, IndexUnavailable, InvalidImage, NotFound


@dataclass
class Desk:
    """A shop with its admin side and one worker that works when told."""

    shop: Shop
    store: JobStore
    admin: Admin
    runner: Runner

    def finish(self, job_id: str) -> Job:
        self.runner.drain()
        return self.admin.job(job_id)

    @property
    def live(self) -> Any:
        return self.shop.vitrine.versions.live()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    shop = open_shop(tmp_path, FakeVersions(), job_attempts=2, job_backoff_s=0)
    shop.publish_first(5)
    store = open_store(shop.vitrine.settings)
    admin = Admin(shop.vitrine, store=store)
    yield Desk(shop, store, admin, Runner(shop.vitrine, store))
    admin.close()


def row(
    product_id: str, image: bytes | str | list[Any] | None = None, **fields: Any
) -> AcceptedProduct:
    return accepted({"id": product_id, "title": f"Title of {product_id}", "image": image} | fields)


def of_another_version(product_id: str, image: bytes, **fields: Any) -> AcceptedProduct:
    """Accepted when other fields were live: these are no longer there, or of another type."""
    plain = row(product_id, image)
    attributes = {name: value for name, value in fields.items() if name != "price"}
    price = fields.get("price", plain.product.price)
    return replace(plain, product=replace(plain.product, price=price, attributes=attributes))


def failures(desk: Desk) -> list[tuple[str, str]]:
    return [(one.id, one.reason) for one in desk.admin.failures()[0]]


def test_failures_are_counted_by_reason_and_each_once(desk: Desk):
    desk.finish(
        desk.admin.upsert([row("a", b"junk"), row("b", b"junk"), row("c", picture(5)[:-40])])
    )
    listed, total = desk.admin.failures()
    reasons = Counter(failure.reason for failure in listed)
    assert desk.admin.failure_counts() == dict(reasons.most_common())
    assert (total, len(reasons)) == (3, 2)
    reason, count = reasons.most_common(1)[0]
    of_one, one_total = desk.admin.failures(reason=reason)
    assert [count, count] == [len(of_one), one_total]
    assert {failure.reason for failure in of_one} == {reason}
    assert desk.admin.failure_counts(reason=reason) == {reason: count}


def test_a_job_tells_when_it_was_taken_and_when_it_ended(desk: Desk):
    job_id = desk.admin.upsert([row("p00001", price=9.0)])
    waiting = desk.admin.job(job_id)
    assert (waiting.started, waiting.ended) == (None, None)
    done = desk.finish(job_id)
    assert done.started is not None
    assert done.created <= done.started <= done.updated == done.ended


def test_a_new_product_arrives_with_the_vector_of_the_live_versions_model(desk: Desk):
    job = desk.finish(desk.admin.upsert([row("new", picture(77), price="12,50 €")]))
    assert (job.state, job.done, job.total, job.failed_items) == (JobState.DONE, 1, 1, 0)
    record = desk.live.get(["new"])["new"]
    assert (record.product.title, record.product.price) == ("Title of new", 12.5)
    np.testing.assert_allclose(record.vector, desk.shop.embed(OLD, picture(77)), atol=1e-6)
    assert NEW not in desk.shop.models.made
    assert desk.shop.vitrine.images.get(record.image_key) == picture(77)


def test_a_product_sent_without_a_picture_keeps_the_one_it_has(desk: Desk):
    before = desk.live.get(["p00001"])["p00001"]
    embedded = desk.shop.models(OLD).images_embedded
    desk.finish(desk.admin.upsert([row("p00001", price=9.0)]))
    after = desk.live.get(["p00001"])["p00001"]
    assert (after.product.title, after.product.price, after.product.in_stock) == (
        "Title of p00001",
        9.0,
        None,
    )
    assert after.image_key == before.image_key
    np.testing.assert_array_equal(after.vector, before.vector)
    assert desk.shop.models(OLD).images_embedded == embedded


def test_the_same_picture_sent_again_is_not_embedded_again(desk: Desk):
    embedded = desk.shop.models(OLD).images_embedded
    desk.finish(desk.admin.upsert([row("p00001", picture(1))]))
    assert desk.shop.models(OLD).images_embedded == embedded


def test_writes_of_one_product_take_effect_in_the_order_they_were_accepted(desk: Desk):
    desk.admin.upsert([row("a", picture(8), price=1), row("a", picture(9), price=2)])
    desk.admin.patch("a", {"price": 3})
    desk.admin.patch("a", {"in_stock": True})
    desk.admin.delete(["p00000"])
    desk.admin.upsert([row("p00000", picture(10), price=5)])
    last = desk.admin.delete(["p00002"])
    desk.finish(last)
    assert (
        desk.live.get(["a"])["a"].product.price,
        desk.live.get(["a"])["a"].product.in_stock,
    ) == (3, True)
    assert desk.live.get(["p00000"])["p00000"].product.price == 5
    assert desk.live.get(["p00002"]) == {}
    assert all(job.state is JobState.DONE for job in desk.admin.jobs())


def test_deleting_what_is_not_there_is_no_failure(desk: Desk):
    assert desk.finish(desk.admin.delete(["nobody"])).state is JobState.DONE


def test_a_change_of_an_unknown_product_fails_and_says_so(desk: Desk):
    job = desk.finish(desk.admin.patch("nobody", {"price": 1}))
    assert (job.state, job.failed_items, job.error) == (
        JobState.FAILED,
        1,
        "there is no product 'nobody' to change",
    )
    assert failures(desk) == [("nobody", "unknown_product")]


def test_one_bad_product_does_not_hold_up_the_others(desk: Desk):
    rows = [
        row("good", picture(20)),
        row("broken", b"\x89PNG\r\n\x1a\nbut no more"),
        of_another_version("size", picture(21), size="XL"),
        of_another_version("price", picture(21), price="dear"),
        row("bare"),
        row("fine", picture(22)),
    ]
    job = desk.finish(desk.admin.upsert(rows))
    assert (job.state, job.done, job.failed_items) == (JobState.DONE, 2, 4)
    assert set(desk.live.get(["good", "broken", "price", "size", "bare", "fine"])) == {
        "good",
        "fine",
    }
    assert {name for name, _ in failures(desk)} == {"broken", "price", "size", "bare"}


def test_a_picture_that_cannot_be_fetched_is_tried_again_and_then_kept_as_a_failure(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    tries = []

    class Unreachable:
        def read(self, settings: object) -> bytes:
            tries.append(1)
            if len(tries) <= 2:
                raise InvalidImage("unreachable", "the host does not answer")
            return picture(30)

    monkeypatch.setattr(
        ingest.tasks.product_pictures, "picture_of", lambda value, base: Unreachable()
    )
    job = desk.finish(
        desk.admin.upsert([row("far", "https://shop.example/a.png"), row("near", picture(31))])
    )
    assert (job.state, job.done, job.failed_items, len(tries)) == (JobState.DONE, 1, 1, 2)
    assert failures(desk) == [("far", "unreachable")]
    again = desk.finish(desk.admin.retry_failures())
    assert (again.state, again.total, again.done) == (JobState.DONE, 1, 1)
    assert failures(desk) == []
    assert "far" in desk.live.get(["far"])


def test_a_failed_write_that_a_later_one_made_good_is_not_tried_again(desk: Desk):
    desk.finish(desk.admin.upsert([row("x", b"no picture")]))
    assert failures(desk) == [("x", "not_an_image")]
    desk.finish(desk.admin.upsert([row("x", picture(40), price=4)]))
    assert failures(desk) == []
    again = desk.finish(desk.admin.retry_failures())
    assert (again.total, again.state) == (0, JobState.DONE)


def test_while_the_index_is_down_accepted_writes_wait_and_none_is_lost(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    versions = desk.shop.vitrine.versions
    real, calls = versions.live, []

    def live() -> Any:
        calls.append(1)
        if len(calls) < 30:
            raise IndexUnavailable("the server does not answer")
        return real()

    monkeypatch.setattr(versions, "live", live)
    job_id = desk.admin.upsert([row("a", picture(50)), row("b", picture(51))])
    accepted_job = desk.admin.job(job_id)
    assert accepted_job.waiting == "no worker has picked it up yet"
    assert accepted_job.waiting_since == accepted_job.created
    desk.runner.step()
    assert desk.admin.job(job_id).waiting == "the server does not answer"
    for _ in range(40):
        desk.runner.step()
    job = desk.admin.job(job_id)
    assert (job.state, job.done, job.waiting, job.waiting_since) == (JobState.DONE, 2, None, None)


def test_a_picture_for_which_there_is_no_memory_just_now_is_tried_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    real, busy = ingest.tasks.product_pictures.decode, [1] * 5

    def decode(*arguments: Any, **how: Any) -> Any:
        if busy:
            busy.pop()
            raise DecoderBusy("too many large pictures are being decoded; try again soon")
        return real(*arguments, **how)

    monkeypatch.setattr(ingest.tasks.product_pictures, "decode", decode)
    job_id = desk.admin.upsert([row("a", picture(50))])
    desk.runner.step()
    assert "too many large pictures" in str(desk.admin.job(job_id).waiting)
    job = desk.finish(job_id)
    assert (job.state, job.done, busy) == (JobState.DONE, 1, [])


def test_a_write_during_which_another_version_goes_live_reaches_that_one_too(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    versions = desk.shop.vitrine.versions
    first = versions.live()
    second = versions.create(
        **{
            n: getattr(first.info, n)
            for n in ("model", "fingerprint", "dimension", "schema", "mapping")
        }
    )
    second.upsert(list(first.get(["p00000", "p00001"]).values()))
    versions.complete(second.info.name)
    real = type(first).patch

    def patch_and_publish(self: Any, *args: Any) -> None:
        real(self, *args)
        versions.publish(second.info.name)

    monkeypatch.setattr(type(first), "patch", patch_and_publish)
    desk.finish(desk.admin.patch("p00001", {"price": 99}))
    assert second.get(["p00001"])["p00001"].product.price == 99


def test_an_unforeseen_error_strikes_only_its_own_product(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    real = ingest.tasks.live_writes.require_fit

    def check(product: Any, schema: Any) -> None:
        if product.id == "cursed":
            raise ZeroDivisionError
        real(product, schema)

    monkeypatch.setattr(ingest.tasks.live_writes, "require_fit", check)
    job = desk.finish(
        desk.admin.upsert(
            [row("one", picture(60)), row("cursed", picture(61)), row("two", picture(62))]
        )
    )
    assert (job.done, job.failed_items) == (2, 1)
    assert failures(desk) == [("cursed", "unexpected")]
    assert "ZeroDivision" not in (job.error or "")


def test_a_job_is_cancelled_once(desk: Desk):
    job_id = desk.admin.upsert([row("a", picture(1))])
    assert desk.admin.cancel(job_id).state is JobState.CANCELLED
    with pytest.raises(Conflict, match="it is cancelled"):
        desk.admin.cancel(job_id)
    with pytest.raises(NotFound):
        desk.admin.cancel("nobody")
    desk.runner.drain()
    assert desk.live.get(["a"]) == {}


def test_the_ledger_is_the_one_that_ingest_keeps(desk: Desk):
    desk.finish(desk.admin.patch("nobody", {"price": 1}))
    entries, total = open_ledger(desk.shop.vitrine.settings).entries()
    assert (total, entries[0].source) == (1, "api")
