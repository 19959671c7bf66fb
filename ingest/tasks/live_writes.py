"""Live writes: what the admin API accepted is brought into the live version."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ingest.failures import LOST_PICTURE, Failure, Ledger
from ingest.jobs.models import Done, GiveUp, Outcome, WorkItem
from ingest.jobs.work import (
    DeleteProduct,
    PatchProduct,
    PurgeProduct,
    UpsertProduct,
)
from ingest.notices import Notices
from ingest.tasks.picture_removal import PictureRemoval
from ingest.tasks.product_pictures import PictureReader, ProductPictures, embed_pictures
from ingest.tasks.retry_policy import DEADLY, is_outage, is_unreachable, retry_with_backoff
from ingest.tasks.schema_fit import require_fit
from ingest.text_vectors import TextVectors
from vitrine.errors import (
    Cancelled,
    InvalidImage,
    InvalidInput,
    InvalidProduct,
    NotFound,
    VitrineError,
)
from vitrine.index import Stamp, VectorIndex
from vitrine.index.patching import patched
from vitrine.products import Product, Record, Vector, record_batches
from vitrine.wiring import Vitrine

__all__ = ["LiveWrites"]

log = logging.getLogger(__name__)

_READERS = 8
"""Pictures read or fetched at once for one batch."""


@dataclass(frozen=True)
class _Upsert:
    """A product on its way in; `stamp` is of what the version has of it."""

    item: WorkItem
    product: Product
    stamp: Stamp | None
    pictures: ProductPictures

    @property
    def keeps_pictures(self) -> bool:
        """Whether only fields are to be written."""
        return self.stamp is not None and self.stamp.image_keys == self.pictures.keys

    @property
    def keeps_some(self) -> bool:
        """Whether the version has vectors of some of its pictures."""
        return len(self.pictures.images) < len(self.pictures.keys)

    def done(self) -> Done:
        """The outcome when it is written; says which pictures were left out."""
        lost = self.pictures.lost
        if not lost:
            return Done(self.item)
        count = len(lost) + len(self.pictures.keys)
        reasons = "; ".join(str(error) for error in lost)
        return Done(self.item, error=f"left out {len(lost)} of {count} pictures: {reasons}")


class LiveWrites:
    """Applies items of the queue WRITES; one batch holds each product once."""

    def __init__(self, vitrine: Vitrine, ledger: Ledger, removal: PictureRemoval) -> None:
        self._vitrine, self._ledger, self._removal = vitrine, ledger, removal
        self._notices = Notices(log)

    def apply(self, items: Sequence[WorkItem]) -> list[Outcome]:
        """Bring the items into the live version and say how each came out.

        Only `Cancelled` escapes.
        """
        outcomes = [_killer(item) for item in items if item.attempts > DEADLY]
        outcomes += self._guarded([item for item in items if item.attempts <= DEADLY])
        self._update_ledger(outcomes)
        return outcomes

    def _guarded(self, items: Sequence[WorkItem]) -> list[Outcome]:
        """Apply a batch; when a product breaks it in an unforeseen way, each is tried by itself."""
        if not items:
            return []
        try:
            return self._apply(items)
        except Cancelled:
            raise
        except VitrineError as error:
            if is_outage(error):
                self._notices.tell(f"writes wait: {error}")
                return [
                    retry_with_backoff(
                        item,
                        self._vitrine.settings,
                        attempts=item.attempts - 1,
                        reason=str(error),
                    )
                    for item in items
                ]
            if len(items) == 1:
                return [GiveUp(items[0], "write", "refused", str(error))]
        except Exception:
            log.exception("a batch of %d writes failed", len(items))
            if len(items) == 1:
                return [self._unforeseen(items[0])]
        return [outcome for item in items for outcome in self._guarded([item])]

    def _texts(self, index: VectorIndex) -> TextVectors:
        return TextVectors(index, lambda: self._vitrine.embedders.for_index(index))

    def _unforeseen(self, item: WorkItem) -> Outcome:
        reason = "an unexpected error; see the worker's log"
        if item.attempts < self._vitrine.settings.job_attempts:
            return retry_with_backoff(
                item, self._vitrine.settings, attempts=item.attempts, reason=reason
            )
        return GiveUp(item, "write", "unexpected", reason)

    def _apply(self, items: Sequence[WorkItem]) -> list[Outcome]:
        """Write into the live version; when another one goes live meanwhile, into that one too."""
        while True:
            index = self._vitrine.versions.live()
            outcomes = [
                *self._deletes(index, items),
                *self._patches(index, items),
                *self._upserts(index, items),
            ]
            if self._vitrine.versions.live().info.name == index.info.name:
                return outcomes

    def _deletes(self, index: VectorIndex, items: Sequence[WorkItem]) -> Iterator[Outcome]:
        deleted = [item for item in items if isinstance(item.work, DeleteProduct | PurgeProduct)]
        purged = [item.key for item in deleted if isinstance(item.work, PurgeProduct)]
        if purged:  # their pictures first: tried again, a product is still there to name them
            self._removal.remove(index, purged)
        if deleted:
            index.delete([item.key for item in deleted])
        yield from (Done(item) for item in deleted)

    def _patches(self, index: VectorIndex, items: Sequence[WorkItem]) -> Iterator[Outcome]:
        texts = self._texts(index)
        for item in items:
            if not isinstance(item.work, PatchProduct) or item.work.pictures:
                continue
            try:
                require_fit(item.work.changes, index.info.schema)
                texts.patch(item.key, item.work.changes)
            except NotFound:
                message = f"there is no product {item.key!r} to change"
                yield GiveUp(item, "write", "unknown_product", message)
            except InvalidInput as error:
                yield GiveUp(item, "fields", "invalid", str(error))
            else:
                yield Done(item)

    def _upserts(self, index: VectorIndex, items: Sequence[WorkItem]) -> list[Outcome]:
        upserts = [(item, work) for item in items if (work := _bringing(item)) is not None]
        if not upserts:
            return []
        stamps = index.stamps([item.key for item, _ in upserts])
        pictures = PictureReader(self._vitrine, index)
        with ThreadPoolExecutor(
            min(_READERS, len(upserts)), thread_name_prefix="read-picture"
        ) as readers:
            reads = [
                readers.submit(self._read, item, work, stamps.get(item.key), pictures)
                for item, work in upserts
            ]
            read = [read.result() for read in reads]
        ready = [upsert for upsert in read if isinstance(upsert, _Upsert)]
        outcomes: list[Outcome] = [outcome for outcome in read if not isinstance(outcome, _Upsert)]
        unchanged = [upsert for upsert in ready if upsert.keeps_pictures]
        if unchanged:
            self._texts(index).patch_products([upsert.product for upsert in unchanged])
        outcomes += [upsert.done() for upsert in unchanged]
        return outcomes + self._embed(index, [u for u in ready if not u.keeps_pictures])

    def _read(
        self,
        item: WorkItem,
        work: UpsertProduct | PatchProduct,
        stamp: Stamp | None,
        pictures: PictureReader,
    ) -> _Upsert | Outcome:
        settings = self._vitrine.settings
        last_try = item.attempts >= settings.job_attempts
        try:
            product = _product(item, work, pictures.index)
            require_fit(product, pictures.index.info.schema)
            read = pictures.read(work.pictures, stamp, last_try=last_try)
            return _Upsert(item, product, stamp, read)
        except NotFound as error:
            return GiveUp(item, "write", "unknown_product", str(error))
        except InvalidProduct as error:
            return GiveUp(item, "fields", "invalid", str(error))
        except InvalidImage as error:
            if is_unreachable(error) and not last_try:
                return retry_with_backoff(item, settings, attempts=item.attempts, reason=str(error))
            return GiveUp(item, "image", error.reason, str(error))

    def _embed(self, index: VectorIndex, upserts: Sequence[_Upsert]) -> list[Outcome]:
        """Write products with their vectors, those that the version has read from there."""
        if not upserts:
            return []
        outcomes: list[Outcome] = []
        stored = index.get([upsert.product.id for upsert in upserts if upsert.keeps_some])
        embedder = self._vitrine.embedders.for_index(index)
        fresh = embed_pictures(embedder, [upsert.pictures for upsert in upserts])
        records = []
        for upsert in upserts:
            vectors = {**fresh, **_by_key(stored.get(upsert.product.id))}
            keys = upsert.pictures.keys
            if any(key not in vectors for key in keys):
                reason = "somebody removed the product meanwhile"
                outcomes.append(
                    retry_with_backoff(
                        upsert.item,
                        self._vitrine.settings,
                        attempts=upsert.item.attempts,
                        reason=reason,
                    )
                )
                continue
            rows = np.stack([vectors[key] for key in keys])
            records.append(Record(upsert.product, rows, keys))
            outcomes.append(upsert.done())
        complete = self._texts(index).complete(records)
        for batch in record_batches(complete, most=self._vitrine.settings.write_batch):
            index.upsert(batch)
        return outcomes

    def _update_ledger(self, outcomes: Sequence[Outcome]) -> None:
        """Keep the ledger in step; the job's own counts do not depend on it."""
        try:
            self._ledger.clear([o.item.key for o in outcomes if isinstance(o, Done)])
            for outcome in outcomes:
                if isinstance(outcome, Done) and outcome.error is not None:
                    self._ledger.add(
                        Failure(
                            outcome.item.key,
                            "image",
                            LOST_PICTURE,
                            outcome.error,
                            source=LOST_PICTURE,
                        )
                    )
                if isinstance(outcome, GiveUp):
                    self._ledger.add(
                        Failure(outcome.item.key, outcome.stage, outcome.reason, outcome.message)
                    )
        except VitrineError as error:
            self._notices.tell(f"the failure ledger cannot be kept: {error}")


def _killer(item: WorkItem) -> Outcome:
    message = f"workers died {DEADLY} times while they wrote this product; look at its picture"
    return GiveUp(item, "write", "worker_died", message)


def _bringing(item: WorkItem) -> UpsertProduct | PatchProduct | None:
    """The work of a write that may bring pictures; fields alone are changed in place."""
    work = item.work
    if isinstance(work, UpsertProduct) or (isinstance(work, PatchProduct) and work.pictures):
        return work
    return None


def _product(item: WorkItem, work: UpsertProduct | PatchProduct, index: VectorIndex) -> Product:
    """The product as it is to be; `NotFound` for changes of an unknown one."""
    if isinstance(work, UpsertProduct):
        return work.product
    record = index.get([item.key]).get(item.key)
    if record is None:
        raise NotFound(f"there is no product {item.key!r} to change")
    require_fit(work.changes, index.info.schema)
    return patched(record.product, work.changes, index.info.schema)


def _by_key(record: Record | None) -> dict[str, Vector]:
    return {} if record is None else dict(zip(record.image_keys, record.vectors, strict=True))
