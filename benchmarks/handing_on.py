"""What one process hands on beside its work: a serving process the requests of its sockets, an
embedder the texts of its callers; and what it takes to call one.

Each has one event loop and one lock of Python, so that its processor time says how much it can hand
on, however many cores there are. `python -m benchmarks.handing_on` is the process that is measured:
an embedder whose model costs nothing, and an address that is answered without an application.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from time import thread_time
from typing import Any

import numpy as np
import orjson
from flask import Flask
from numpy.typing import NDArray
from PIL import Image

from benchmarks.client import get_in_parallel, post_in_parallel
from benchmarks.report import Figure, Report
from benchmarks.service_process import Service, running
from benchmarks.texts import NewTexts
from service.embedding.serving import EmbedderServer
from service.serving import run
from vitrine.embedding.batching import BatchingEmbedder
from vitrine.embedding.caching import CachingEmbedder
from vitrine.embedding.image_preprocessor import ImagePreprocessor
from vitrine.embedding.load import QUERY_BATCH
from vitrine.embedding.ports import Compute, ModelInfo
from vitrine.embedding.remote import RemoteEmbedder
from vitrine.settings import Settings, load_settings
from vitrine.wiring import Vitrine

__all__ = ["measure"]

_CLIENTS, _EACH, _ROUNDS = 16, 40, 8
_CALLS = 500
_LEAST_RATE = 2000.0
"""Twice the answers a second that 16 clients are to get of 16 cores and a card."""
_BARE = "/bare"
_PAGE = b"x" * 20_000
"""About what a page of 24 products takes."""
_TOGETHER = 8
_SIDE = 224


def measure(report: Report, settings: Settings) -> None:
    """Requests and texts a second of a core, the most of some rounds."""
    texts = NewTexts()
    environment = {"VITRINE_DATA_DIR": str(settings.data_dir / "handing-on")}
    with running(__name__, environment) as service:
        _add(report, "requests handed on by a serving process", service, _ask_bare)
        for each in (1, _TOGETHER):
            name = f"texts handed on by the embedder, {each} in a request"
            _add(report, name, service, partial(_embed, texts, each), each)
        _add_calls(report, service, texts)


def _ask_bare(service: Service) -> None:
    get_in_parallel(service.port, [[_BARE] * _EACH] * _CLIENTS)


def _embed(texts: NewTexts, each: int, service: Service) -> None:
    bodies = [orjson.dumps({"texts": texts.some(each)}) for _ in range(_CLIENTS * _EACH)]
    shares = [bodies[number::_CLIENTS] for number in range(_CLIENTS)]
    post_in_parallel(service.port, "/v1/texts", shares)


def _add(
    report: Report, name: str, service: Service, ask: Callable[[Service], None], each: int = 1
) -> None:
    """`each` is how many of what is counted a request has."""
    ask(service)
    least_s = min(_processor_s(service, ask) for _ in range(_ROUNDS))
    core_ms = least_s / (_CLIENTS * _EACH) * 1e3
    report.add(_figure(name, each * 1e3 / core_ms, {"core ms of a request": core_ms}))


def _add_calls(report: Report, service: Service, texts: NewTexts) -> None:
    """What a call takes of the process that asks: its thread's time, of no other's."""
    url = f"http://127.0.0.1:{service.port}"
    embedder = RemoteEmbedder(load_settings(embedder_url=url, embedder_token=""))
    least_s = min(_calling_s(embedder, texts.some(_CALLS)) for _ in range(_ROUNDS))
    embedder.close()
    core_ms = least_s / _CALLS * 1e3
    name = "calls of an embedder by a serving process"
    report.add(_figure(name, 1e3 / core_ms, {"core ms of a call": core_ms}))


def _figure(name: str, rate: float, beside: dict[str, float]) -> Figure:
    met = rate >= _LEAST_RATE
    return Figure(name, rate, "1/s of a core", f">= {_LEAST_RATE:g}", met, beside)


def _calling_s(embedder: RemoteEmbedder, texts: Sequence[str]) -> float:
    before = thread_time()
    for text in texts:
        embedder.embed_texts([text])
    return thread_time() - before


def _processor_s(service: Service, ask: Callable[[Service], None]) -> float:
    before = service.processor_s()
    ask(service)
    return service.processor_s() - before


class _Instant:
    """An `Embedder` of no model: the same unit row for every text and picture."""

    info = ModelInfo("instant", "0" * 64, 512, 1.0, _SIDE)
    compute = Compute("cpu", "fp32")
    pictures = ImagePreprocessor(
        shortest=_SIDE,
        resized=None,
        crop=(_SIDE, _SIDE),
        resample=Image.Resampling.BICUBIC,
        scale=1 / 255,
        mean=(0.5, 0.5, 0.5),
        deviation=(0.5, 0.5, 0.5),
    )

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row per text."""
        return self._rows(len(texts))

    def embed_images(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        """One row per picture."""
        return self._rows(len(images))

    def preprocess(self, images: Sequence[Image.Image]) -> NDArray[np.uint8]:
        """Levels that nobody looks at."""
        return np.zeros((len(images), _SIDE, _SIDE, 3), np.uint8)

    def embed_pixels(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """One row per picture."""
        return self._rows(len(pixels))

    def truncates(self, text: str) -> bool:
        """Reads any text."""
        return False

    def _rows(self, count: int) -> NDArray[np.float32]:
        return np.full((count, self.info.dimension), self.info.dimension**-0.5, np.float32)


class _Server(EmbedderServer):
    def make_app(self) -> Flask:
        """The embedder's, which answers one address without being asked."""
        app = super().make_app()
        embedder = app.wsgi_app

        def answering(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            if environ["PATH_INFO"] != _BARE:
                return embedder(environ, start)
            start("200 OK", [("Content-Type", "application/json")])
            return [_PAGE]

        app.wsgi_app = answering  # type: ignore[method-assign,assignment]
        return app


def _embedder(settings: Settings) -> CachingEmbedder:
    """As the service has it (`vitrine.embedding.load`)."""
    timeout_s = settings.query_timeout_s
    batching = BatchingEmbedder(_Instant(), most=QUERY_BATCH, timeout_s=timeout_s)
    return CachingEmbedder(batching, size=settings.embedding_cache, timeout_s=timeout_s)


if __name__ == "__main__":
    own = load_settings(workers=1, threads=64, embedder_url="")
    run(Vitrine(own, embedder=lambda _: _embedder(own)), _Server)
