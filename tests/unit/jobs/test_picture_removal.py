"""A product that is removed with its pictures leaves none behind; no other product loses one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingest.jobs.work import DeleteProduct, work_to_json
from tests.shop import OLD, accepted, picture, product
from tests.unit.jobs.desk import Desk
from vitrine.errors import NotFound, StorageUnavailable
from vitrine.images.thumbnail import Thumbnails


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, count=6)
    yield made
    made.admin.close()


def key_of(desk: Desk, number: int) -> str:
    return desk.live.get([product(number).id])[product(number).id].image_key


def is_kept(desk: Desk, key: str) -> bool:
    return desk.shop.vitrine.images.has(key)


def send(desk: Desk, name: str, data: bytes | None) -> str:
    return desk.admin.upsert([accepted({"id": name, "title": name, "image": data})])


def purge(desk: Desk, *names: str) -> Any:
    return desk.finish(desk.admin.purge(names))


def test_product_picture_and_thumbnails_are_gone_at_once(desk: Desk):
    vitrine, key = desk.shop.vitrine, key_of(desk, 3)
    thumbnails = Thumbnails.of(vitrine.images, vitrine.settings)
    for size in (64, 640):
        thumbnails.get(key, size)
    before = set(vitrine.images.walk_keys())
    assert purge(desk, product(3).id).state == "done"
    assert set(vitrine.images.walk_keys()) == before - {key}
    assert desk.live.get([product(3).id]) == {}
    assert not list((vitrine.settings.data_dir / "thumbnails").rglob("*.jpg"))
    with pytest.raises(NotFound):
        thumbnails.get(key, 64)


def test_a_plain_removal_keeps_the_picture_for_the_daily_collection(desk: Desk):
    key = key_of(desk, 3)
    desk.finish(desk.admin.delete([product(3).id]))
    assert is_kept(desk, key)


def test_a_picture_that_another_product_shows_stays(desk: Desk):
    desk.finish(send(desk, "twin", picture(3)))
    key = key_of(desk, 3)
    purge(desk, product(3).id)
    assert is_kept(desk, key)
    purge(desk, "twin")
    assert not is_kept(desk, key)


def test_products_that_share_a_picture_and_go_together_take_it_along(desk: Desk):
    desk.finish(send(desk, "twin", picture(3)))
    key = key_of(desk, 3)
    purge(desk, product(3).id, "twin")
    assert not is_kept(desk, key)


def test_a_picture_that_another_product_shows_in_an_earlier_version_stays(desk: Desk):
    desk.finish(send(desk, "twin", picture(3)))
    assert desk.finish(desk.admin.reindex(model=OLD)).state == "done"
    desk.finish(desk.admin.delete(["twin"]))
    key = key_of(desk, 3)
    purge(desk, product(3).id)
    assert is_kept(desk, key)


def test_an_earlier_version_shows_the_product_without_its_picture(desk: Desk):
    key = key_of(desk, 3)
    assert desk.finish(desk.admin.reindex(model=OLD)).state == "done"
    purge(desk, product(3).id)
    assert not is_kept(desk, key)
    earlier = next(i.name for i in desk.shop.vitrine.versions.list() if i.state == "ready")
    desk.admin.publish(earlier)
    assert desk.live.get([product(3).id])[product(3).id].image_key == key


def test_the_picture_that_the_product_had_in_an_earlier_version_goes_too(desk: Desk):
    first = key_of(desk, 3)
    assert desk.finish(desk.admin.reindex(model=OLD)).state == "done"
    desk.finish(send(desk, product(3).id, picture(500)))
    second = key_of(desk, 3)
    assert first != second
    purge(desk, product(3).id)
    assert not is_kept(desk, first)
    assert not is_kept(desk, second)


def test_a_picture_that_an_accepted_write_brings_stays(desk: Desk):
    key = key_of(desk, 3)
    desk.admin.purge([product(3).id])
    desk.finish(send(desk, "twin", picture(3)))
    assert is_kept(desk, key)
    assert desk.live.get(["twin"])["twin"].image_key == key


def test_a_picture_that_is_sent_while_it_is_being_removed_is_there_in_the_end(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    images, key = desk.shop.vitrine.images, key_of(desk, 3)
    remove, jobs = images.delete, []

    def send_and_remove(gone: str) -> None:
        jobs.append(send(desk, "twin", picture(3)))  # put, and accepted, before it is removed
        remove(gone)

    monkeypatch.setattr(images, "delete", send_and_remove)
    purge(desk, product(3).id)
    desk.runner.drain()
    assert len(jobs) == 1
    assert is_kept(desk, key)
    assert desk.live.get(["twin"])["twin"].image_key == key


def test_a_write_whose_picture_goes_before_it_is_accepted_brings_it_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    key, add = key_of(desk, 3), desk.store.add

    def purge_first(*arguments: Any) -> None:
        monkeypatch.setattr(desk.store, "add", add)
        purge(desk, product(3).id)
        assert not is_kept(desk, key)
        add(*arguments)

    monkeypatch.setattr(desk.store, "add", purge_first)
    desk.finish(send(desk, "twin", picture(3)))
    assert is_kept(desk, key)
    assert desk.live.get(["twin"])["twin"].image_key == key


def test_a_picture_that_another_worker_wrote_meanwhile_is_put_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    images, key = desk.shop.vitrine.images, key_of(desk, 3)
    remove, record = images.delete, desk.live.get([product(3).id])[product(3).id]

    def write_and_remove(gone: str) -> None:
        desk.live.upsert([replace(record, product=replace(record.product, id="twin"))])
        remove(gone)

    monkeypatch.setattr(images, "delete", write_and_remove)
    purge(desk, product(3).id)
    assert is_kept(desk, key)


def test_a_store_that_is_away_is_tried_again_until_the_picture_is_gone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    images, key, tries = desk.shop.vitrine.images, key_of(desk, 3), []
    remove = images.delete

    def away_once(gone: str) -> None:
        tries.append(gone)
        if len(tries) == 1:
            raise StorageUnavailable("the image store cannot remove a picture now")
        remove(gone)

    monkeypatch.setattr(images, "delete", away_once)
    assert purge(desk, product(3).id).state == "done"
    assert tries == [key, key]
    assert not is_kept(desk, key)
    assert desk.live.get([product(3).id]) == {}


def test_what_is_not_there_is_no_failure(desk: Desk):
    assert purge(desk, "nobody").state == "done"


def test_a_plain_removal_is_queued_as_earlier_releases_read_it():
    assert work_to_json(DeleteProduct()) == '{"do":"delete"}'
