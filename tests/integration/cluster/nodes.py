"""A Ray cluster on loopback whose nodes are processes of a test."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

__all__ = ["Cluster", "await_nodes", "environment"]

ROOT = Path(__file__).parents[3]
RAY = (sys.executable, "-m", "ray.scripts.scripts")


@dataclass
class Cluster:
    """A head without a core of its own that it decodes with, and nodes, as processes."""

    folder: Path
    address: str = ""
    nodes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    killed: set[int] = field(default_factory=set)

    def start(self, *arguments: str, cores: int = 1) -> subprocess.Popen[bytes]:
        command = [
            *RAY,
            "start",
            "--block",
            "--node-ip-address=127.0.0.1",
            f"--num-cpus={cores}",
            "--object-store-memory=100000000",
            "--disable-usage-stats",
            *arguments,
        ]
        log = (self.folder / f"node-{len(self.nodes)}.log").open("wb")
        with log:
            started = subprocess.Popen(
                command,
                cwd=self.folder,
                env=environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.nodes.append(started)
        return started

    def check(self) -> None:
        """Fail with what a node that has ended had to say."""
        for number, node in enumerate(self.nodes):
            if number not in self.killed and node.poll() is not None:
                raise AssertionError((self.folder / f"node-{number}.log").read_text())

    def raylet(self, node: subprocess.Popen[bytes]) -> int:
        """The process of a node that runs all others."""
        children = psutil.Process(node.pid).children(recursive=True)
        return next(child.pid for child in children if child.name() == "raylet")

    def stop(self) -> None:
        for node in reversed(self.nodes):
            try:
                processes = psutil.Process(node.pid).children(recursive=True)
            except psutil.NoSuchProcess:
                processes = []
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            node.kill()
            node.wait(60)


def environment(**more: str) -> dict[str, str]:
    """Without what would be another machine's."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("VITRINE_")}
    return clean | {
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
        **more,
    }


def await_nodes(cluster: Cluster, count: int) -> None:
    """Wait until so many nodes answer."""
    program = (
        "import ray, sys, time\n"
        f"ray.init(address={cluster.address!r}, log_to_driver=False)\n"
        f"while sum(node['Alive'] for node in ray.nodes()) != {count}:\n"
        "    time.sleep(0.2)\n"
    )
    waiting = subprocess.Popen(
        [sys.executable, "-c", program], cwd=cluster.folder, env=environment()
    )
    deadline = time.monotonic() + 300
    try:
        while waiting.poll() is None:
            cluster.check()
            assert time.monotonic() < deadline, "the nodes of the cluster did not start"
            time.sleep(0.2)
    finally:
        waiting.kill()
        waiting.wait(60)
    assert waiting.returncode == 0
