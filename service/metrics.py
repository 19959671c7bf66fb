"""`/metrics` for Prometheus, right with one serving process and with several."""

from __future__ import annotations

import os
import threading
from collections import Counter as PassSizes
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Protocol, cast
from weakref import WeakKeyDictionary

from flask import Blueprint, Flask, Response, current_app, g, request
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from service.container import current_admin, current_vitrine
from service.edge.calls import WAITED
from service.headers import elapsed_ms
from service.job_metrics import JobMetrics
from vitrine.errors import VitrineError
from vitrine.index import VersionFilling
from vitrine.wiring import Vitrine

__all__ = ["Metrics", "current_metrics", "metrics", "metrics_of", "register_metrics"]

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder in which serving processes count together."""

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_KEY = "vitrine_metrics"

metrics = Blueprint("metrics", __name__)


class _Counting(Protocol):
    """A cache that counts its look-ups, as the embedder's does."""

    hits: int
    misses: int


class _Batching(Protocol):
    """A model that counts its forward passes by the number of items in each."""

    @property
    def batch_sizes(self) -> PassSizes[int]: ...


class Metrics:
    """The counters of one app."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: WeakKeyDictionary[object, tuple[int, int]] = WeakKeyDictionary()
        # it would be a second series for each counter, which nobody asks for
        disable_created_metrics()  # type: ignore[no-untyped-call]
        own = self.registry = CollectorRegistry()
        self.requests = Counter(
            "vitrine_requests", "Requests answered", ["method", "route", "status"], registry=own
        )
        self.seconds = Histogram(
            "vitrine_request_seconds", "Time to answer", ["route"], buckets=_BUCKETS, registry=own
        )
        self.stages = Histogram(
            "vitrine_stage_seconds",
            "Time of a search by stage",
            ["stage"],
            buckets=_BUCKETS,
            registry=own,
        )
        self.cache = Counter("vitrine_cache", "Cache lookups", ["cache", "result"], registry=own)
        self.refused = Counter(
            "vitrine_refused", "Requests refused before they ran", ["reason"], registry=own
        )
        self.waits = Histogram(
            "vitrine_wait_seconds",
            "Time that complete requests waited for a thread",
            buckets=_BUCKETS,
            registry=own,
        )
        self.waiting = _process_gauge(
            "vitrine_waiting_requests", "Requests waiting for a thread", own
        )
        self.connections = _process_gauge("vitrine_connections", "Open connections", own)
        self.empty = Counter("vitrine_empty_answers", "Searches that found nothing", registry=own)
        self.batches = Counter("vitrine_model_batches", "Forward passes of queries", registry=own)
        self.batched = Counter(
            "vitrine_model_batch_items", "Texts and pictures in these passes", registry=own
        )
        # the library looks each up under a lock, which takes longer than to count
        self.requests_of = cache(self.requests.labels)
        self.seconds_of = cache(self.seconds.labels)
        self.stage_of = cache(self.stages.labels)

    def follow_models(self, models: Iterable[object]) -> None:
        """Count what these models and their caches have done since the last call."""
        for model in models:
            self.follow("embeddings", model)
            self.follow_batches(model)

    def follow(self, name: str, cache: object) -> None:
        """Add what a cache that counts its own hits and misses has counted since the last call."""
        if not hasattr(cache, "hits"):
            return
        counting = cast(_Counting, cache)
        with self._lock:
            hits, misses = counting.hits, counting.misses
            seen_hits, seen_misses = self._seen.get(cache, (0, 0))
            self._seen[cache] = (hits, misses)
        self.cached(name, hits=hits - seen_hits, misses=misses - seen_misses)

    def follow_batches(self, model: object) -> None:
        """Count the forward passes that a model has made since the last call."""
        while model is not None and not hasattr(type(model), "batch_sizes"):
            model = getattr(model, "inner", None)
        if model is None:
            return
        with self._lock:
            sizes = cast(_Batching, model).batch_sizes
            now = (sum(sizes.values()), sum(size * count for size, count in sizes.items()))
            before = self._seen.get(model, (0, 0))
            self._seen[model] = now
        self.batches.inc(now[0] - before[0])
        self.batched.inc(now[1] - before[1])

    def cached(self, cache: str, *, hits: int, misses: int) -> None:
        """Count look-ups of a cache."""
        self.cache.labels(cache, "hit").inc(hits)
        self.cache.labels(cache, "miss").inc(misses)

    def exposed(self, vitrine: Vitrine, jobs: JobMetrics) -> bytes:
        """Prometheus' text format: the counters of all serving processes and the index's state."""
        self.follow_models(vitrine.embedders.loaded)
        state = CollectorRegistry()
        state.register(_IndexState(vitrine))
        state.register(jobs)
        counters = self.registry
        if os.environ.get(MULTIPROCESS):
            counters = CollectorRegistry()
            MultiProcessCollector(counters)  # type: ignore[no-untyped-call]
        return generate_latest(counters) + generate_latest(state)


class _IndexState(Collector):
    """What the index is like at the moment it is asked; the same from every serving process."""

    def __init__(self, vitrine: Vitrine) -> None:
        self._vitrine = vitrine

    def collect(self) -> Iterator[Metric]:
        """Where models run; whether the live version answers, which one it is and how much it
        holds."""
        yield _models(self._vitrine)
        try:
            live = self._vitrine.versions.live()
            count = live.count()
        except VitrineError:
            yield GaugeMetricFamily("vitrine_index_up", "Whether the live version answers", value=0)
            return
        yield GaugeMetricFamily("vitrine_index_up", "Whether the live version answers", value=1)
        yield GaugeMetricFamily("vitrine_products", "Products in the live version", value=count)
        info = GaugeMetricFamily(
            "vitrine_index_info", "Which version is live", labels=["version", "model", "backend"]
        )
        info.add_metric([live.info.name, live.info.model, live.info.backend], 1)
        yield info
        if live.info.filling is not None:
            yield _filling(live.info.name, live.info.filling)


def _models(vitrine: Vitrine) -> Metric:
    family = GaugeMetricFamily(
        "vitrine_model_info",
        "Where a loaded model runs, and whether it reads texts as CUDA graphs",
        labels=["model", "device", "precision", "text_graphs"],
    )
    for name, compute in {(each.info.name, each.compute) for each in vitrine.embedders.loaded}:
        graphs = "yes" if compute.text_graphs else "no"
        family.add_metric([name, compute.device, compute.precision, graphs], 1)
    return family


def _filling(version: str, filling: VersionFilling) -> Metric:
    family = GaugeMetricFamily(
        "vitrine_index_filling_seconds",
        "Time in which an ingest filled the live version, and how it embedded",
        labels=["version", "device", "precision", "batch"],
    )
    labels = [version, filling.device, filling.precision, str(filling.batch)]
    family.add_metric(labels, filling.seconds)
    return family


def _process_gauge(name: str, meaning: str, registry: CollectorRegistry) -> Gauge:
    """A gauge that all serving processes that live add up to."""
    return Gauge(name, meaning, registry=registry, multiprocess_mode="livesum")


def register_metrics(app: Flask) -> None:
    """Count every answer of the app and serve the counts."""
    app.extensions[_KEY] = Metrics()
    app.after_request(_count)
    app.register_blueprint(metrics)


def metrics_of(app: Flask) -> Metrics:
    """The counters of an app."""
    return cast(Metrics, app.extensions[_KEY])


def current_metrics() -> Metrics:
    """The counters of the app that handles the present request."""
    return metrics_of(current_app)


@metrics.get("/metrics")
def expose() -> Response:
    """The counts in Prometheus' text format."""
    text = current_metrics().exposed(current_vitrine(), JobMetrics(current_admin))
    return Response(text, content_type=CONTENT_TYPE_LATEST)


def _count(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule is not None else "unmatched"
    counted = current_metrics()
    method = request.method if request.url_rule else "any"
    counted.requests_of(method, route, response.status_code).inc()
    counted.seconds_of(route).observe(elapsed_ms() / 1e3)
    for stage, ms in g.get("stages", {}).items():
        if stage != "total":
            counted.stage_of(stage).observe(ms / 1e3)
    if WAITED in request.environ:
        counted.waits.observe(request.environ[WAITED])
    if g.get("empty"):
        counted.empty.inc()
    return response
