"""Changes of one product on a shard with two copies, while its lead moves and while a copy is away.

The copies are two collections of the engine behind one server, which answers as Qdrant does: every
copy looks at its own points, and a read of all copies gives the points that they hold alike.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Any, cast

import pytest
from qdrant_client import models

from tests.contract.catalogue import DIMENSION, SCHEMA, make_record
from tests.integration.qdrant.engine import Engine, Refused
from tests.integration.qdrant.grpc_server import serve
from tests.integration.qdrant.test_troubles import free_port
from vitrine.index import VectorIndex
from vitrine.index.qdrant import open_versions, rewriting
from vitrine.settings import Settings

pytestmark = pytest.mark.timeout(600)  # a busy machine is slow

AWAIT_S = 120.0


class _Write:
    """A write that another one overtakes on its way to the second copy."""

    def __init__(self) -> None:
        self.on_first_copy = threading.Event()
        self.overtaken = threading.Event()


class TwoCopies(Engine):
    """Keeps everything twice, with an order of writes of its own for each copy."""

    def __init__(self) -> None:
        super().__init__()
        self.other = Engine()
        self.away = False
        self.asked_all = 0
        self.pairs = 0
        self._both_have_read: threading.Barrier | None = None
        self._earlier: _Write | None = None
        self._arriving = threading.Lock()

    def close(self) -> None:
        super().close()
        self.other.close()

    def move_the_lead(self, *, pairs: int) -> None:
        """The next two changes are made from the same state; so many pairs of changes reach the
        copies in different orders."""
        self._both_have_read = threading.Barrier(2)
        self.pairs = pairs

    def settle(self) -> None:
        """One node leads again; a write that waits for another one goes on."""
        with self._arriving:
            self.pairs, waiting, self._earlier = 0, self._earlier, None
        if waiting is not None:
            waiting.overtaken.set()

    def create(self, name: str, request: models.CreateCollection) -> None:
        super().create(name, request)
        self.other.create(name, request)

    def create_index(self, name: str, key: str, schema: Any) -> None:
        super().create_index(name, key, schema)
        self.other.create_index(name, key, schema)

    def upsert(self, name: str, points: list[models.PointStruct]) -> None:
        super().upsert(name, points)
        self.other.upsert(name, points)

    def update_vectors(self, name: str, change: models.UpdateVectors) -> None:
        super().update_vectors(name, change)
        self.other.update_vectors(name, change)

    def overwrite(self, name: str, change: models.SetPayload) -> None:
        with self._arriving:
            alone, earlier = self.pairs == 0, self._earlier
            mine = self._earlier = _Write() if earlier is None and not alone else None
            self.pairs -= earlier is not None
        if earlier is not None:
            assert earlier.on_first_copy.wait(AWAIT_S)
            self.other.overwrite(name, change)
            earlier.overtaken.set()
            super().overwrite(name, change)
            return
        super().overwrite(name, change)
        if mine is not None:
            mine.on_first_copy.set()
            assert mine.overtaken.wait(AWAIT_S)
        self.other.overwrite(name, change)

    def retrieve(
        self,
        name: str,
        ids: list[Any],
        with_payload: Any,
        with_vector: Any,
        *,
        consistency: models.ReadConsistencyType | None = None,
        node: int = 0,
    ) -> list[models.Record]:
        self.asked_all += consistency is not None
        if consistency is not None and self.away:
            raise Refused(
                "INTERNAL",
                "Service internal error: The replica set for shard 0 on peer 1 does not have "
                "enough active replicas",
            )
        first = super().retrieve(name, ids, with_payload, with_vector)
        other = self.other.retrieve(name, ids, with_payload, with_vector)
        if consistency is not None:
            return [record for record in first if record in other]
        barrier = self._both_have_read
        if barrier is not None:
            barrier.wait(AWAIT_S)
            self._both_have_read = None
        return (first, other)[node]

    def payloads(self, product_id: str) -> list[dict[str, Any]]:
        """What each copy holds of a product."""
        (name,) = self.collections
        scrolled = models.ScrollRequest(limit=10_000, with_payload=True, with_vector=False)
        return [
            record.payload
            for records, _ in (Engine.scroll(copy, name, scrolled) for copy in (self, self.other))
            for record in records
            if record.payload["id"] == product_id
        ]


class Node:
    """A node, which holds one of the copies and reads that one where it is not told otherwise."""

    def __init__(self, copies: TwoCopies, number: int) -> None:
        self._copies = copies
        self._number = number

    def __getattr__(self, name: str) -> Any:
        return getattr(self._copies, name)

    def retrieve(self, *arguments: Any, **options: Any) -> list[models.Record]:
        return self._copies.retrieve(*arguments, **options, node=self._number)


@pytest.fixture
def copies() -> Iterator[TwoCopies]:
    with closing(TwoCopies()) as made:
        yield made


@pytest.fixture
def indexes(copies: TwoCopies) -> Iterator[list[VectorIndex]]:
    """The same version as two processes have it open, each asking another node first."""
    hosts = ["127.0.0.1", "127.0.0.2"]
    port = free_port()
    with ExitStack() as ended:
        for number, host in enumerate(hosts):
            node = cast(Engine, Node(copies, number))
            ended.enter_context(serve(node, port=port, host=host))
        opened = []
        for order in (hosts, hosts[::-1]):
            urls = ",".join(f"http://{host}:1" for host in order)
            settings = Settings(
                qdrant_url=urls,
                qdrant_grpc_port=port,
                qdrant_replicas=2,
                qdrant_timeout_s=int(AWAIT_S),
            )
            opened.append(open_versions(settings))
            ended.callback(opened[-1].close)
        made = opened[0].create(
            model="m", fingerprint="f", dimension=DIMENSION, schema=SCHEMA, mapping={}
        )
        made.upsert([make_record("one", random.Random(1)), make_record("two", random.Random(2))])
        yield [made, opened[1].open(made.info.name)]


@pytest.fixture
def index(indexes: list[VectorIndex]) -> VectorIndex:
    return indexes[0]


@pytest.mark.parametrize("pairs", [1, 2, 3])
@pytest.mark.parametrize("nodes", [(0, 0), (0, 1), (1, 0)])
def test_changes_that_reach_the_copies_in_different_orders_are_all_kept_on_both(
    indexes: list[VectorIndex], copies: TwoCopies, nodes: tuple[int, int], pairs: int
):
    for number in range(3):
        copies.move_the_lead(pairs=pairs)
        changes = [{"price": float(number)}, {"brand": f"B{number}"}]

        def change(node: int, fields: dict[str, Any]) -> None:
            indexes[node].patch("one", fields)
            copies.settle()

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(change, nodes, changes))
        first, other = copies.payloads("one")
        assert first == other
        assert (first["price"], first["brand"]) == (float(number), f"B{number}")


def test_a_change_is_read_back_from_all_copies_and_made_once(index: VectorIndex, copies: TwoCopies):
    before = copies.payloads("two")
    index.patch("one", {"title": "new"})
    assert copies.asked_all == 1
    assert [payload["title"] for payload in copies.payloads("one")] == ["new", "new"]
    assert copies.payloads("two") == before


def test_while_a_copy_is_away_changes_are_made_and_it_is_not_asked_for_every_one(
    index: VectorIndex, copies: TwoCopies, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rewriting, "_COPY_AWAY_S", 600.0)
    copies.away = True
    index.patch("one", {"title": "new"})
    asked_before = copies.asked_all
    assert asked_before >= 1
    index.patch("one", {"price": 2.5})
    assert copies.asked_all == asked_before
    product = index.get(["one"])["one"].product
    assert (product.title, product.price) == ("new", 2.5)


def test_a_copy_that_has_come_back_is_asked_again(
    index: VectorIndex, copies: TwoCopies, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rewriting, "_COPY_AWAY_S", 0.0)
    copies.away = True
    index.patch("one", {"title": "new"})
    copies.away, copies.asked_all = False, 0
    index.patch("one", {"price": 2.5})
    assert copies.asked_all == 1


def test_a_product_that_is_deleted_while_it_is_changed_is_no_conflict(
    index: VectorIndex, copies: TwoCopies, monkeypatch: pytest.MonkeyPatch
):
    (name,) = copies.collections
    change = Engine.overwrite

    def change_and_delete(engine: Engine, collection: str, payload: models.SetPayload) -> None:
        change(engine, collection, payload)
        records, _ = engine.scroll(name, models.ScrollRequest(limit=10, filter=None))
        engine.delete_points(name, [record.id for record in records])

    monkeypatch.setattr(Engine, "overwrite", change_and_delete)
    index.patch("one", {"title": "new"})
    assert index.get(["one"]) == {}
