"""Copying products from one version into another, with new vectors where the model differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, islice
from typing import Any, TypeVar

import numpy as np

from ingest.failures import Failure
from ingest.pipeline.picture_work import PictureOutcome, PictureTask, PictureWork
from ingest.tasks.picture_work import SharedPictureWork
from ingest.text_vectors import TextVectors, has_same_texts
from vitrine.index import VectorIndex
from vitrine.index.product_json import product_hash
from vitrine.products import Record, Vector, record_batches
from vitrine.settings import IngestSettings
from vitrine.wiring import Vitrine

__all__ = ["REINDEX", "CopyResult", "IndexCopier", "pictures_at_once"]

REINDEX = "reindex"
"""The source of failures that a reindex notes in the ledger."""

_T = TypeVar("_T")

_EMBED = 32
"""Pictures embedded at once where BATCH_SIZE does not say."""


def pictures_at_once(settings: IngestSettings) -> int:
    """How many pictures of copied products are embedded at once."""
    return settings.batch_size or _EMBED


@dataclass
class CopyResult:
    """How many products arrived, and which could not be embedded."""

    done: int = 0
    failures: list[Failure] = field(default_factory=list)


@dataclass(frozen=True)
class _Pixels:
    """A record, still with the vectors of another model, and its pictures' pixels."""

    record: Record
    pixels: list[Any]


class IndexCopier:
    """Makes products of one version the same in another; doing it again does no work twice.

    Vectors are computed anew where the models differ, by the work of `pictures`, which the caller
    holds. `check` is called between batches and may raise.
    """

    def __init__(
        self,
        source: VectorIndex,
        target: VectorIndex,
        vitrine: Vitrine,
        *,
        pictures: SharedPictureWork,
        check: Callable[[], None],
    ) -> None:
        self._source, self._target, self._vitrine, self._check = source, target, vitrine, check
        self._settings, self._pictures = vitrine.settings, pictures
        self._same_model = source.info.fingerprint == target.info.fingerprint
        self._same_texts = has_same_texts(source, target)
        self._texts = TextVectors(target, lambda: vitrine.embedders.for_index(target))
        self._batch = pictures_at_once(vitrine.settings)

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
        complete = self._texts.complete(list(map(self._with_text, ready)))
        for batch in record_batches(complete, most=self._settings.write_batch):
            self._target.upsert(batch)
        result.done += len(records) - (len(moved) - len(ready))

    def _with_text(self, record: Record) -> Record:
        """The record with the text vector that the other version may keep, if any."""
        return record if self._same_texts else replace(record, text_vector=None)

    def _embedded(self, records: Sequence[Record], result: CopyResult) -> Iterator[Record]:
        if not records:
            return
        work = self._pictures.of(self._vitrine.embedders.for_index(self._target))
        with (
            ThreadPoolExecutor(work.chunks, thread_name_prefix="decode") as pool,
            ThreadPoolExecutor(work.batches, thread_name_prefix="embed") as embedding,
        ):
            waiting = iter(records)
            ahead = self._ahead(work, pool, waiting)
            while batch := list(chain.from_iterable(ahead)):
                ahead = self._ahead(work, pool, waiting)  # while the model works
                ready = [each for each in batch if isinstance(each, _Pixels)]
                pixels = [image for each in ready for image in each.pixels]
                vectors = embedding.map(work.embed, _parts(pixels, self._batch))
                yield from _with_vectors(ready, chain.from_iterable(vectors))
                result.failures += [each for each in batch if isinstance(each, Failure)]

    def _ahead(
        self, work: PictureWork, pool: ThreadPoolExecutor, waiting: Iterator[Record]
    ) -> Iterator[list[_Pixels | Failure]]:
        """The next batch's pictures, in parts that threads prepare."""
        batch = list(islice(waiting, self._batch * work.batches))
        return pool.map(partial(_pixels, work), _parts(batch, work.chunk))


def _pixels(work: PictureWork, records: Sequence[Record]) -> list[_Pixels | Failure]:
    """The pictures of products that can be had, ready for the model; failures without any."""
    tasks = [PictureTask(None, key) for record in records for key in record.image_keys]
    outcomes = iter(work.prepare(tasks))
    return [_ready(record, list(islice(outcomes, len(record.image_keys)))) for record in records]


def _ready(record: Record, outcomes: Sequence[PictureOutcome]) -> _Pixels | Failure:
    usable = [outcome for outcome in outcomes if outcome.refusal is None]
    refusals = [outcome.refusal for outcome in outcomes if outcome.refusal is not None]
    if refusals and not usable:
        return Failure(
            record.product.id, "image", refusals[0].reason, str(refusals[0]), source=REINDEX
        )
    keys = tuple(outcome.key for outcome in usable)
    return _Pixels(replace(record, image_keys=keys), [outcome.pixels for outcome in usable])


def _with_vectors(ready: Sequence[_Pixels], vectors: Iterator[Vector]) -> Iterator[Record]:
    for each in ready:
        rows = np.stack(list(islice(vectors, len(each.pixels))))
        yield replace(each.record, vectors=rows)


def _parts(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
