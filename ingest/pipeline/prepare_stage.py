"""Second stage, in several threads: what has changed is found out, and new pictures become pixels."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from ingest.pipeline.flow import Channel, Closed
from ingest.pipeline.models import (
    IngestTask,
    PendingWrite,
    PipelineContext,
    PreparedImage,
    RunStats,
    SourceProduct,
)
from ingest.pipeline.retry import retry_while_unavailable
from vitrine.errors import InvalidImage
from vitrine.images.decode import ImageLimits, decode
from vitrine.index import Stamp
from vitrine.index.stamps import product_hash

__all__ = ["PrepareStage"]


@dataclass(frozen=True, slots=True)
class _Read:
    """A product with the bytes of its picture."""

    item: SourceProduct
    data: bytes
    image_key: str
    digest: str | None


class PrepareStage:
    """Compares products with what the index has of them."""

    def __init__(self, task: IngestTask, context: PipelineContext, stats: RunStats) -> None:
        self._task = task
        self._context = context
        self._stats = stats
        self._limits = ImageLimits.of(context.settings)

    def work(
        self,
        incoming: Channel[list[SourceProduct]],
        pixels: Channel[PreparedImage],
        writes: Channel[PendingWrite],
    ) -> None:
        """Prepare chunk after chunk."""
        while True:
            try:
                items = incoming.take()
            except Closed:
                return
            self._chunk(items or [], pixels, writes)

    def _chunk(
        self,
        items: list[SourceProduct],
        pixels: Channel[PreparedImage],
        writes: Channel[PendingWrite],
    ) -> None:
        with self._stats.timed("compare"):
            stamps = retry_while_unavailable(
                lambda: self._task.index.stamps([item.product.id for item in items])
            )
        unknown: list[_Read] = []
        for item in items:
            read = self._read(item, stamps.get(item.product.id))
            if read is None:
                continue
            stamp = stamps.get(item.product.id)
            if stamp is None or stamp.image_keys != (read.image_key,):
                unknown.append(read)
            elif stamp.product_hash != product_hash(item.product):
                writes.put(PendingWrite(item.row, item.product, read.digest))
            else:
                self._stats.count(unchanged=1)
        for read in unknown:
            self._hand_on(read, pixels, writes)

    def _read(self, item: SourceProduct, stamp: Stamp | None) -> _Read | None:
        """The picture's bytes; None when they are not needed, or not to be had."""
        digest = None
        if item.picture.url is not None:
            digest = hashlib.sha256(
                f"{item.picture.url}\n{product_hash(item.product)}".encode()
            ).hexdigest()
            if stamp is not None and digest == item.digest:
                self._stats.count(unchanged=1)
                return None
        try:
            with self._stats.timed("fetch" if item.picture.url is not None else "load"):
                data = item.picture.read(self._context.settings)
                return _Read(item, data, hashlib.sha256(data).hexdigest(), digest)
        except InvalidImage as error:
            self._stats.without_picture(item.row, item.product.id, error)
            return None

    def _hand_on(
        self, read: _Read, pixels: Channel[PreparedImage], writes: Channel[PendingWrite]
    ) -> None:
        product = read.item.product
        if self._task.reuse_from is not None:
            reuse_from = self._task.reuse_from
            known = retry_while_unavailable(lambda: reuse_from.get([product.id])).get(product.id)
            if known is not None and known.image_keys == (read.image_key,):
                writes.put(
                    PendingWrite(read.item.row, replace(known, product=product), read.digest)
                )
                return
        try:
            with self._stats.timed("decode"):
                image = decode(
                    read.data, self._limits, at_least=self._context.embedder.info.image_size
                )
        except InvalidImage as error:
            self._stats.without_picture(read.item.row, product.id, error)
            return
        with self._stats.timed("store"):
            self._context.images.put(read.data)
        with self._stats.timed("preprocess"):
            ready = self._context.embedder.preprocess([image])[0]
        pixels.put(PreparedImage(read.item.row, product, read.image_key, ready, read.digest))
