"""The service over real HTTP through gunicorn: start-up, memory, and queries uncached, cached,
by one client and by sixteen, beside writes, with more serving processes, and what each hands on."""

from __future__ import annotations

import time
import urllib.parse
from pathlib import Path

from benchmarks import handing_on
from benchmarks.client import get, get_in_parallel
from benchmarks.report import Figure, Report, median, percentile
from benchmarks.service_process import Service, served
from benchmarks.text_floor import BATCH, TextFloor, measure_text_floor
from benchmarks.texts import NewTexts
from benchmarks.vectors import SCHEMA, clustered, fill
from benchmarks.writing import add_beside_writes, writing
from vitrine.cores import usable_cores
from vitrine.embedding.load import load_embedder
from vitrine.embedding.ports import ModelInfo
from vitrine.index.faiss import open_versions
from vitrine.settings import Settings

__all__ = ["measure", "publish_products", "search_paths"]

FILTER = "price_min=50&price_max=300&color=red&color=blue&facets=color,price"

_CLIENTS = 16
_PROCESSES = (1, 2, 4, 8, 16, 32)
_LEAST_FOR_P99 = 400
"""Requests of which four make the slowest hundredth."""
CORES = usable_cores()


def measure(report: Report, model: Path, work: Path, *, products: int, requests: int) -> None:
    """Figures of a service over `products` random products with a full-size model."""
    settings = Settings(
        data_dir=work / "data", model=str(model), runtime="onnx"
    )  # with the export that ingest made there
    version, vectors_mb = publish_products(settings, load_embedder(settings).info, products)
    texts = NewTexts()
    floor = measure_text_floor(settings)
    with served(settings) as service:
        report.add(
            Figure(
                f"service ready over {products // 1000}k products",
                service.ready_s,
                "s",
                "<= 5",
                service.ready_s <= 5,
            )
        )
        allowed = floor.model_mb + 1.3 * vectors_mb + 150
        _memory(
            report,
            "memory of the service when ready",
            service,
            allowed,
            {"model": floor.model_mb, "vectors": vectors_mb},
        )
        _queries(report, service, texts, floor, requests)
        _memory(report, "memory of the service after all these queries", service, allowed, {})
        _beside_writes(report, settings, version, service, texts, requests)
    for processes in (number for number in _PROCESSES if number <= CORES):
        with served(settings, workers=processes) as service:
            _cached(report, service, requests * 4, clients=_CLIENTS, processes=processes)
            rate, costs = _uncached_by_16(service, texts, requests)
            name = f"uncached, {_CLIENTS} clients, {processes} serving process(es)"
            report.add(Figure(name, rate, "1/s", beside=costs))
    handing_on.measure(report, settings)


def _memory(
    report: Report, name: str, service: Service, allowed: float, beside: dict[str, float]
) -> None:
    use = service.memory()
    used = use.own + use.mapped
    beside = {"own": use.own, "of mapped files": use.mapped, **beside}
    report.add(Figure(name, used, "MB", f"<= {allowed:.0f}", used <= allowed, beside))


def search_paths(texts: NewTexts, count: int, more: str = "") -> list[str]:
    """Searches for texts that are new, one for each."""
    return [
        f"/v1/search?q={urllib.parse.quote_plus(text)}&limit=24{more}" for text in texts.some(count)
    ]


def _queries(
    report: Report, service: Service, texts: NewTexts, floor: TextFloor, requests: int
) -> None:
    """One client, then sixteen, every text new; then one client whose answer is kept."""
    get(service.port, search_paths(texts, 5))
    forward = {"onnx forward": floor.one_ms}
    single = get(service.port, search_paths(texts, requests))
    p50, most = median(single) * 1e3, floor.one_ms + 4
    report.add(
        Figure(
            "uncached text query, one client: p50",
            p50,
            "ms",
            f"<= {most:.1f}",
            p50 <= most,
            forward,
        )
    )
    for words, more in (
        ("100 candidates instead of 1,000", "&candidates=100"),
        ("two facets", "&facets=color,price"),
    ):
        ms = median(get(service.port, search_paths(texts, requests, more))) * 1e3
        report.add(Figure(f"the same with {words}: p50", ms, "ms", beside=forward))
    many, costs = _uncached_by_16(service, texts, requests)
    share = many / floor.batched_rate
    beside = {
        f"{_CLIENTS} clients 1/s": many,
        f"forward of {BATCH} 1/s": floor.batched_rate,
        "one client 1/s": requests / sum(single),
        **costs,
    }
    name = f"uncached, {_CLIENTS} clients against the batched forward pass"
    report.add(Figure(name, share, "x", ">= 0.6", share >= 0.6, beside))
    _cached(report, service, requests * 4, clients=1, processes=1)


def _beside_writes(
    report: Report,
    settings: Settings,
    version: str,
    service: Service,
    texts: NewTexts,
    requests: int,
) -> None:
    """Half of the queries and the slowest hundredth while products are written, against a quiet
    service."""
    requests = max(requests, _LEAST_FOR_P99)
    quiet = _latencies(service, texts, requests)
    with writing(settings, version) as writer:
        busy = _latencies(service, texts, requests)
    for kind, seconds in busy.items():
        add_beside_writes(report, kind, quiet[kind], seconds, writer)


def _latencies(service: Service, texts: NewTexts, requests: int) -> dict[str, list[float]]:
    """Seconds of uncached text queries by what they ask for."""
    facets = search_paths(texts, requests, "&facets=color,price")
    shares = [search_paths(texts, requests // 4) for _ in range(_CLIENTS)]
    return {
        "uncached text query": get(service.port, search_paths(texts, requests)),
        "the same with two facets": get(service.port, facets),
        f"uncached, {_CLIENTS} clients": get_in_parallel(service.port, shares)[1],
    }


def _uncached_by_16(
    service: Service, texts: NewTexts, requests: int
) -> tuple[float, dict[str, float]]:
    """Requests per second of 16 clients, each with queries of its own, and the milliseconds of a
    core that a query takes of the service and of its client, which share the cores."""
    each = requests // 4
    shares = [search_paths(texts, each) for _ in range(_CLIENTS)]
    own, served_s = time.process_time(), service.processor_s()
    seconds, _ = get_in_parallel(service.port, shares)
    own, served_s = time.process_time() - own, service.processor_s() - served_s
    count = _CLIENTS * each
    costs = {"service core ms": served_s / count * 1e3, "client core ms": own / count * 1e3}
    return count / seconds, costs


def _cached(
    report: Report, service: Service, requests: int, *, clients: int, processes: int
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


def publish_products(settings: Settings, model: ModelInfo, products: int) -> tuple[str, float]:
    """Publish a version of random products as if this model had made it.

    Returns its name and the megabytes of its vectors.
    """
    versions = open_versions(settings)
    vectors = clustered(products, model.dimension, seed=21)
    index = versions.create(
        model=settings.model,
        fingerprint=model.fingerprint,
        dimension=model.dimension,
        schema=SCHEMA,
        mapping={},
    )
    fill(index, vectors)
    versions.complete(index.info.name)
    versions.publish(index.info.name)
    index.close()
    return index.info.name, vectors.nbytes / 1e6
