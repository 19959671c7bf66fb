"""Which index version answers now, together with its model."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from PIL import Image

from vitrine.embedding import Embedder
from vitrine.errors import ModelMismatch, NotFound, VitrineError
from vitrine.index import IndexQuery, IndexVersions, VectorIndex
from vitrine.products import Vector

__all__ = ["EmbedderPool", "LiveIndex", "Serving", "run_once"]

log = logging.getLogger(__name__)

_AGAIN_S = 10.0
"""Seconds, at most, after preparing a version has failed until the next attempt."""

_SOON_S = 0.1
"""After the first failure: until a version is ready, writes that go into it are not shown."""


class EmbedderPool:
    """The loaded models by name, each loaded once.

    `load` turns a model's name into its embedder.
    """

    def __init__(self, load: Callable[[str], Embedder]) -> None:
        self._load = load
        self._loaded: dict[str, Embedder] = {}
        self._lock = threading.RLock()

    def get(self, model: str) -> Embedder:
        """The embedder of a model's name, loaded at first use.

        `ModelUnavailable` when that fails.
        """
        loaded = self._loaded.get(model)
        if loaded is not None:
            return loaded
        with self._lock:
            if model not in self._loaded:
                self._loaded[model] = self._load(model)
            return self._loaded[model]

    @property
    def loaded(self) -> tuple[Embedder, ...]:
        """Those that are loaded by now."""
        return tuple(self._loaded.values())

    def for_index(self, index: VectorIndex) -> Embedder:
        """The embedder that made the index.

        `ModelMismatch` when the model of that name is no longer the same one.
        """
        embedder = self.get(index.info.model)
        if embedder.info.fingerprint != index.info.fingerprint:
            raise ModelMismatch(
                f"index version {index.info.name} was built by {index.info.model} with fingerprint"
                f" {index.info.fingerprint[:12]}, but the model of that name now has"
                f" {embedder.info.fingerprint[:12]}; run `vitrine reindex`, or put the earlier"
                " model back"
            )
        return embedder


@dataclass(frozen=True)
class Serving:
    """An index version and the embedder of its model; they are only used together."""

    index: VectorIndex
    embedder: Embedder

    def warm(self) -> None:
        """Do everything once that is slow at first use, so that no query has to wait for it."""
        self.index.search(IndexQuery(vector=run_once(self.embedder), limit=1))


def run_once(embedder: Embedder) -> Vector:
    """Run both sides of a model, which are loaded side by side; gives the vector of a text."""
    side = embedder.info.image_size
    with ThreadPoolExecutor(1, thread_name_prefix="warm-up") as beside:
        image = beside.submit(embedder.embed_images, [Image.new("RGB", (side, side))])
        vector: Vector = embedder.embed_texts(["warm up"])[0]
        image.result()
    return vector


class LiveIndex:
    """Follows the live pointer without making a search wait.

    When another version is published, its model and its index are loaded and run once in the
    background while the version before it goes on answering; back to that one it goes at once. Each
    search uses one version and that version's model throughout.
    """

    def __init__(self, versions: IndexVersions, embedders: EmbedderPool) -> None:
        self._versions = versions
        self._embedders = embedders
        self._serving: Serving | None = None
        self._ready: dict[str, Serving] = {}
        """By version name: the one that answers, the one before it, and one that has just been made
        ready."""
        self._preparing = False
        self._not_before = 0.0
        self._pause_s = _SOON_S
        self._lock = threading.Lock()

    def current(self) -> Serving:
        """The version that answers now; `NoLiveVersion`, `IndexUnavailable`, `ModelUnavailable` or
        `ModelMismatch` when none can.

        Only the first call of a process waits for a model, and one whose version was removed while
        the next was made ready.
        """
        live = self._versions.live()
        serving = self._serving
        if serving is not None and serving.index.info.name == live.info.name:
            return serving
        ready = self._ready.get(live.info.name)
        if ready is not None:
            return self._switch(ready)
        if serving is None or not self._there(serving):
            return self._switch(Serving(live, self._embedders.for_index(live)))
        self._prepare(live)
        return serving

    @property
    def latest(self) -> VectorIndex | None:
        """The version that answered last, without a look at the index; None before the first."""
        return None if self._serving is None else self._serving.index

    def of(self, version: str) -> Serving:
        """A version by name, for a further page of a search that began on it.

        `NotFound` when it is gone.
        """
        index = self._versions.open(version)
        serving = self._serving
        if serving is not None and serving.index.info.name == version:
            return serving
        return Serving(index, self._embedders.for_index(index))

    def _there(self, serving: Serving) -> bool:
        """Whether a version, which may no longer be live, has not been removed."""
        try:
            self._versions.open(serving.index.info.name)
        except NotFound:
            return False
        return True

    def _switch(self, to: Serving) -> Serving:
        with self._lock:
            before = self._serving
            if before is None or before.index.info.name != to.index.info.name:
                self._ready = {s.index.info.name: s for s in (before, to) if s is not None}
                self._serving = to
        return to

    def _prepare(self, live: VectorIndex) -> None:
        with self._lock:
            if self._preparing or time.monotonic() < self._not_before:
                return
            self._preparing = True
        threading.Thread(
            target=self._make_ready, args=(live,), name="prepare-version", daemon=True
        ).start()

    def _make_ready(self, live: VectorIndex) -> None:
        failed = True
        try:
            serving = Serving(live, self._embedders.for_index(live))
            serving.warm()
            with self._lock:
                self._ready = {**self._ready, live.info.name: serving}
            failed = False
        except VitrineError as error:
            log.error(
                "version %s is live, but cannot be used yet, and the version before it goes on"
                " answering: %s; should its model have been replaced under the same name, start the"
                " service again",
                live.info.name,
                error,
            )
        finally:
            with self._lock:
                self._not_before = time.monotonic() + self._pause_s if failed else 0.0
                self._pause_s = min(_AGAIN_S, 2 * self._pause_s) if failed else _SOON_S
                self._preparing = False
