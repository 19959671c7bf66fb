"""The service over real HTTP through gunicorn: start-up, memory, and queries uncached, cached,
by one client and by sixteen."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from tqdm import tqdm

from benchmarks.client import get, get_in_parallel
from benchmarks.report import Figure, Report, median, percentile
from benchmarks.vectors import SCHEMA, clustered, records
from vitrine.embedding.load import load_embedder
from vitrine.index.faiss import open_versions
from vitrine.settings import Settings

__all__ = ["measure"]

FILTER = "price_min=50&price_max=300&color=red&color=blue&facets=color,price"


CORES = os.cpu_count() or 1


@dataclass(frozen=True)
class _Service:
    port: int
    process: psutil.Process
    ready_s: float

    def memory_mb(self) -> float:
        """Proportional set size of the service and its workers."""
        return (
            float(
                sum(
                    p.memory_full_info().pss
                    for p in (self.process, *self.process.children(recursive=True))
                )
            )
            / 1e6
        )


def measure(report: Report, model: Path, work: Path, *, products: int, requests: int) -> None:
    """Figures of a service over `products` random products with a full-size model."""
    settings = Settings(
        data_dir=work / "data", model=str(model), runtime="onnx"
    )  # with the export that ingest made there
    vectors_mb = _fill(settings, model, products)
    texts = _Texts()
    forward_ms, model_mb = _floor(settings, texts.some(60))
    with _served(settings) as service:
        report.add(
            Figure(
                f"service ready over {products // 1000}k products",
                service.ready_s,
                "s",
                "<= 5",
                service.ready_s <= 5,
            )
        )
        allowed = model_mb + 1.3 * vectors_mb + 150
        _memory(
            report,
            "memory of the service when ready",
            service,
            allowed,
            {"model": model_mb, "vectors": vectors_mb},
        )
        _queries(report, service, texts, forward_ms, requests)
        _memory(report, "memory of the service after all these queries", service, allowed, {})
    with _served(settings, workers=CORES) as service:
        _cached(report, service, requests * 4, clients=16, processes=CORES)
        rate = _uncached_by_16(service, texts, requests)
        report.add(Figure(f"uncached, 16 clients, {CORES} serving processes", rate, "1/s"))


def _memory(
    report: Report, name: str, service: _Service, allowed: float, beside: dict[str, float]
) -> None:
    used = service.memory_mb()
    report.add(Figure(name, used, "MB", f"<= {allowed:.0f}", used <= allowed, beside))


class _Texts:
    """Short queries, all of one length and no two the same."""

    def __init__(self) -> None:
        self._numbers = itertools.count(10_000)

    def some(self, count: int) -> list[str]:
        return [f"red dress {number}" for number in itertools.islice(self._numbers, count)]

    def paths(self, count: int, more: str = "") -> list[str]:
        return [
            f"/v1/search?q={urllib.parse.quote_plus(text)}&limit=24{more}"
            for text in self.some(count)
        ]


def _queries(
    report: Report, service: _Service, texts: _Texts, forward_ms: float, requests: int
) -> None:
    get(service.port, texts.paths(5))
    single = get(service.port, texts.paths(requests))
    p50 = median(single) * 1e3
    target = f"<= {forward_ms + 4:.1f}"
    report.add(
        Figure(
            "uncached text query, one client: p50",
            p50,
            "ms",
            target,
            p50 <= forward_ms + 4,
            {"onnx forward": forward_ms},
        )
    )
    fewer = median(get(service.port, texts.paths(requests, "&candidates=100"))) * 1e3
    report.add(
        Figure(
            "the same with 100 candidates instead of 1,000: p50",
            fewer,
            "ms",
            beside={"onnx forward": forward_ms},
        )
    )
    counted = median(get(service.port, texts.paths(requests, "&facets=color,price"))) * 1e3
    report.add(
        Figure("the same with two facets: p50", counted, "ms", beside={"onnx forward": forward_ms})
    )
    one = requests / sum(single)
    many = _uncached_by_16(service, texts, requests)
    beside = {"16 clients 1/s": many, "one client 1/s": one}
    report.add(
        Figure(
            "uncached, 16 clients against one", many / one, "x", ">= 2.5", many / one >= 2.5, beside
        )
    )
    for clients in (1, 16):
        _cached(report, service, requests * 4, clients=clients, processes=1)


def _uncached_by_16(service: _Service, texts: _Texts, requests: int) -> float:
    """Requests per second of 16 clients, each with queries of its own."""
    each = requests // 4
    seconds, _ = get_in_parallel(service.port, [texts.paths(each) for _ in range(16)])
    return 16 * each / seconds


def _cached(
    report: Report, service: _Service, requests: int, *, clients: int, processes: int
) -> None:
    """Requests per second for one query whose embedding and answer are kept.

    Aimed at with a serving process for each core.
    """
    paths = [f"/v1/search?q=red+thing&limit=24&{FILTER}"] * requests
    for _ in range(processes):
        get_in_parallel(
            service.port, [paths[:10]] * 8
        )  # every process has its model and the answer
    share = paths[: requests // clients]
    seconds, latencies = get_in_parallel(service.port, [share] * clients)
    rate, p95 = clients * len(share) / seconds, percentile(latencies, 0.95) * 1e3
    name = f"cached, price and color filter, {clients} client(s), {processes} serving process(es)"
    report.add(
        Figure(
            name,
            rate,
            "1/s",
            ">= 500",
            rate >= 500 if clients > 1 and processes == CORES else None,
            {"p95 ms": p95},
        )
    )


def _fill(settings: Settings, model: Path, products: int) -> float:
    """Publish a version of random products as if this model had made it.

    Returns the megabytes of its vectors.
    """
    info = load_embedder(settings).info
    versions = open_versions(settings)
    vectors = clustered(products, info.dimension, seed=21)
    index = versions.create(
        model=str(model),
        fingerprint=info.fingerprint,
        dimension=info.dimension,
        schema=SCHEMA,
        mapping={},
    )
    for batch in tqdm(
        records(vectors, seed=22), total=-(-products // 5000), desc="filling", leave=False
    ):
        index.upsert(batch)
    versions.complete(index.info.name)
    versions.publish(index.info.name)
    index.close()
    return vectors.nbytes / 1e6


def _floor(settings: Settings, texts: list[str]) -> tuple[float, float]:
    """Milliseconds of one text through the runtime alone, and megabytes of a process that holds
    the loaded model."""
    program = (
        "import json, sys, time, psutil\n"
        "from vitrine.settings import Settings\n"
        "from vitrine.embedding.load import load_embedder\n"
        "from vitrine.serving import run_once\n"
        "memory = lambda: psutil.Process().memory_full_info().pss\n"
        "before = memory()\n"
        "embedder = load_embedder(Settings(**json.loads(sys.argv[1])))\n"
        "run_once(embedder)\n"
        "seconds = []\n"
        "for text in json.loads(sys.argv[2]):\n"
        "    start = time.perf_counter()\n"
        "    embedder.embed_texts([text])\n"
        "    seconds.append(time.perf_counter() - start)\n"
        "print(sorted(seconds)[len(seconds) // 2] * 1e3, (memory() - before) / 1e6)"
    )
    arguments = [
        json.dumps(
            {"data_dir": str(settings.data_dir), "model": settings.model, "runtime": "onnx"}
        ),
        json.dumps(texts),
    ]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    forward_ms, model_mb = (float(word) for word in done.stdout.split())
    return forward_ms, model_mb


@contextmanager
def _served(settings: Settings, *, workers: int = 1) -> Iterator[_Service]:
    port = _free_port()
    environment = os.environ | {
        "VITRINE_DATA_DIR": str(settings.data_dir),
        "VITRINE_MODEL": settings.model,
        "VITRINE_RUNTIME": "onnx",
        "VITRINE_PORT": str(port),
        "VITRINE_LOG_LEVEL": "warning",
        "VITRINE_WORKERS": str(workers),
    }
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "service"], env=environment)
    try:
        while not _ready(port):
            if process.poll() is not None or time.perf_counter() - started > 120:
                raise SystemExit("the service did not become ready")
            time.sleep(0.02)
        yield _Service(port, psutil.Process(process.pid), time.perf_counter() - started)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def _ready(port: int) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port
