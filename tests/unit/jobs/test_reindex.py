"""Reindex over an index in memory: what is carried, what is checked, which versions stay."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.admin import Admin
from ingest.jobs.models import JobState
from ingest.jobs.store import CATALOGUE
from ingest.tasks.reindex import finish
from ingest.tasks.runner import Runner
from tests.fake_index import FakeIndex, FakeVersions
from tests.shop import NEW, OLD, accepted, open_shop, picture
from tests.unit.jobs.desk import COUNT, Desk, same_products, step_until
from vitrine.errors import Conflict, IndexUnavailable, ModelUnavailable, NoLiveVersion

pytestmark = pytest.mark.slow


def test_the_new_version_has_the_same_products_with_the_new_models_vectors(desk: Desk):
    job = desk.finish(desk.admin.reindex())
    assert (job.state, job.done, job.total, job.failed_items, job.error) == (
        JobState.DONE,
        COUNT,
        COUNT,
        0,
        None,
    )
    assert (desk.live.info.name, desk.live.info.model) == (job.version, NEW)
    assert same_products(desk.before, desk.live)
    for number in (0, 77, COUNT - 1):
        record = desk.live.get([f"p{number:05}"])[f"p{number:05}"]
        np.testing.assert_allclose(record.vector, desk.shop.embed(NEW, picture(number)), atol=1e-6)
    assert desk.states == ["live", "ready"]
    filling = desk.live.info.filling
    assert filling is not None
    assert (filling.device, filling.precision, filling.batch) == ("cpu", "fp32", 32)
    assert 0 <= filling.seconds < 3600
    desk.finish(desk.admin.reindex(model=NEW, verify=False))
    assert desk.live.info.filling == filling, "copied vectors were made as the first ones"


def test_with_the_same_model_vectors_are_copied_and_nothing_is_embedded_but_the_sample(desk: Desk):
    embedded = desk.shop.models(OLD).images_embedded
    job = desk.finish(desk.admin.reindex(model=OLD, verify=False))
    assert job.state is JobState.DONE
    assert desk.shop.models(OLD).images_embedded == embedded
    assert same_products(desk.before, desk.live)
    np.testing.assert_array_equal(
        desk.live.get(["p00003"])["p00003"].vector, desk.before.get(["p00003"])["p00003"].vector
    )


def test_each_picture_is_embedded_once_but_for_the_sample(desk: Desk):
    desk.finish(desk.admin.reindex(verify=False))
    assert desk.shop.models(NEW).images_embedded == COUNT


def test_a_second_reindex_is_refused_with_the_first_ones_id(desk: Desk):
    job_id = desk.admin.reindex()
    with pytest.raises(Conflict) as refused:
        desk.admin.reindex()
    assert refused.value.job_id == job_id
    with pytest.raises(Conflict) as refused:
        desk.admin.publish(desk.before.info.name)
    assert refused.value.job_id == job_id
    desk.finish(job_id)
    assert desk.store.holder(CATALOGUE) is None
    assert desk.finish(desk.admin.reindex(model=OLD)).state is JobState.DONE


def test_without_a_live_version_a_reindex_is_refused(tmp_path: Path):
    shop = open_shop(tmp_path, FakeVersions())
    admin = Admin(shop.vitrine)
    with pytest.raises(NoLiveVersion):
        admin.reindex()
    admin.close()


def test_writes_before_during_and_after_a_chunk_all_reach_the_new_version(desk: Desk):
    job_id = desk.admin.reindex()
    step_until(desk, job_id, lambda job: job.done >= 32)
    desk.admin.patch("p00001", {"price": 1000})
    desk.admin.patch("p00080", {"title": "Not yet carried"})
    desk.admin.delete(["p00002", "p00081"])
    desk.admin.upsert(
        [
            accepted({"id": "p00003", "title": "New picture", "image": picture(500)}),
            accepted({"id": "zzz", "title": "New", "image": picture(501)}),
        ]
    )
    job = desk.finish(job_id)
    assert (job.state, job.error) == (JobState.DONE, None)
    found = desk.live.get(["p00001", "p00080", "p00002", "p00081", "p00003", "zzz"])
    assert set(found) == {"p00001", "p00080", "p00003", "zzz"}
    assert (found["p00001"].product.price, found["p00080"].product.title) == (
        1000,
        "Not yet carried",
    )
    for name, number in (("p00003", 500), ("zzz", 501)):
        np.testing.assert_allclose(
            found[name].vector, desk.shop.embed(NEW, picture(number)), atol=1e-6
        )
    assert desk.live.count() == COUNT - 1
    assert same_products(desk.before, desk.live)


def test_writes_that_come_while_the_version_is_verified_are_not_lost(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    real = finish.verify

    def verify(*args: Any, **kwargs: Any) -> None:
        real(*args, **kwargs)
        desk.admin.patch("p00010", {"price": 77})
        desk.admin.delete(["p00011"])
        while desk.store.waiting():  # another worker takes them
            assert Runner(desk.shop.vitrine, desk.store).step()

    monkeypatch.setattr(finish, "verify", verify)
    assert desk.finish(desk.admin.reindex()).state is JobState.DONE
    assert desk.live.get(["p00010"])["p00010"].product.price == 77
    assert desk.live.get(["p00011"]) == {}


def test_while_the_last_products_are_carried_writes_wait_and_then_reach_the_new_version(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    real, seen = finish.check_count, []

    def check_count(target: Any, live: Any) -> None:
        desk.admin.patch("p00010", {"price": 77})
        seen.append(Runner(desk.shop.vitrine, desk.store).step())
        real(target, live)

    monkeypatch.setattr(finish, "check_count", check_count)
    assert desk.finish(desk.admin.reindex()).state is JobState.DONE
    assert seen == [False]
    assert desk.before.get(["p00010"])["p00010"].product.price == 10
    assert desk.live.get(["p00010"])["p00010"].product.price == 77


def test_a_product_whose_picture_is_gone_stops_the_publication_and_is_named(desk: Desk):
    record = desk.before.get(["p00005"])["p00005"]
    desk.before.upsert([replace(record, image_keys=("0" * 64,))])
    job = desk.finish(desk.admin.reindex())
    assert job.state is JobState.FAILED
    assert "89 products" in job.error
    assert "vitrine failures" in job.error
    assert [(f.id, f.reason) for f in desk.admin.failures()[0]] == [("p00005", "missing")]
    assert desk.live is desk.before
    assert desk.states == ["live"]
    assert desk.finish(desk.admin.reindex(verify=False)).state is JobState.DONE
    assert desk.live.count() == COUNT - 1


def test_a_version_whose_vectors_do_not_find_their_products_is_not_published(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    real = FakeIndex.upsert

    def shuffled(self: FakeIndex, records: Any) -> None:
        vectors = [record.vector for record in records]
        real(
            self,
            [
                replace(r, vectors=v[None])
                for r, v in zip(records, vectors[1:] + vectors[:1], strict=True)
            ],
        )

    monkeypatch.setattr(FakeIndex, "upsert", shuffled)
    job = desk.finish(desk.admin.reindex())
    assert job.state is JobState.FAILED
    assert "of 20 sampled products are not found by their own picture" in job.error
    assert desk.live is desk.before
    assert desk.states == ["live"]
    assert desk.store.holder(CATALOGUE) is None


@pytest.mark.parametrize(("allowed", "state"), [(0.0, JobState.FAILED), (1.0, JobState.DONE)])
def test_a_version_that_ranks_judged_queries_worse_is_not_published(
    tmp_path: Path, allowed: float, state: JobState
):
    judgements = tmp_path / "judged.jsonl"
    desk = Desk(tmp_path / "data", judgements=str(judgements), max_ndcg_drop=allowed)
    red = [f"p{n:05}" for n in range(0, 60, 6)]
    judgements.write_text(json.dumps({"text": "red", "relevant": red}))
    desk.shop.models(NEW).embed_texts = lambda texts: np.eye(64, dtype=np.float32)[: len(texts)]  # type: ignore[method-assign]
    job = desk.finish(desk.admin.reindex())
    assert job.state is state
    if state is JobState.FAILED:
        assert "nDCG@10" in job.error
        assert "fell from" in job.error
        assert desk.live is desk.before
    desk.admin.close()


def test_judgements_that_cannot_be_read_end_the_job_before_anything_is_made(tmp_path: Path):
    desk = Desk(tmp_path / "data", judgements=str(tmp_path / "nowhere.jsonl"))
    job = desk.finish(desk.admin.reindex())
    assert (job.state, job.version) == (JobState.FAILED, None)
    assert "nowhere.jsonl: cannot be read" in job.error
    assert desk.states == ["live"]
    desk.admin.close()


def test_a_model_that_cannot_be_loaded_fails_the_job_with_its_reason(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    def load(name: str) -> Any:
        raise ModelUnavailable(f"there is no model {name}; look at its name")

    monkeypatch.setattr(desk.shop.vitrine.embedders, "_load", load)
    job = desk.finish(desk.admin.reindex(model="no-such-model"))
    assert (job.state, job.error) == (
        JobState.FAILED,
        "there is no model no-such-model; look at its name",
    )
    assert desk.states == ["live"]


def test_an_index_that_is_down_for_a_while_delays_a_reindex_but_does_not_fail_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    real, calls = FakeIndex.upsert, []

    def upsert(self: FakeIndex, records: Any) -> None:
        calls.append(1)
        if len(calls) in (1, 2, 3, 5):
            raise IndexUnavailable("down")
        real(self, records)

    monkeypatch.setattr(FakeIndex, "upsert", upsert)
    job_id = desk.admin.reindex()
    for _ in range(20):
        desk.runner.drain()
    assert desk.admin.job(job_id).state is JobState.DONE
    assert same_products(desk.before, desk.live)


def test_only_as_many_earlier_versions_are_kept_as_the_settings_say(tmp_path: Path):
    desk = Desk(tmp_path, keep_versions=1)
    for model in (NEW, OLD, NEW):
        assert desk.finish(desk.admin.reindex(model=model)).state is JobState.DONE
    assert desk.states == ["live", "ready"]
    desk.admin.close()


@pytest.mark.parametrize("keep", [0, 1])
def test_the_version_that_was_live_before_is_kept_even_when_later_ones_were_rolled_back(
    tmp_path: Path, keep: int
):
    desk = Desk(tmp_path, keep_versions=keep)
    desk.finish(desk.admin.reindex())
    desk.admin.publish(desk.before.info.name)
    job = desk.finish(desk.admin.reindex())
    assert job.state is JobState.DONE
    assert [info.name for info in desk.shop.vitrine.versions.list()] == [
        job.version,
        desk.before.info.name,
    ]
    assert desk.admin.publish(desk.before.info.name) == job.version
    desk.admin.close()


def test_the_previous_version_is_published_again_at_once(desk: Desk):
    job = desk.finish(desk.admin.reindex())
    assert desk.admin.publish(desk.before.info.name) == job.version
    assert desk.live is desk.before


def test_a_version_that_a_job_fills_cannot_be_deleted(desk: Desk):
    job_id = desk.admin.reindex()
    step_until(desk, job_id, lambda job: job.done > 0)
    with pytest.raises(Conflict) as refused:
        desk.admin.discard(desk.admin.job(job_id).version or "")
    assert refused.value.job_id == job_id
    with pytest.raises(Conflict):
        desk.admin.discard(desk.before.info.name)
