"""Which index version answers now, together with the model that understands it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from vitrine.embedding import Embedder
from vitrine.errors import ModelMismatch, VitrineError
from vitrine.index import IndexVersions, VectorIndex

__all__ = ["EmbedderPool", "LiveIndex", "Serving"]

log = logging.getLogger(__name__)


class EmbedderPool:
    """The loaded models by name, each loaded once; `load` turns a model's name into its embedder."""

    def __init__(self, load: Callable[[str], Embedder]) -> None:
        self._load = load
        self._loaded: dict[str, Embedder] = {}
        self._lock = threading.RLock()

    def get(self, model: str) -> Embedder:
        """The embedder of a model's name, loaded at first use; `ModelUnavailable` when that fails."""
        found = self._loaded.get(model)
        if found is not None:
            return found
        with self._lock:
            if model not in self._loaded:
                self._loaded[model] = self._load(model)
            return self._loaded[model]

    def for_index(self, index: VectorIndex) -> Embedder:
        """The embedder that made the index; `ModelMismatch` when the model of that name is no longer the same one."""
        embedder = self.get(index.info.model)
        if embedder.card.fingerprint != index.info.fingerprint:
            raise ModelMismatch(
                f"index version {index.info.name} was built by {index.info.model} with fingerprint {index.info.fingerprint[:12]}, but the "
                f"model of that name now has {embedder.card.fingerprint[:12]}; run `vitrine reindex`, or put the earlier model back"
            )
        return embedder

    def has(self, model: str) -> bool:
        """Whether the model is loaded already."""
        return model in self._loaded


@dataclass(frozen=True)
class Serving:
    """An index version and the embedder of its own model; they are only ever used together."""

    index: VectorIndex
    embedder: Embedder


class LiveIndex:
    """Follows the live pointer without making a search wait.

    When a version of another model is published, its model is loaded in the background while the previous
    version goes on answering; each search uses one version and that version's model throughout.
    """

    def __init__(self, versions: IndexVersions, embedders: EmbedderPool) -> None:
        self._versions = versions
        self._embedders = embedders
        self._serving: Serving | None = None
        self._loading: str | None = None
        self._lock = threading.Lock()

    def current(self) -> Serving:
        """The version that answers now; `NoLiveVersion`, `IndexUnavailable`, `ModelUnavailable` or `ModelMismatch` when none can."""
        live = self._versions.live()
        serving = self._serving
        if serving is not None and serving.index.info.name == live.info.name:
            return serving
        if serving is None or self._embedders.has(live.info.model):
            return self._switch(live)
        self._load_aside(live)
        return serving

    def of(self, version: str) -> Serving:
        """A version by name, for a walk that began on it; `NotFound` when it is gone."""
        serving = self._serving
        if serving is not None and serving.index.info.name == version:
            return serving
        index = self._versions.open(version)
        return Serving(index, self._embedders.for_index(index))

    def _switch(self, live: VectorIndex) -> Serving:
        serving = Serving(live, self._embedders.for_index(live))
        self._serving = serving
        return serving

    def _load_aside(self, live: VectorIndex) -> None:
        with self._lock:
            if self._loading == live.info.name:
                return
            self._loading = live.info.name
        threading.Thread(target=self._load, args=(live,), name="load-model", daemon=True).start()

    def _load(self, live: VectorIndex) -> None:
        try:
            self._embedders.for_index(live).embed_texts(["warm up"])
        except VitrineError as error:
            log.error("version %s is live, but its model cannot be used; the previous version goes on answering: %s", live.info.name, error)
        finally:
            with self._lock:
                self._loading = None
