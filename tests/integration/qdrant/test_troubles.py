"""What becomes of searches when Qdrant is down, slow, full, locked or emptied behind our back,
and that all recovers by itself."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace

import grpc
import pytest
from qdrant_client import models

from tests.contract.catalogue import DIMENSION, SCHEMA, make_record
from tests.integration.qdrant.engine import Engine
from tests.integration.qdrant.grpc_server import Trouble, serve
from tests.redis_server import free_port
from tests.support.waiting import until
from vitrine.errors import IndexUnavailable, NoLiveVersion, VersionGone
from vitrine.index import IndexQuery, IndexVersions
from vitrine.index.qdrant import open_versions
from vitrine.index.qdrant.pointer import FRESH_FOR_S
from vitrine.settings import Settings

pytestmark = pytest.mark.timeout(600)  # a busy machine is slow

AWAIT_S = 120
"""Far longer than anything here takes; nobody waits so long unless something is broken."""


@dataclass
class Shop:
    """A published version on a server that can be troubled, stopped and started."""

    versions: IndexVersions
    impatient: IndexVersions
    """The same ones for whoever waits for an answer for one second only."""
    engine: Engine
    trouble: Trouble
    start: Callable[[], None]
    stop: Callable[[], None]

    def search(self) -> int:
        """As the search engine does: a version that has gone is noticed and looked up once more."""
        try:
            return self.versions.live().search(IndexQuery()).total
        except VersionGone:
            return self.versions.live().search(IndexQuery()).total


@pytest.fixture
def shop() -> Iterator[Shop]:
    port, trouble = free_port(), Trouble()
    with ExitStack() as ended, closing(Engine()) as engine:
        running = ended.enter_context(ExitStack())
        versions, impatient = (
            open_versions(
                Settings(
                    qdrant_url="http://127.0.0.1:1",
                    qdrant_grpc_port=port,
                    qdrant_timeout_s=seconds,
                    qdrant_write_timeout_s=AWAIT_S,
                    qdrant_api_key="right",
                )
            )
            for seconds in (AWAIT_S, 1)
        )
        ended.callback(versions.close)
        ended.callback(impatient.close)

        def start() -> None:
            running.enter_context(serve(engine, port=port, trouble=trouble))

        start()
        index = versions.create(
            model="m", fingerprint="f", dimension=DIMENSION, schema=SCHEMA, mapping={}
        )
        rng = random.Random(1)
        index.upsert([make_record(str(i), rng) for i in range(5)])
        versions.complete(index.info.name)
        versions.publish(index.info.name)
        yield Shop(versions, impatient, engine, trouble, start, running.close)


def unavailable(shop: Shop, *words: str) -> None:
    """A search fails as `IndexUnavailable`, and says why."""
    with pytest.raises(IndexUnavailable) as caught:
        shop.search()
    assert all(word in str(caught.value) for word in words), caught.value
    assert any(all(word in fault for word in words) for fault in shop.versions.check())


def await_recovery(shop: Shop) -> None:
    """Wait until searches answer again, without anything being opened anew."""

    def answers() -> bool:
        try:
            assert shop.search() == 5
        except IndexUnavailable:
            return False
        return True

    until(answers, "searches answer again")


def test_a_server_that_is_down_is_said_to_be_and_found_again(shop: Shop):
    shop.stop()
    unavailable(shop, "cannot be reached", "VITRINE_QDRANT_URL")
    shop.start()
    await_recovery(shop)
    assert list(shop.versions.check()) == []


def test_a_server_that_does_not_answer_is_given_up_before_it_does(shop: Shop):
    answers = threading.Event()
    shop.trouble.before = lambda context: answers.wait(AWAIT_S)
    unavailable(replace(shop, versions=shop.impatient), "did not answer in time")
    shop.trouble.before = lambda context: None
    answers.set()
    await_recovery(shop)


@pytest.mark.parametrize(
    ("code", "details", "words"),
    [
        ("RESOURCE_EXHAUSTED", "too many requests", ["limit"]),
        (
            "INTERNAL",
            "Service internal error: No space left on device (os error 28)",
            ["disk is full"],
        ),
        ("INTERNAL", "Service internal error: task panicked", ["internal error"]),
        ("UNAVAILABLE", "shard is not active", ["cannot be reached"]),
        ("PERMISSION_DENIED", "Forbidden", ["VITRINE_QDRANT_API_KEY"]),
        (
            "INVALID_ARGUMENT",
            'Bad request: Index required but not found for "price"',
            ["payload index", "vitrine reindex"],
        ),
        ("UNIMPLEMENTED", "", ["version"]),
    ],
)
def test_every_refusal_says_what_to_do(shop: Shop, code: str, details: str, words: list[str]):
    shop.trouble.before = lambda context: context.abort(getattr(grpc.StatusCode, code), details)
    unavailable(shop, *words)
    shop.trouble.before = lambda context: None
    await_recovery(shop)


def test_a_wrong_key_is_named_and_the_right_one_works(shop: Shop):
    shop.trouble.key = "another"
    unavailable(shop, "VITRINE_QDRANT_API_KEY")
    shop.trouble.key = "right"
    await_recovery(shop)


def test_a_short_failure_is_ridden_out(shop: Shop):
    failures = iter([True, True])

    def fail_twice(context: grpc.ServicerContext) -> None:
        if next(failures, False):
            context.abort(grpc.StatusCode.UNAVAILABLE, "restarting")

    shop.trouble.before = fail_twice
    assert shop.search() == 5


def test_a_failed_write_is_no_acknowledged_write(shop: Shop):
    index = shop.versions.live()
    shop.trouble.before = lambda context: context.abort(
        grpc.StatusCode.INTERNAL, "No space left on device"
    )
    with pytest.raises(IndexUnavailable, match="disk is full"):
        index.upsert([make_record("new", random.Random(2))])
    shop.trouble.before = lambda context: None
    assert index.get(["new"]) == {}


def test_a_collection_deleted_behind_our_back_is_missed_and_another_one_serves(shop: Shop):
    index = shop.versions.live()
    shop.engine.delete(shop.engine.aliases["vitrine-live"])
    with pytest.raises(NoLiveVersion):
        shop.search()
    with pytest.raises(IndexUnavailable, match="gone from Qdrant"):
        index.search(IndexQuery())
    again = shop.versions.create(
        model="m", fingerprint="f", dimension=DIMENSION, schema=SCHEMA, mapping={}
    )
    again.upsert([make_record(str(i), random.Random(1)) for i in range(5)])
    shop.versions.complete(again.info.name)
    shop.versions.publish(again.info.name)
    await_recovery(shop)


def test_a_missing_alias_is_no_live_version_until_one_is_published(shop: Shop):
    name = shop.versions.live().info.name
    shop.engine.aliases.clear()
    time.sleep(FRESH_FOR_S)
    with pytest.raises(NoLiveVersion):
        shop.search()
    assert [info.state for info in shop.versions.list()] == ["ready"]
    shop.versions.publish(name)
    await_recovery(shop)


def test_missing_payload_indexes_are_reported(shop: Shop):
    collection = shop.engine.collections[shop.engine.aliases["vitrine-live"]]
    del collection.indexes["price"]
    assert [
        fault for fault in shop.versions.check() if "price" in fault and "vitrine reindex" in fault
    ]


def test_the_live_collection_is_described(shop: Shop):
    status, size, shards = shop.versions.describe()
    assert "green (all indexed), optimizer ok" in status
    assert size.startswith("5 products")
    assert shards == "1 node, 1 shard, copies of a shard: 1"


def test_a_shard_with_a_copy_too_few_is_reported_with_the_node(shop: Shop):
    name = shop.engine.aliases["vitrine-live"]
    created = shop.engine.collections[name].created
    created.replication_factor = 2
    active, dead = models.ReplicaState.ACTIVE, models.ReplicaState.DEAD
    shop.engine.clusters[name] = models.CollectionClusterInfo(
        peer_id=11,
        shard_count=2,
        local_shards=[models.LocalShardInfo(shard_id=0, points_count=3, state=active)],
        remote_shards=[
            models.RemoteShardInfo(shard_id=0, peer_id=22, state=dead),
            models.RemoteShardInfo(shard_id=1, peer_id=11, state=active),
            models.RemoteShardInfo(shard_id=1, peer_id=33, state=active),
        ],
        shard_transfers=[],
    )
    (fault,) = shop.versions.check()
    assert "shard 0" in fault
    assert "1 of 2 copies (node 22: Dead)" in fault
    assert list(shop.versions.describe())[2] == "3 nodes, 2 shards, copies of a shard: 2"
