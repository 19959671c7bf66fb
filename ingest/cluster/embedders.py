"""The models of a cluster: one on each card, or one on each node where there are no cards."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ingest.cluster.connection import Node, living_nodes, on_node
from ingest.cluster.node import EmbeddingNode
from vitrine.errors import ModelUnavailable, StorageUnavailable

__all__ = ["ClusterEmbedders", "EmbedderDied", "cause_of"]

log = logging.getLogger(__name__)

_LOAD_S = 900.0
"""Seconds in which a node has its model; a first one may be downloaded and exported."""


class EmbedderDied(Exception):
    """The process (or node) that was embedding has ended."""


@dataclass(eq=False)
class _Member:
    node: Node
    number: int
    actor: Any
    under_way: int = 0


class ClusterEmbedders:
    """Hands out the least busy model, and starts another in the place of one that has died.

    A node without a card shares its cores between decoding and the model, as one machine alone
    does. Processes that work on one cluster share its models.
    """

    def __init__(self, ray: Any, setup: Any, fingerprint: str) -> None:
        self._ray, self._setup, self._fingerprint = ray, setup, fingerprint
        self._lock = threading.Lock()
        nodes = living_nodes(ray)
        with_cards = [node for node in nodes if node.cards]
        self._with_cards = bool(with_cards)
        places = [(node, number) for node in with_cards for number in range(node.cards)]
        places = places or [(node, 0) for node in nodes if node.cores]
        if not places:
            raise StorageUnavailable("the Ray cluster has no node with a processor core or a card")
        self._members = [
            _Member(node, number, self._start(node, number)) for node, number in places
        ]
        self._members = [member for member in self._members if self._is_ready(member)]
        if not self._members:
            raise StorageUnavailable("no node of the Ray cluster is left")

    def __len__(self) -> int:
        return len(self._members)

    @contextmanager
    def least_busy(self) -> Iterator[Any]:
        """The actor of a model; `EmbedderDied` from inside has it replaced."""
        with self._lock:
            if not self._members:
                raise StorageUnavailable("no node of the Ray cluster can embed any more")
            member = min(self._members, key=lambda member: member.under_way)
            member.under_way += 1
        try:
            yield member.actor
        except EmbedderDied:
            self._replace(member, member.actor)
            raise
        finally:
            with self._lock:
                member.under_way -= 1

    def _replace(self, member: _Member, died: Any) -> None:
        """Start the model again, on its node where that still answers."""
        with self._lock:
            if member not in self._members or member.actor is not died:
                return  # somebody else has seen to it
            if member.node.id not in {node.id for node in living_nodes(self._ray)}:
                log.warning("the node %s has left the cluster", member.node.name)
                self._members.remove(member)
                return
            log.warning("the model on the node %s has ended and is started again", member.node.name)
            member.actor = self._start(member.node, member.number)

    def _start(self, node: Node, number: int) -> Any:
        ray = self._ray
        actor = ray.remote(EmbeddingNode).options(
            name=f"embedder-{self._fingerprint[:16]}-{node.id}-{number}",
            get_if_exists=True,
            num_cpus=0,
            num_gpus=1 if self._with_cards else 0,
            scheduling_strategy=on_node(node),
            max_concurrency=2,
        )
        threads = 0 if self._with_cards else node.cores
        return actor.remote(self._setup, self._fingerprint, threads)

    def _is_ready(self, member: _Member) -> bool:
        """Wait until the model is loaded; False for a node that has left meanwhile."""
        errors = self._ray.exceptions
        try:
            self._ray.get(member.actor.ready.remote(), timeout=_LOAD_S)
        except errors.GetTimeoutError:
            raise ModelUnavailable(
                f"the node {member.node.name} did not load the model within {_LOAD_S:.0f} s"
            ) from None
        except errors.RayTaskError as error:
            raise cause_of(error) from None
        except errors.RayError as error:
            if member.node in living_nodes(self._ray):
                raise ModelUnavailable(
                    f"the node {member.node.name} cannot load the model: {_last_line(error)}"
                ) from None
            log.warning("the node %s has left the cluster", member.node.name)
            return False
        return True


def cause_of(error: Any) -> Exception:
    """What was raised on a node."""
    cause = error.cause
    return cause if isinstance(cause, Exception) else error


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
