"""Query embeddings kept in memory; of equal queries at the same time only one asks the model."""

from __future__ import annotations

import hashlib
import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from vitrine.embedding.ports import Embedder
from vitrine.embedding.wrapped import WrappedEmbedder
from vitrine.errors import Abandoned, ModelBusy

__all__ = ["CachingEmbedder"]

_T = TypeVar("_T")
_Rows = NDArray[np.float32]


_SHORT = 64
"""Characters of a text up to which it is its own key."""


class CachingEmbedder(WrappedEmbedder):
    """An `Embedder` that remembers its last `size` query embeddings (least recently used go first).

    A text is keyed by itself, or its SHA-256 where it is long, in Unicode NFC with runs of blanks
    made one, and that is what is embedded; a picture by the SHA-256 of its pixels. The wrapped
    model never changes, so its fingerprint belongs to the cache as a whole. `hits`, `misses` and
    `joined` (waited for an equal query under way) count queries. `preprocess` and `embed_pixels`
    pass by.
    """

    def __init__(self, inner: Embedder, *, size: int, timeout_s: float) -> None:
        super().__init__(inner)
        self.hits = 0
        self.misses = 0
        self.joined = 0
        self._size = size
        self._timeout_s = timeout_s
        self._cache: OrderedDict[str, _Rows] = OrderedDict()
        self._flights: dict[str, Future[_Rows]] = {}
        self._lock = threading.Lock()
        self._truncates = lru_cache(size)(inner.truncates)

    def __len__(self) -> int:
        return len(self._cache)

    def embed_texts(self, texts: Sequence[str]) -> _Rows:
        """One row per text."""
        plain = [_normalized(text) for text in texts]
        return self._rows([_text_key(text) for text in plain], plain, self.inner.embed_texts)

    def embed_images(self, images: Sequence[Image]) -> _Rows:
        """One row per picture."""
        return self._rows(
            [_picture_key(image) for image in images], images, self.inner.embed_images
        )

    def truncates(self, text: str) -> bool:
        """Whether the model would read only the beginning of the text."""
        return self._truncates(text) if len(text) <= _SHORT else self.inner.truncates(text)

    def _rows(
        self, keys: list[str], items: Sequence[_T], embed: Callable[[Sequence[_T]], _Rows]
    ) -> _Rows:
        cached, own, others = self._look_up(keys)
        if own:
            item_of = dict(zip(keys, items, strict=True))
            cached |= self._fly(own, [item_of[key] for key in own], embed)
        for key, flight in others.items():
            try:
                cached[key] = flight.result(self._timeout_s)
            except Abandoned:  # the one who embedded it has gone, which is no matter of this one's
                cached[key] = self._rows([key], [items[keys.index(key)]], embed)[0]
            except FutureTimeout:
                raise ModelBusy(
                    f"the model did not get to this query within {self._timeout_s:g} seconds; "
                    "try again"
                ) from None
        return (
            np.stack([cached[key] for key in keys])
            if keys
            else np.zeros((0, self.info.dimension), np.float32)
        )

    def _look_up(
        self, keys: list[str]
    ) -> tuple[dict[str, _Rows], dict[str, Future[_Rows]], dict[str, Future[_Rows]]]:
        """What is cached, what this call has to embed, and what other calls are embedding."""
        cached: dict[str, _Rows] = {}
        own: dict[str, Future[_Rows]] = {}
        others: dict[str, Future[_Rows]] = {}
        with self._lock:
            for key in dict.fromkeys(keys):
                if key in self._cache:
                    self._cache.move_to_end(key)
                    cached[key] = self._cache[key]
                elif key in self._flights:
                    others[key] = self._flights[key]
                else:
                    own[key] = self._flights[key] = Future()
            self.hits += len(cached)
            self.misses += len(own)
            self.joined += len(others)
        return cached, own, others

    def _fly(
        self, own: dict[str, Future[_Rows]], items: list[_T], embed: Callable[[Sequence[_T]], _Rows]
    ) -> dict[str, _Rows]:
        try:
            rows = embed(items)
        except BaseException as error:
            self._land(own, {})
            for flight in own.values():
                flight.set_exception(error)
            raise
        computed = {key: np.array(row) for key, row in zip(own, rows, strict=True)}
        self._land(own, computed)
        for key, flight in own.items():
            flight.set_result(computed[key])
        return computed

    def _land(self, own: dict[str, Future[_Rows]], computed: dict[str, _Rows]) -> None:
        with self._lock:
            for key in own:
                del self._flights[key]
            self._cache.update(computed)
            while len(self._cache) > self._size:
                self._cache.popitem(last=False)


def _normalized(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _text_key(text: str) -> str:
    """Long texts by their digest: what is remembered of a query weighs the same for all."""
    if len(text) <= _SHORT:
        return f"text {text}"
    return f"long {hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _picture_key(image: Image) -> str:
    digest = hashlib.sha256(f"{image.mode} {image.size}".encode())
    digest.update(image.tobytes())
    return f"picture {digest.hexdigest()}"
