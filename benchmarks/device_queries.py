"""New texts over HTTP to a service with all defaults, beside forward passes of texts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from benchmarks import handing_on
from benchmarks.client import get_in_parallel
from benchmarks.report import Figure, Report, median
from benchmarks.service_process import Service, served
from benchmarks.serving import publish_products, search_paths
from benchmarks.texts import NewTexts
from vitrine.cores import usable_cores
from vitrine.embedding import Embedder
from vitrine.settings import Settings

__all__ = ["measure"]

_CLIENTS = (1, 16, 64)
_READY_S = 8.0
_LEAST_EACH = 20
"""Requests of each client, where there are many."""
_MOST_OVER_FORWARD_MS = 4.0
"""Half of one client's answers may take so much longer than the forward pass of a text."""
_LEAST_RATE = 1000.0
"""Answers a second for 16 clients with the cores below."""
_CORES = 16


def measure(
    report: Report,
    settings: Settings,
    embedder: Embedder,
    forward_ms: Mapping[int, float],
    *,
    products: int,
    requests: int,
) -> None:
    """Seconds until the service is ready; for 1, 16 and 64 clients the median of the milliseconds
    and answers a second.

    `forward_ms` are milliseconds of the forward pass of 1 text and of 16. Targets are for a card.
    """
    publish_products(settings, embedder.info, products)
    on_card, texts = embedder.compute.device != "cpu", NewTexts()
    forward = {"forward of 1 ms": forward_ms[1], "forward of 16 ms": forward_ms[16]}
    with served(settings, workers=0) as service:
        ready_s = service.ready_s
        report.add(
            Figure(
                f"service ready over {products // 1000}k products",
                ready_s,
                "s",
                f"<= {_READY_S:g}" if on_card else "",
                ready_s <= _READY_S if on_card else None,
            )
        )
        _ask(service, texts, max(_CLIENTS), 2)  # nothing is measured while processes still load
        for clients in _CLIENTS:
            each = max(requests // clients, min(_LEAST_EACH, requests // 10))
            p50_ms, rate = _ask(service, texts, clients, each)
            add = partial(_add, report, clients, forward)
            most = forward_ms[1] + _MOST_OVER_FORWARD_MS
            add("median", p50_ms, "ms", (1, f"<= {most:.1f}", p50_ms <= most) if on_card else None)
            met = (16, f">= {_LEAST_RATE:g}", rate >= _LEAST_RATE)
            add("rate", rate, "1/s", met if on_card and usable_cores() >= _CORES else None)
    handing_on.measure(report, settings)


def _add(
    report: Report,
    clients: int,
    forward: dict[str, float],
    name: str,
    value: float,
    unit: str,
    target: tuple[int, str, bool] | None,
) -> None:
    """`target` is for so many clients, in words, and whether this value would meet it."""
    asked, words, met = target or (0, "", False)
    shown = f"{words} for {asked}" if target else ""
    verdict = met if clients == asked else None
    case = f"{clients} client(s)"
    name = f"new texts over HTTP, {name}"
    report.add(Figure(name, value, unit, shown, verdict, forward, case=case))


def _ask(service: Service, texts: NewTexts, clients: int, each: int) -> tuple[float, float]:
    """The median in milliseconds, and answers a second."""
    shares = [search_paths(texts, each) for _ in range(clients)]
    seconds, latencies = get_in_parallel(service.port, shares)
    return median(latencies) * 1e3, clients * each / seconds
