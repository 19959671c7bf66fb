"""Copying products from one version into another, with new vectors where the model differs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from ingest.failures import Failure
from ingest.text_vectors import TextVectors, has_same_texts
from vitrine.embedding import Embedder
from vitrine.errors import InvalidImage, NotFound
from vitrine.images.decode import ImageLimits, decode
from vitrine.index import VectorIndex
from vitrine.index.stamps import product_hash
from vitrine.products import Record
from vitrine.wiring import Vitrine

__all__ = ["REINDEX", "CopyResult", "IndexCopier"]

REINDEX = "reindex"
"""The source of failures that a reindex notes in the ledger."""

_EMBED = 32
"""Pictures embedded at once where BATCH_SIZE does not say."""


@dataclass
class CopyResult:
    """How many products arrived, and which could not be embedded."""

    done: int = 0
    failures: list[Failure] = field(default_factory=list)


@dataclass(frozen=True)
class _Pixels:
    """A record, still with the vectors of another model, and its pictures' pixels."""

    record: Record
    pixels: list[NDArray[np.float32]]


class IndexCopier:
    """Makes products of one version the same in another; doing it again does no work twice.

    Vectors are computed anew where the models differ. `check` is called between batches and may
    raise.
    """

    def __init__(
        self,
        source: VectorIndex,
        target: VectorIndex,
        vitrine: Vitrine,
        *,
        check: Callable[[], None],
    ) -> None:
        self._source, self._target, self._vitrine, self._check = source, target, vitrine, check
        self._settings = vitrine.settings
        self._same_model = source.info.fingerprint == target.info.fingerprint
        self._same_texts = has_same_texts(source, target)
        self._texts = TextVectors(target, lambda: vitrine.embedders.for_index(target))
        self._batch = vitrine.settings.batch_size or _EMBED

    def copy_range(self, after: str | None, upto: str | None) -> CopyResult:
        """Copy the products behind `after` up to `upto` in the order of scans; None is no bound."""
        result = CopyResult()
        batch = self._settings.write_batch
        for records in self._source.scan(after=after, upto=upto, batch=batch):
            self._check()
            self._copy(records, result)
        return result

    def refresh(self, ids: Sequence[str]) -> CopyResult:
        """Make these products in the target what they are in the source now, deleted ones too."""
        result = CopyResult()
        for start in range(0, len(ids), self._settings.write_batch):
            self._check()
            batch = ids[start : start + self._settings.write_batch]
            records = self._source.get(batch)
            deleted = [product_id for product_id in batch if product_id not in records]
            if deleted:
                self._target.delete(deleted)
            self._copy(list(records.values()), result)
        return result

    def _copy(self, records: Sequence[Record], result: CopyResult) -> None:
        stamps = self._target.stamps([record.product.id for record in records])
        moved, changed = [], []
        for record in records:
            stamp = stamps.get(record.product.id)
            if stamp is None or stamp.image_keys != record.image_keys:
                moved.append(record)
            elif stamp.product_hash != product_hash(record.product):
                changed.append(record.product)
        if changed:
            self._texts.patch_products(changed)
        ready = list(moved) if self._same_model else list(self._embedded(moved, result))
        if ready:
            self._target.upsert(self._texts.complete(list(map(self._with_text, ready))))
        result.done += len(records) - (len(moved) - len(ready))

    def _with_text(self, record: Record) -> Record:
        """The record with the text vector that the other version may keep, if any."""
        return record if self._same_texts else replace(record, text_vector=None)

    def _embedded(self, records: Sequence[Record], result: CopyResult) -> Iterator[Record]:
        if not records:
            return
        embedder = self._vitrine.embedders.for_index(self._target)
        read = partial(self._pixels, embedder=embedder)
        threads = self._settings.decode_threads or os.cpu_count() or 1
        with ThreadPoolExecutor(threads, thread_name_prefix="decode") as pool:
            waiting = iter(records)
            ahead = pool.map(read, islice(waiting, self._batch))
            while batch := list(ahead):
                ahead = pool.map(read, islice(waiting, self._batch))  # while the model works
                yield from _with_vectors(
                    [read for read in batch if isinstance(read, _Pixels)], embedder
                )
                result.failures += [read for read in batch if isinstance(read, Failure)]

    def _pixels(self, record: Record, embedder: Embedder) -> _Pixels | Failure:
        """The pictures of a product that can be had, ready for the model; a failure without any."""
        keys, pixels = [], []
        failure: Failure | None = None
        for key in record.image_keys:
            try:
                data = self._vitrine.images.get(key)
                limits = ImageLimits.of(self._settings)
                image = decode(data, limits, at_least=embedder.info.image_size)
            except NotFound:
                message = "its picture is no longer in the image store; put the product again"
                failure = failure or self._failure(record, "missing", message)
            except InvalidImage as error:
                failure = failure or self._failure(record, error.reason, str(error))
            else:
                keys.append(key)
                pixels.append(embedder.preprocess([image])[0])
        if failure is not None and not pixels:
            return failure
        return _Pixels(replace(record, image_keys=tuple(keys)), pixels)

    def _failure(self, record: Record, reason: str, message: str) -> Failure:
        return Failure(record.product.id, "image", reason, message, source=REINDEX)


def _with_vectors(batch: Sequence[_Pixels], embedder: Embedder) -> Iterator[Record]:
    if not batch:
        return
    vectors = embedder.embed_pixels(np.stack([image for read in batch for image in read.pixels]))
    start = 0
    for read in batch:
        stop = start + len(read.pixels)
        yield replace(read.record, vectors=vectors[start:stop])
        start = stop
