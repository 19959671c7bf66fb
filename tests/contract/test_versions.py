"""Versions: made aside, published in one step, kept, discarded."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from tests.contract.catalogue import DIMENSION, SCHEMA, make_record
from vitrine.errors import Conflict, InvalidProduct, NoLiveVersion, NotFound
from vitrine.index import IndexQuery, IndexVersions, VectorIndex, VersionFilling

Create = Callable[[], VectorIndex]


def filled(create: Create, count: int) -> VectorIndex:
    index = create()
    rng = random.Random(count)
    index.upsert([make_record(str(i), rng) for i in range(count)])
    return index


def published(versions: IndexVersions, create: Create, count: int) -> str:
    name = filled(create, count).info.name
    versions.complete(name)
    versions.publish(name)
    return name


def test_before_the_first_publish_nothing_is_live(versions: IndexVersions, create: Create):
    assert versions.list() == []
    for _ in range(2):
        with pytest.raises(NoLiveVersion):
            versions.live()
        create()


def test_a_new_version_describes_itself(versions: IndexVersions, create: Create):
    info = create().info
    assert (info.model, info.fingerprint, info.dimension, info.state) == (
        "org/some-model",
        "f" * 64,
        DIMENSION,
        "building",
    )
    assert (info.schema, info.mapping) == (SCHEMA, {"product": {"id": "id"}})
    assert "some-model" in info.name
    (listed,) = versions.list()
    assert (listed.name, listed.state, listed.count) == (info.name, "building", 0)


def test_names_sort_by_creation_and_lists_are_newest_first(versions: IndexVersions, create: Create):
    names = [create().info.name for _ in range(5)]
    assert names == sorted(set(names))
    assert [v.name for v in versions.list()] == names[::-1]


def test_a_version_still_building_cannot_be_published(versions: IndexVersions, create: Create):
    name = filled(create, 3).info.name
    with pytest.raises(Conflict, match="is still being built; it can be published once"):
        versions.publish(name)
    with pytest.raises(NoLiveVersion):
        versions.live()


def test_publishing_names_the_previous_version_and_keeps_it(
    versions: IndexVersions, create: Create
):
    first, second = filled(create, 3).info.name, filled(create, 5).info.name
    filling = VersionFilling("cpu", "int8", 16, 2.5)
    versions.complete(first)
    versions.complete(second, filling)
    assert [(v.state, v.filling) for v in versions.list()] == [("ready", filling), ("ready", None)]
    assert versions.publish(first) is None
    assert versions.live().info.name == first
    assert versions.publish(second) == first
    assert (versions.live().info.name, versions.live().count()) == (second, 5)
    assert versions.list()[0].filling == filling
    assert [(v.name, v.state, v.count) for v in versions.list()] == [
        (second, "live", 5),
        (first, "ready", 3),
    ]
    assert versions.publish(first) == second
    assert versions.live().search(IndexQuery()).total == 3
    assert versions.publish(first) == first


def test_every_process_follows_a_publish(
    open_again: Callable[[], IndexVersions], versions: IndexVersions, create: Create
):
    other = open_again()
    for count in (2, 4):
        name = published(versions, create, count)
        assert other.live().info.name == name
        assert other.live().search(IndexQuery()).total == count


def test_a_failed_verification_changes_nothing(versions: IndexVersions, create: Create):
    live = published(versions, create, 2)
    second = filled(create, 5).info.name
    versions.complete(second)
    seen = []

    def verify(index: VectorIndex) -> None:
        seen.append((index.info.name, index.count()))
        raise InvalidProduct.of("", "too bad")

    with pytest.raises(InvalidProduct):
        versions.publish(second, verify=verify)
    assert seen == [(second, 5)]
    assert versions.live().info.name == live


def test_the_live_version_cannot_be_discarded(versions: IndexVersions, create: Create):
    live = published(versions, create, 2)
    with pytest.raises(Conflict):
        versions.discard(live)
    assert versions.live().count() == 2


def test_a_discarded_version_is_gone_for_everyone(
    open_again: Callable[[], IndexVersions], versions: IndexVersions, create: Create
):
    other = open_again()
    name = filled(create, 2).info.name
    assert other.open(name).count() == 2
    versions.discard(name)
    for each in (versions, other):
        assert each.list() == []
        with pytest.raises(NotFound):
            each.open(name)


@pytest.mark.parametrize("name", ["unknown", "", "..", "../x", "20260101T000000000Z-none"])
def test_unknown_versions_are_not_found(versions: IndexVersions, create: Create, name: str):
    create()
    for act in (versions.open, versions.complete, versions.publish, versions.discard):
        with pytest.raises(NotFound, match=r"there is no version .*; `vitrine versions`"):
            act(name)


def test_pruning_keeps_the_newest_ready_ones_the_live_one_and_those_building(
    versions: IndexVersions, create: Create
):
    names = [create().info.name for _ in range(6)]
    for name in names[:5]:
        versions.complete(name)
    versions.publish(names[0])
    assert sorted(versions.prune(keep=2)) == names[1:3]
    assert [v.name for v in versions.list()] == [names[5], names[4], names[3], names[0]]
    assert list(versions.prune(keep=2)) == []
    assert sorted(versions.prune(keep=0)) == names[3:5]
    assert versions.live().info.name == names[0]


def test_pruning_spares_the_version_that_was_live_before_however_old_it_is(
    versions: IndexVersions, create: Create
):
    names = [create().info.name for _ in range(5)]
    for name in names:
        versions.complete(name)
    versions.publish(names[0])
    before = versions.publish(names[4])
    assert list(versions.prune(keep=2, spare=before)) == names[1:3][::-1]
    assert [v.name for v in versions.list()] == [names[4], names[3], names[0]]
    assert list(versions.prune(keep=0, spare=before)) == [names[3]]
    assert versions.publish(names[0]) == names[4]


def test_writes_to_one_version_do_not_touch_another(versions: IndexVersions, create: Create):
    first, second = filled(create, 3), filled(create, 4)
    first.delete(["0"])
    assert (first.count(), second.count()) == (2, 4)
    assert second.search(IndexQuery()).total == 4


def test_a_ready_version_still_takes_writes(versions: IndexVersions, create: Create):
    name = published(versions, create, 3)
    versions.live().upsert([make_record("more", random.Random(1))])
    versions.live().delete(["0", "1"])
    assert {h.product.id for h in versions.live().search(IndexQuery()).hits} == {"2", "more"}
    assert versions.list()[0].count == 2
    assert versions.open(name).count() == 2


def test_a_healthy_backend_has_nothing_to_report(versions: IndexVersions, create: Create):
    assert list(versions.check()) == []
    published(versions, create, 1)
    assert list(versions.check()) == []
