"""Live writes: what the admin API accepted is brought into the live version."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ingest.failures import Failure, Ledger
from ingest.jobs.models import Done, GiveUp, Outcome, WorkItem
from ingest.jobs.work import (
    DeleteProduct,
    PatchProduct,
    PurgeProduct,
    RemotePicture,
    StoredPicture,
    UpsertProduct,
)
from ingest.notices import Notices
from ingest.pictures import picture_of
from ingest.tasks.picture_removal import PictureRemoval
from ingest.tasks.retry_policy import DEADLY, is_outage, is_unreachable, retry_with_backoff
from ingest.tasks.schema_fit import require_fit
from ingest.text_vectors import TextVectors
from vitrine.errors import (
    Cancelled,
    InvalidImage,
    InvalidInput,
    InvalidProduct,
    ModelBusy,
    NotFound,
    VitrineError,
)
from vitrine.images.decode import ImageLimits, decode
from vitrine.index import Stamp, VectorIndex
from vitrine.products import Product, Record
from vitrine.wiring import Vitrine

__all__ = ["LiveWrites"]

log = logging.getLogger(__name__)

_READERS = 8
"""Pictures read or fetched at once for one batch."""


@dataclass(frozen=True)
class _Upsert:
    """A product on its way in; `data` is None when its picture has not changed."""

    item: WorkItem
    product: Product
    image_key: str
    data: bytes | None


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
            if is_outage(error) or isinstance(error, ModelBusy):
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
        reason = "an unexpected error; the worker's log has it"
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
            if not isinstance(item.work, PatchProduct):
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
        upserts = [(item, item.work) for item in items if isinstance(item.work, UpsertProduct)]
        if not upserts:
            return []
        stamps = index.stamps([item.key for item, _ in upserts])
        with ThreadPoolExecutor(
            min(_READERS, len(upserts)), thread_name_prefix="read-picture"
        ) as readers:
            reads = [
                readers.submit(self._read, item, work, index, stamps.get(item.key))
                for item, work in upserts
            ]
            read = [read.result() for read in reads]
        ready = [upsert for upsert in read if isinstance(upsert, _Upsert)]
        outcomes: list[Outcome] = [outcome for outcome in read if not isinstance(outcome, _Upsert)]
        unchanged = [upsert for upsert in ready if upsert.data is None]
        if unchanged:
            self._texts(index).patch_products([upsert.product for upsert in unchanged])
        outcomes += [Done(upsert.item) for upsert in unchanged]
        outcomes += self._embed(index, [upsert for upsert in ready if upsert.data is not None])
        return outcomes

    def _read(
        self, item: WorkItem, work: UpsertProduct, index: VectorIndex, stamp: Stamp | None
    ) -> _Upsert | Outcome:
        try:
            require_fit(work.product, index.info.schema)
            if work.picture is None and stamp is not None:
                return _Upsert(item, work.product, stamp.image_keys[0], None)
            key, data = self._picture(work)
            if stamp is not None and stamp.image_keys == (key,):
                return _Upsert(item, work.product, key, None)
            data = self._vitrine.images.get(key) if data is None else data
            return _Upsert(item, work.product, key, data)
        except InvalidProduct as error:
            return GiveUp(item, "fields", "invalid", str(error))
        except InvalidImage as error:
            return self._unreadable(item, error)
        except NotFound:
            message = "its picture is no longer in the image store; send it again"
            return GiveUp(item, "image", "missing", message)

    def _picture(self, work: UpsertProduct) -> tuple[str, bytes | None]:
        match work.picture:
            case StoredPicture(key):
                return key, None
            case RemotePicture(url):
                data = picture_of(url, None).read(self._vitrine.settings)
                # only what can be decoded enters the store
                decode(data, ImageLimits.of(self._vitrine.settings), at_least=1)
                return self._vitrine.images.put(data), data
            case None:
                raise InvalidImage("missing", "the product is new and has no picture")

    def _unreadable(self, item: WorkItem, error: InvalidImage) -> Outcome:
        if is_unreachable(error) and item.attempts < self._vitrine.settings.job_attempts:
            return retry_with_backoff(
                item, self._vitrine.settings, attempts=item.attempts, reason=str(error)
            )
        return GiveUp(item, "image", error.reason, str(error))

    def _embed(self, index: VectorIndex, upserts: Sequence[_Upsert]) -> list[Outcome]:
        if not upserts:
            return []
        embedder = self._vitrine.embedders.for_index(index)
        limits = ImageLimits.of(self._vitrine.settings)
        outcomes: list[Outcome] = []
        pictures = []
        for upsert in upserts:
            try:
                image = decode(upsert.data or b"", limits, at_least=embedder.info.image_size)
                pictures.append((upsert, image))
            except InvalidImage as error:
                outcomes.append(self._unreadable(upsert.item, error))
        if pictures:
            vectors = embedder.embed_images([image for _, image in pictures])
            records = [
                Record.of_picture(upsert.product, vector, upsert.image_key)
                for (upsert, _), vector in zip(pictures, vectors, strict=True)
            ]
            index.upsert(self._texts(index).complete(records))
        return outcomes + [Done(upsert.item) for upsert, _ in pictures]

    def _update_ledger(self, outcomes: Sequence[Outcome]) -> None:
        """Keep the ledger in step; the job's own counts do not depend on it."""
        try:
            self._ledger.clear([o.item.key for o in outcomes if isinstance(o, Done)])
            for outcome in outcomes:
                if isinstance(outcome, GiveUp):
                    self._ledger.add(
                        Failure(outcome.item.key, outcome.stage, outcome.reason, outcome.message)
                    )
        except VitrineError as error:
            self._notices.tell(f"the failure ledger cannot be kept: {error}")


def _killer(item: WorkItem) -> Outcome:
    message = f"workers died {DEADLY} times while they wrote this product; look at its picture"
    return GiveUp(item, "write", "worker_died", message)
