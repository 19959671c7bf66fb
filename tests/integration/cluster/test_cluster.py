"""Two nodes of a Ray cluster prepare and embed what one process would, whatever is killed."""

from __future__ import annotations

import json
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from ingest.failures import open_ledger
from tests import checkpoints
from tests.integration.cluster.driver import POISON_SIZE
from tests.integration.cluster.nodes import Cluster, await_nodes, environment
from tests.redis_server import free_port
from tests.unit.ingest.catalogue import picture
from tests.unit.ingest.picture_host import Host
from vitrine.index.faiss import open_versions
from vitrine.settings import Settings

pytestmark = pytest.mark.timeout(570)

PRODUCTS = 240
BROKEN = (7, 100, 239)
MAPPING = '[product]\nid = "id"\ntitle = "title"\nprice = "price"\nimages = "image"\n'


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of two nodes on loopback; each test that kills one starts another."""
    started = Cluster(tmp_path_factory.mktemp("ray"))
    port = free_port()
    started.address = f"127.0.0.1:{port}"
    try:
        started.start("--head", f"--port={port}", "--include-dashboard=false")
        deadline = time.monotonic() + 300
        while True:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
            except OSError:
                assert time.monotonic() < deadline, "the head of the cluster did not start"
                started.check()
                time.sleep(0.2)
        started.start(f"--address={started.address}")
        await_nodes(started, 2)
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue of PRODUCTS rows whose pictures are files, three of them broken."""
    folder = tmp_path_factory.mktemp("catalogue")
    rows = ["id,title,price,image"]
    for number in range(PRODUCTS):
        data = b"no picture" if number in BROKEN else picture(number=number)
        (folder / f"{number}.png").write_bytes(data)
        rows.append(f"p{number},Thing {number},{number},{number}.png")
    (folder / "catalogue.csv").write_text("\n".join(rows) + "\n")
    (folder / "shop.toml").write_text(MAPPING)
    return folder


@pytest.fixture
def data(tmp_path: Path, exports: Path) -> Path:
    """An empty data folder."""
    return checkpoints.data_folder(tmp_path / "data", exports)


def command(model: Path, data: Path, folder: Path, scenario: str, **more: str) -> Any:
    """How the driver is started."""
    settings = {"VITRINE_DATA_DIR": str(data), "VITRINE_MODEL": str(model)}
    return {
        "args": [sys.executable, "-m", "tests.integration.cluster.driver", scenario],
        "cwd": folder,
        "env": environment(**settings, VITRINE_WRITE_BATCH="16", VITRINE_FETCH_PRIVATE="1", **more),
    }


def ingest(
    model: Path, data: Path, folder: Path, scenario: str = "plain", **more: str
) -> dict[str, Any]:
    done = subprocess.run(
        **command(model, data, folder, scenario, **more),
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stdout.splitlines() if line.startswith("{")]
    summary: dict[str, Any] = json.loads(told[-1])  # at its end Ray may speak there as well
    return summary


@dataclass(frozen=True)
class Contents:
    """What a shop holds: products with their vectors, and the ledger."""

    products: Mapping[str, Any]
    vectors: Mapping[str, Any]
    failures: Mapping[str, str]


def contents(data: Path) -> Contents:
    settings = Settings(data_dir=data)
    with closing(open_versions(settings)) as versions:
        records = {
            record.product.id: record for batch in versions.live().scan() for record in batch
        }
    return Contents(
        {name: record.product for name, record in records.items()},
        {name: (record.image_keys, record.vectors) for name, record in records.items()},
        {failure.id: failure.reason for failure in open_ledger(settings).entries(limit=1000)[0]},
    )


def assert_equal(one: Contents, other: Contents) -> None:
    assert one.products == other.products
    assert one.failures == other.failures
    for name, (keys, vectors) in one.vectors.items():
        assert other.vectors[name][0] == keys
        assert np.abs(other.vectors[name][1] - vectors).max() <= 1e-6


@pytest.fixture(scope="module")
def alone(
    tmp_path_factory: pytest.TempPathFactory, catalogue: Path, clip_folder: Path, exports: Path
) -> Contents:
    """What one process makes of the catalogue."""
    data = checkpoints.data_folder(tmp_path_factory.mktemp("alone") / "data", exports)
    summary = ingest(clip_folder, data, catalogue)
    assert (summary["done"], summary["nodes"]) == (PRODUCTS - len(BROKEN), {})
    return contents(data)


def test_a_cluster_makes_the_version_that_one_process_makes(
    data: Path, cluster: Cluster, catalogue: Path, clip_folder: Path, alone: Contents
):
    summary = ingest(clip_folder, data, catalogue, VITRINE_RAY_ADDRESS=cluster.address)
    assert summary["done"] == summary["embedded"] == PRODUCTS - len(BROKEN)
    assert summary["tasks"] == PRODUCTS
    assert len(summary["nodes"]) == 2
    assert sum(summary["nodes"].values()) == PRODUCTS
    assert_equal(contents(data), alone)
    again = ingest(clip_folder, data, catalogue, VITRINE_RAY_ADDRESS=cluster.address)
    assert (again["done"], again["embedded"]) == (0, 0)


def test_a_driver_that_is_killed_goes_on_when_it_is_started_again(
    data: Path, cluster: Cluster, catalogue: Path, clip_folder: Path, alone: Contents
):
    options = command(clip_folder, data, catalogue, "die", VITRINE_RAY_ADDRESS=cluster.address)
    killed = subprocess.run(**options, capture_output=True, check=False, timeout=500)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    summary = ingest(clip_folder, data, catalogue, VITRINE_RAY_ADDRESS=cluster.address)
    assert summary["published"]
    assert summary["unchanged"] >= PRODUCTS // 3 - len(BROKEN), "nothing is embedded twice"
    assert summary["unchanged"] + summary["embedded"] == PRODUCTS - len(BROKEN)
    assert_equal(contents(data), alone)


def test_a_node_that_is_killed_costs_nothing(
    data: Path, cluster: Cluster, catalogue: Path, clip_folder: Path, alone: Contents
):
    node = cluster.raylet(cluster.nodes[-1])
    cluster.killed.add(len(cluster.nodes) - 1)
    summary = ingest(
        clip_folder,
        data,
        catalogue,
        "kill-node",
        VITRINE_RAY_ADDRESS=cluster.address,
        NODE_PID=str(node),
    )
    try:
        assert summary["done"] == summary["embedded"] == PRODUCTS - len(BROKEN)
        assert not psutil.pid_exists(node) or psutil.Process(node).status() == "zombie"
        assert_equal(contents(data), alone)
    finally:
        cluster.start(f"--address={cluster.address}")
        await_nodes(cluster, 2)


def test_a_picture_that_kills_and_a_model_that_is_killed_cost_themselves(
    tmp_path: Path,
    data: Path,
    cluster: Cluster,
    catalogue: Path,
    clip_folder: Path,
    alone: Contents,
):
    folder = tmp_path / "catalogue"
    shutil.copytree(catalogue, folder)
    chosen = random.Random(7).choice([n for n in range(PRODUCTS) if n not in BROKEN])
    (folder / f"{chosen}.png").write_bytes(picture(number=chosen, size=POISON_SIZE))
    summary = ingest(clip_folder, data, folder, "poison", VITRINE_RAY_ADDRESS=cluster.address)
    assert summary["done"] == PRODUCTS - len(BROKEN) - 1
    here = contents(data)
    assert here.failures == {**alone.failures, f"p{chosen}": "ended_decoder"}
    assert here.products == {
        name: product for name, product in alone.products.items() if name != f"p{chosen}"
    }


def reindex(model: Path, data: Path, folder: Path, *arguments: str) -> None:
    settings = {"VITRINE_DATA_DIR": str(data), "VITRINE_MODEL": str(model)}
    done = subprocess.run(
        [sys.executable, "-c", "from vitrine.cli import main; main()", "reindex", *arguments],
        cwd=folder,
        env=environment(**settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr


def test_a_cluster_brings_a_version_to_another_model(
    tmp_path: Path, data: Path, cluster: Cluster, clip_folder: Path, other_clip_folder: Path
):
    for number in range(24):
        (tmp_path / f"{number}.png").write_bytes(picture(number=number))
    rows = ["id,title,price,image", *(f"p{n},Thing {n},1,{n}.png" for n in range(24))]
    (tmp_path / "catalogue.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "shop.toml").write_text(MAPPING)
    ingest(clip_folder, data, tmp_path)
    shutil.copytree(data, tmp_path / "other", symlinks=True)
    before = contents(data)
    reindex(other_clip_folder, tmp_path / "other", tmp_path)
    reindex(other_clip_folder, data, tmp_path, "--ray", cluster.address)
    here = contents(data)
    assert_equal(here, contents(tmp_path / "other"))
    assert any(
        np.abs(here.vectors[name][1] - v[1]).max() > 0.01 for name, v in before.vectors.items()
    )


def drawn(_host: Host, request: BaseHTTPRequestHandler) -> tuple[int, bytes, dict[str, str]]:
    """A picture by the number in its address."""
    return 200, picture(number=int(request.path.strip("/").split(".")[0])), {}


def test_the_whole_cluster_is_one_polite_guest(
    tmp_path: Path, data: Path, cluster: Cluster, clip_folder: Path
):
    with closing(Host(drawn)) as host:
        rows = ["id,title,price,image"]
        rows += [f"p{n},Thing {n},1,{host.url}/{n % 60}.png" for n in range(120)]
        (tmp_path / "catalogue.csv").write_text("\n".join(rows) + "\n")
        (tmp_path / "shop.toml").write_text(MAPPING)
        summary = ingest(
            clip_folder,
            data,
            tmp_path,
            VITRINE_RAY_ADDRESS=cluster.address,
            VITRINE_FETCH_PER_HOST="2",
        )
    assert (summary["done"], summary["embedded"]) == (120, 60)
    addresses = Counter(request["path"] for request in host.requests)
    assert set(addresses.values()) == {1}, "each picture is fetched once"
    assert host.most_at_once <= 2


def test_without_the_extra_one_sentence_says_what_to_install(
    tmp_path: Path, catalogue: Path, clip_folder: Path
):
    program = (
        "import sys; sys.modules['ray'] = None; sys.argv[0] = 'vitrine'\n"
        "from vitrine.cli import main; main()"
    )
    arguments = ["ingest", "catalogue.csv", "--map", "shop.toml", "--ray", "127.0.0.1:1"]
    settings = {"VITRINE_DATA_DIR": str(tmp_path), "VITRINE_MODEL": str(clip_folder)}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=catalogue,
        env=environment(**settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 2
    assert "pip install 'vitrine[ray]'" in done.stderr
    assert "Traceback" not in done.stderr
