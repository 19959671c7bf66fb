"""The connection to a Ray cluster, and its nodes."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from dataclasses import dataclass
from typing import Any

from vitrine.errors import StorageUnavailable
from vitrine.extras import needs

__all__ = ["Node", "connect", "living_nodes", "on_node"]

_REACH_S = 5.0


@dataclass(frozen=True)
class Node:
    """A living node: Ray's id for it, its machine's name, its processor cores and cards."""

    id: str
    name: str
    cores: int
    cards: int


def connect(address: str) -> Any:
    """The library, connected to HOST:PORT; one connection serves the whole process.

    `VitrineError` without the extra, `StorageUnavailable` when no cluster answers.
    """
    # kept-back lines would be printed after the summary, when the process ends
    os.environ.setdefault("RAY_DEDUP_LOGS", "0")
    with needs("ray", "VITRINE_RAY_ADDRESS"):
        import ray
    if ray.is_initialized():
        return ray
    handlers = _handlers()
    try:
        _reach(address)
        ray.init(
            address=address, namespace="vitrine", log_to_driver=False, logging_level=logging.WARNING
        )
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise StorageUnavailable(
            f"no Ray cluster answers at {address}: {reason}; start one with `ray start --head`, or"
            " correct VITRINE_RAY_ADDRESS"
        ) from error
    finally:
        for number, handler in handlers.items():  # Ray puts its own in their place
            signal.signal(number, handler)
    return ray


def _reach(address: str) -> None:
    """`OSError` where nothing listens: Ray itself would try for minutes before it says so."""
    host, _, port = address.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), timeout=_REACH_S).close()


def living_nodes(ray: Any) -> list[Node]:
    """The cluster's nodes that answer now."""
    return [
        Node(
            node["NodeID"],
            node["NodeManagerHostname"],
            int(node["Resources"].get("CPU", 0)),
            int(node["Resources"].get("GPU", 0)),
        )
        for node in ray.nodes()
        if node["Alive"]
    ]


def on_node(node: Node) -> Any:
    """The scheduling strategy that keeps a task or actor to one node."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return NodeAffinitySchedulingStrategy(node.id, soft=False)


def _handlers() -> dict[int, Any]:
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
