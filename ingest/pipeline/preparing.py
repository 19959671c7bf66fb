"""Second stage, in several threads: what has changed is found out, and new pictures become pixels."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ingest.pipeline.flow import Channel, Closed
from ingest.pipeline.models import Item, Pixels, Tally, Task, Tools, Write
from ingest.pipeline.patience import patiently
from vitrine.errors import InvalidImage
from vitrine.images.decode import ImageLimits, decode
from vitrine.index import Stamp
from vitrine.index.stamps import product_hash
from vitrine.products import Record

__all__ = ["Preparing"]


@dataclass(frozen=True, slots=True)
class _Read:
    """A product with the bytes of its picture."""

    item: Item
    data: bytes
    image_key: str
    digest: str | None


class Preparing:
    """Compares products with what the index has of them."""

    def __init__(self, task: Task, tools: Tools, tally: Tally) -> None:
        self._task = task
        self._tools = tools
        self._tally = tally
        self._limits = ImageLimits.of(tools.settings)

    def work(
        self, given: Channel[list[Item]], pixels: Channel[Pixels], writes: Channel[Write]
    ) -> None:
        """Prepare chunk after chunk."""
        while True:
            try:
                items = given.take()
            except Closed:
                return
            self._chunk(items or [], pixels, writes)

    def _chunk(self, items: list[Item], pixels: Channel[Pixels], writes: Channel[Write]) -> None:
        with self._tally.timed("compare"):
            stamps = patiently(lambda: self._task.index.stamps([item.product.id for item in items]))
        unknown: list[_Read] = []
        for item in items:
            read = self._read(item, stamps.get(item.product.id))
            if read is None:
                continue
            stamp = stamps.get(item.product.id)
            if stamp is None or stamp.image_key != read.image_key:
                unknown.append(read)
            elif stamp.product_hash != product_hash(item.product):
                writes.put(Write(item.row, item.product, read.digest))
            else:
                self._tally.count(unchanged=1)
        for read in unknown:
            self._hand_on(read, pixels, writes)

    def _read(self, item: Item, stamp: Stamp | None) -> _Read | None:
        """The picture's bytes; None when they are not needed, or not to be had."""
        digest = None
        if item.picture.url is not None:
            digest = hashlib.sha256(
                f"{item.picture.url}\n{product_hash(item.product)}".encode()
            ).hexdigest()
            if stamp is not None and digest == item.digest:
                self._tally.count(unchanged=1)
                return None
        try:
            with self._tally.timed("fetch" if item.picture.url is not None else "load"):
                data = item.picture.read(self._tools.settings)
                return _Read(item, data, hashlib.sha256(data).hexdigest(), digest)
        except InvalidImage as error:
            self._tally.without_picture(item.row, item.product.id, error)
            return None

    def _hand_on(self, read: _Read, pixels: Channel[Pixels], writes: Channel[Write]) -> None:
        product = read.item.product
        if self._task.donor is not None:
            donor = self._task.donor
            known = patiently(lambda: donor.get([product.id])).get(product.id)
            if known is not None and known.image_key == read.image_key:
                writes.put(
                    Write(read.item.row, Record(product, known.vector, read.image_key), read.digest)
                )
                return
        try:
            with self._tally.timed("decode"):
                image = decode(
                    read.data, self._limits, at_least=self._tools.embedder.card.image_size
                )
        except InvalidImage as error:
            self._tally.without_picture(read.item.row, product.id, error)
            return
        with self._tally.timed("store"):
            self._tools.images.put(read.data)
        with self._tally.timed("preprocess"):
            ready = self._tools.embedder.preprocess([image])[0]
        pixels.put(Pixels(read.item.row, product, read.image_key, ready, read.digest))
