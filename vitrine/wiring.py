"""The one place that chooses adapters: settings in, ready rooms out, each made at first use."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from typing import Any

from vitrine.embedding import Detector, Embedder
from vitrine.errors import StorageUnavailable
from vitrine.images.photos import Photos
from vitrine.images.ports import ImageStore
from vitrine.index import IndexVersions
from vitrine.recognition import Recognition
from vitrine.search import SearchEngine
from vitrine.serving import EmbedderPool, LiveIndex
from vitrine.settings import Settings
from vitrine.signing import Signer, load_signer

__all__ = ["Vitrine"]

log = logging.getLogger(__name__)


class Vitrine:
    """Everything that runs under one set of settings.

    Tests hand in `embedder`, `detector`, `versions` or `images`; what is not handed in is made from
    the settings at first use. An embedder handed in serves every model name.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        embedder: Callable[[str], Embedder] | None = None,
        detector: Detector | None = None,
        versions: IndexVersions | None = None,
        images: ImageStore | None = None,
    ) -> None:
        self.settings = settings
        self._parts: dict[str, Any] = {"detector": detector, "versions": versions, "images": images}
        self._locks = {name: threading.RLock() for name in self._parts}
        self.loads_models = embedder is None
        self.embedders = EmbedderPool(embedder or self._load_embedder)

    @property
    def embedder(self) -> Embedder:
        """The configured model, which embeds what is ingested."""
        return self.embedders.get(self.settings.model)

    @property
    def detector(self) -> Detector:
        """The configured zero-shot detector."""
        made: Detector = self._once(
            "detector", lambda: _adapter("vitrine.embedding.load").load_detector(self.settings)
        )
        return made

    @property
    def versions(self) -> IndexVersions:
        """The index versions of the configured backend."""
        made: IndexVersions = self._once(
            "versions",
            lambda: _adapter(f"vitrine.index.{self.settings.backend}").open_versions(self.settings),
        )
        return made

    @property
    def images(self) -> ImageStore:
        """The image store."""
        made: ImageStore = self._once(
            "images", lambda: _adapter("vitrine.images.store").open_store(self.settings)
        )
        return made

    @cached_property
    def has_detector(self) -> bool:
        """Whether the detector is on this machine, so that using it downloads nothing."""
        if self._parts["detector"] is not None:
            return True
        checkpoint = _adapter("vitrine.embedding.checkpoint")
        return checkpoint.present_checkpoint(self.settings.detector, "owlvit") is not None

    @cached_property
    def photos(self) -> Photos:
        """Shoppers' photos."""
        return Photos.of(self.settings)

    @cached_property
    def live(self) -> LiveIndex:
        """The version that answers now."""
        return LiveIndex(self.versions, self.embedders)

    @cached_property
    def engine(self) -> SearchEngine:
        """The search engine over the live version."""
        return SearchEngine(self.live, self.settings, self.signer.for_use("cursors"))

    @cached_property
    def signer(self) -> Signer:
        """Signs what goes out to clients and comes back."""
        try:
            return load_signer(self.settings)
        except StorageUnavailable as error:
            log.warning("cursors hold for this program alone: %s", error)
            return Signer.random()

    @cached_property
    def recognition(self) -> Recognition:
        """Similarity, classification and detection."""
        return Recognition(lambda: self.embedder, lambda: self.detector, self.engine, self.settings)

    def close(self) -> None:
        """Release what was opened."""
        versions: IndexVersions | None = self._parts["versions"]
        if versions is not None:
            versions.close()

    def _load_embedder(self, model: str) -> Embedder:
        settings = self.settings.model_copy(update={"model": model})
        loaded: Embedder = _adapter("vitrine.embedding.load").load_embedder(settings)
        return loaded

    def _once(self, name: str, make: Callable[[], Any]) -> Any:
        made = self._parts[name]
        if made is not None:  # without a lock: what is there waits for nothing that is being made
            return made
        with self._locks[name]:
            if self._parts[name] is None:
                self._parts[name] = make()
            return self._parts[name]


def _adapter(module: str) -> Any:
    """Import an adapter when it is wanted, so that its heavy libraries load only then."""
    return import_module(module)
