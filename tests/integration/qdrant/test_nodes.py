"""Several addresses of one Qdrant, some of them dead, frozen or moved."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import grpc
import numpy as np
import pytest

from tests.contract.catalogue import DIMENSION, SCHEMA, make_record, unit
from tests.integration.qdrant.engine import Engine
from tests.integration.qdrant.grpc_server import Trouble, serve
from tests.integration.qdrant.test_troubles import free_port
from tests.support.waiting import until
from vitrine.errors import IndexUnavailable
from vitrine.index import IndexQuery, IndexVersions
from vitrine.index.qdrant import nodes, open_versions
from vitrine.index.qdrant.connection import Connection
from vitrine.index.qdrant.nodes import Node
from vitrine.settings import Settings

pytestmark = pytest.mark.timeout(600)  # a busy machine is slow

HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
PAGE = IndexQuery(vector=unit(np.ones(DIMENSION)), limit=3)
TIMEOUT_S = 8
AWAIT_S = 120.0
"""Far longer than anything here takes."""


@dataclass
class Cluster:
    """Three addresses of one engine, each of which can be stopped, started and troubled."""

    engine: Engine
    port: int
    troubles: dict[str, Trouble] = field(default_factory=lambda: {h: Trouble() for h in HOSTS})
    running: dict[str, ExitStack] = field(default_factory=dict)

    def start(self, host: str) -> None:
        stack = self.running[host] = ExitStack()
        stack.enter_context(
            serve(self.engine, port=self.port, trouble=self.troubles[host], host=host)
        )

    def stop(self, host: str) -> None:
        self.running.pop(host).close()

    def open(self) -> IndexVersions:
        urls = ",".join(f"http://{host}:1" for host in HOSTS)
        return open_versions(
            Settings(
                qdrant_url=urls,
                qdrant_grpc_port=self.port,
                qdrant_timeout_s=TIMEOUT_S,
                qdrant_write_timeout_s=60,
            )
        )


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with closing(Engine()) as engine, ExitStack() as ended:
        made = Cluster(engine, free_port())
        ended.callback(lambda: [made.stop(host) for host in list(made.running)])
        yield made


@pytest.fixture
def versions(cluster: Cluster) -> Iterator[IndexVersions]:
    """A published version of 20 products behind the last two addresses; nothing is at the first."""
    for host in HOSTS[1:]:
        cluster.start(host)
    with closing(cluster.open()) as opened:
        index = opened.create(
            model="m", fingerprint="f", dimension=DIMENSION, schema=SCHEMA, mapping={}
        )
        rng = random.Random(3)
        index.upsert([make_record(f"p{i}", rng) for i in range(20)])
        opened.complete(index.info.name)
        opened.publish(index.info.name)
        yield opened


def test_with_the_first_of_three_addresses_dead_nothing_fails(
    cluster: Cluster, versions: IndexVersions
):
    with closing(cluster.open()) as another:  # a process that finds it dead at its start
        for _ in range(20):
            assert another.live().search(PAGE).total == 20
        another.live().patch("p1", {"price": 3.0})
    assert versions.live().get(["p1"])["p1"].product.price == 3.0


def test_a_dead_address_is_tried_once_and_again_only_after_a_while(
    cluster: Cluster, versions: IndexVersions, monkeypatch: pytest.MonkeyPatch
):
    """So no search waits for it but one in five seconds, and that one is answered by the next."""
    now = 1000.0
    monkeypatch.setattr(nodes, "time", SimpleNamespace(monotonic=lambda: now))
    tried: list[str] = []
    call = Connection._call

    def recorded(connection: Connection, node: Node, *arguments: Any) -> Any:
        tried.append(node.url)
        return call(connection, node, *arguments)

    monkeypatch.setattr(Connection, "_call", recorded)
    dead = f"http://{HOSTS[0]}:1"
    with closing(cluster.open()) as another:
        index = another.live()
        tries = [tried.count(dead)]
        for pause in (0.0, nodes.AWAY_FOR_S / 2, nodes.AWAY_FOR_S / 2):
            now += pause
            for _ in range(10):
                assert index.search(PAGE).total == 20
            tries.append(tried.count(dead))
    together = tries[3] - tries[2]  # of a search that sends two requests at once
    assert tries[:3] == [1, 1, 1]
    assert together in (1, 2)
    assert f"http://{HOSTS[2]}:1" not in tried, "the second one is alive"


def test_a_node_that_dies_under_way_is_passed_over_and_used_again_when_it_is_back(
    cluster: Cluster, versions: IndexVersions
):
    cluster.stop(HOSTS[1])
    for _ in range(10):
        assert versions.live().search(PAGE).total == 20
    cluster.stop(HOSTS[2])
    with pytest.raises(IndexUnavailable, match="cannot be reached"):
        versions.live().search(PAGE)
    cluster.start(HOSTS[1])
    await_recovery(versions)


def test_a_frozen_node_leaves_time_for_the_next(cluster: Cluster, versions: IndexVersions):
    released = threading.Event()
    cluster.troubles[HOSTS[1]].before = lambda context: released.wait(AWAIT_S)
    try:
        for _ in range(5):  # only the first of them has to wait for it
            assert versions.live().search(PAGE).total == 20
    finally:
        released.set()


def test_a_write_outlasts_the_choice_of_another_leader(cluster: Cluster, versions: IndexVersions):
    failures = iter(range(6))  # more than are tried again elsewhere

    def without_leader(context: grpc.ServicerContext) -> None:
        if next(failures, None) is not None:
            context.abort(
                grpc.StatusCode.INTERNAL,
                "Service internal error: Failed to apply update with Medium ordering via leader "
                "peer 1: tonic::transport::Error(Transport, ConnectError)",
            )

    index = versions.live()
    for trouble in cluster.troubles.values():
        trouble.before = without_leader
    index.upsert([make_record("new", random.Random(5))])
    assert next(failures, None) is None
    assert index.get(["new"]).keys() == {"new"}


def test_a_search_is_told_of_a_missing_node(cluster: Cluster, versions: IndexVersions):
    def without_copy(context: grpc.ServicerContext) -> None:
        context.abort(
            grpc.StatusCode.INTERNAL,
            "Service internal error: The replica set for shard 0 on peer 2 has no active replica",
        )

    index = versions.live()
    for trouble in cluster.troubles.values():
        trouble.before = without_copy
    with pytest.raises(IndexUnavailable, match=r"a node of the Qdrant cluster is away.*doctor"):
        index.search(PAGE)


def await_recovery(versions: IndexVersions) -> None:
    def answers() -> bool:
        try:
            assert versions.live().search(PAGE).total == 20
        except IndexUnavailable:
            return False
        return True

    until(answers, "searches answer again")
