"""A version is filled without a graph; it is built once, and waited for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from qdrant_client import QdrantClient, models

from vitrine.errors import Cancelled, IndexUnavailable
from vitrine.index.qdrant import indexing
from vitrine.index.qdrant.indexing import INDEXING_OFF, build_index

GREEN, YELLOW, RED = (
    models.CollectionStatus.GREEN,
    models.CollectionStatus.YELLOW,
    models.CollectionStatus.RED,
)
MANY = 100_000
DIMENSION = 512


class FakeConnection:
    """Answers what the collection is like, one state after the other; the last one stays."""

    def __init__(
        self,
        *states: tuple[models.CollectionStatus, int],
        threshold: int = 0,
        created: dict[str, Any] | None = None,
    ) -> None:
        self._states = list(states)
        size = models.VectorParams(size=4, distance=models.Distance.COSINE)
        self._created = created or {"vectors_config": size}
        self.threshold = threshold
        self.points = MANY
        self.late = 0
        """Reads for which a node does not know yet that indexing is on."""

    def read(self, method: str, **_: Any) -> models.CollectionInfo:
        assert method == "get_collection"
        client = QdrantClient(":memory:")
        client.create_collection("c", **self._created)
        info = client.get_collection("c")
        status, indexed = self._states.pop(0) if len(self._states) > 1 else self._states[0]
        known = self.threshold if self.late == 0 else 0
        self.late = max(0, self.late - (self.threshold > 0))
        info.config.optimizer_config.indexing_threshold = known
        return info.model_copy(
            update={
                "status": status,
                "indexed_vectors_count": indexed,
                "points_count": self.points,
            }
        )

    def write(self, method: str, *, optimizers_config: Any, **_: Any) -> None:
        assert method == "update_collection"
        self.threshold = optimizers_config.indexing_threshold


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(indexing, "_POLL_S", 0.0)
    return


def built(connection: FakeConnection) -> list[float]:
    told: list[float] = []
    build_index(connection, "c", dimension=DIMENSION, progress=told.append)  # type: ignore[arg-type]
    return told


def test_indexing_is_off_while_a_version_is_filled():
    assert INDEXING_OFF.indexing_threshold == 0
    assert INDEXING_OFF.prevent_unoptimized is False


def test_indexing_is_switched_on_and_waited_for_until_nothing_is_under_way():
    # green before the optimizer has begun, and between two of its merges
    states = [(GREEN, 0), (GREEN, 0), (YELLOW, 25_000), (GREEN, 50_000), (YELLOW, 75_000)]
    connection = FakeConnection((GREEN, 0), *states, (GREEN, MANY))
    told = built(connection)
    assert connection.threshold > 0
    assert told[:5] == [0.0, 0.0, 0.25, 0.5, 0.75]
    assert told[-1] == 1.0
    assert len(told) == len(states) + indexing._QUIET_POLLS


def test_a_node_that_does_not_know_yet_that_indexing_is_on_is_waited_for():
    connection = FakeConnection((GREEN, 0))
    connection.late = 7
    assert len(built(connection)) == 7 + indexing._QUIET_POLLS


def test_a_version_too_small_for_a_graph_is_not_waited_for():
    connection = FakeConnection((GREEN, 0))
    connection.points = 2_000
    assert built(connection) == []
    assert connection.threshold > 0


SEVERAL = models.VectorParams(
    size=4,
    distance=models.Distance.COSINE,
    multivector_config=models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM),
)
TEXTS = models.VectorParams(size=4, distance=models.Distance.COSINE)


def test_few_products_with_several_pictures_each_may_be_enough_for_a_graph():
    states = [(GREEN, 0), (YELLOW, 1_000), (GREEN, 2_000)]
    connection = FakeConnection(*states, created={"vectors_config": {"image": SEVERAL}})
    connection.points = 2_000
    assert built(connection)[0] == 0.5


def test_a_product_counts_once_for_each_name_under_which_it_has_vectors():
    created = {
        "vectors_config": {"image": SEVERAL, "text": TEXTS},
        "sparse_vectors_config": {"words": models.SparseVectorParams()},
    }
    states = [(GREEN, 0), (YELLOW, MANY), (YELLOW, 2 * MANY), (GREEN, 3 * MANY)]
    told = built(FakeConnection(*states, created=created))
    assert told[:3] == [pytest.approx(1 / 3), pytest.approx(2 / 3), 1.0]


def test_a_version_that_is_not_being_filled_is_left_alone():
    connection = FakeConnection((YELLOW, 5), threshold=20_000)
    assert built(connection) == []


def test_an_optimizer_that_failed_is_an_error():
    with pytest.raises(IndexUnavailable, match="cannot index collection c"):
        built(FakeConnection((GREEN, 0), (RED, 0)))


def test_an_optimizer_that_does_not_go_on_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(indexing, "_STALLED_S", 0.05)
    with pytest.raises(IndexUnavailable, match="does not go on indexing"):
        built(FakeConnection((YELLOW, 7)))


def test_who_is_told_may_give_up():
    def stop(share: float) -> None:
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        build_index(FakeConnection((YELLOW, 7)), "c", dimension=DIMENSION, progress=stop)  # type: ignore[arg-type]
