"""Pictures that nothing shows are removed after a time; no other ever is."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from ingest.picture_commands import pictures
from ingest.tasks.picture_collection import PictureCollection, collect_pictures
from ingest.tasks.shrink import ShrinkLimit
from tests.shop import OLD, accepted, picture, product
from tests.unit.jobs.desk import COUNT, Desk
from vitrine.errors import Cancelled, NotFound
from vitrine.images.thumbnail import Thumbnails

HOURS = 168


def age(desk: Desk, *keys: str, hours: float = HOURS + 1) -> None:
    """Let pictures have been put so long ago."""
    then = time.time() - 3600 * hours
    for key in keys:
        os.utime(path_of(desk, key), (then, then))


def path_of(desk: Desk, key: str) -> Path:
    folder = desk.shop.vitrine.settings.data_dir / "images"
    return folder / key[:2] / key


def all_keys(desk: Desk) -> set[str]:
    return set(desk.shop.vitrine.images.walk_keys())


def collect(desk: Desk, share: float = 0.2) -> PictureCollection:
    limit = ShrinkLimit(share)
    return collect_pictures(desk.shop.vitrine, desk.store, limit=limit, check=lambda: None)


def put(desk: Desk, *numbers: int) -> list[str]:
    return [desk.shop.vitrine.images.put(picture(number)) for number in numbers]


def test_only_what_nothing_shows_and_nobody_sent_lately_goes(desk: Desk):
    live = all_keys(desk)
    old, young, queued, given_up = put(desk, 500, 501, 502, 503)
    desk.finish(desk.admin.upsert([accepted({"id": "x", "title": "x", "image": b"no picture"})]))
    refused = all_keys(desk) - live - {old, young, queued, given_up}
    desk.admin.upsert([accepted({"id": "y", "title": "y", "image": picture(502)})])
    age(desk, *live, old, queued, given_up, *refused)
    collected = collect(desk)
    assert (collected.removed, collected.refusal) == (2, None)
    assert all_keys(desk) == live | {young, queued} | refused


def test_pictures_of_versions_kept_for_rollback_stay(desk: Desk):
    number = desk.live.get([product(3).id])[product(3).id].image_key
    assert desk.finish(desk.admin.reindex(model=OLD)).state == "done"
    desk.finish(desk.admin.delete([product(3).id]))
    age(desk, *all_keys(desk))
    assert collect(desk).removed == 0
    assert number in all_keys(desk)
    desk.admin.discard(
        next(i.name for i in desk.shop.vitrine.versions.list() if i.state == "ready")
    )
    assert collect(desk).removed == 1
    with pytest.raises(NotFound):
        desk.shop.vitrine.images.get(number)


def test_a_picture_that_is_sent_again_is_young_again(desk: Desk):
    (key,) = put(desk, 500)
    age(desk, key)
    put(desk, 500)
    assert collect(desk).removed == 0
    age(desk, key)
    assert collect(desk).removed == 1


def test_what_was_made_of_a_picture_goes_with_it(desk: Desk):
    vitrine, (key,) = desk.shop.vitrine, put(desk, 500)
    Thumbnails.of(vitrine.images, vitrine.settings).get(key, 160)
    made = vitrine.settings.data_dir / "thumbnails"
    assert len(list(made.rglob("*.jpg"))) == 1
    age(desk, key)
    assert collect(desk).removed == 1
    assert not list(made.rglob("*.jpg"))


def test_when_too_many_would_go_none_does(desk: Desk):
    surplus = put(desk, *range(1000, 1000 + COUNT))
    age(desk, *surplus)
    collected = collect(desk)
    assert collected.removed == 0
    assert f"{COUNT} of {2 * COUNT} pictures in the image store are shown by no product" in str(
        collected.refusal
    )
    assert collect(desk, share=1.0).removed == COUNT
    assert len(all_keys(desk)) == COUNT


def test_what_a_killed_process_left_half_written_goes_too(desk: Desk):
    (key,) = put(desk, 500)
    part = path_of(desk, key).with_name(f"{key}.{'0' * 32}.part")
    fresh = path_of(desk, key).with_name(f"{key}.{'1' * 32}.part")
    for file in (part, fresh):
        file.write_bytes(b"half")
    then = time.time() - 3600 * (HOURS + 1)
    os.utime(part, (then, then))
    collect(desk)
    assert (part.exists(), fresh.exists()) == (False, True)


def test_the_command_counts_and_says_why_it_removes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("VITRINE_DATA_DIR", str(tmp_path))
    counted = CliRunner().invoke(pictures)
    assert (counted.exit_code, counted.output) == (0, "0 pictures\n")
    refused = CliRunner().invoke(pictures, ["--collect"])
    assert (refused.exit_code, refused.output) == (
        3,
        "no version is live, so no picture is removed\n",
    )
    monkeypatch.setenv("VITRINE_PICTURE_GRACE_HOURS", "0")
    assert "pictures are kept" in CliRunner().invoke(pictures, ["--collect"]).output


def test_a_worker_that_stops_does_not_go_on_collecting(desk: Desk):
    (key,) = put(desk, 500)
    age(desk, key)

    def stop() -> None:
        raise Cancelled("the worker stops")

    with pytest.raises(Cancelled):
        collect_pictures(desk.shop.vitrine, desk.store, limit=ShrinkLimit(1), check=stop)
    assert key in all_keys(desk)
