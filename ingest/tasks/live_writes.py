"""Live writes: what the admin API accepted is brought into the live version."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ingest.failures import Failure, Ledger
from ingest.jobs.models import Done, GiveUp, Item, Outcome
from ingest.pictures import picture_of
from ingest.tasks.retry_policy import DEADLY, is_outage, is_unreachable, retry_with_backoff
from vitrine.errors import (
    Cancelled,
    InvalidImage,
    InvalidInput,
    InvalidProduct,
    ModelBusy,
    NotFound,
    VitrineError,
)
from vitrine.fields.json_products import changes_from_json, product_from_json
from vitrine.images.decode import ImageLimits, decode
from vitrine.index import Stamp, VectorIndex
from vitrine.products import Product, Record
from vitrine.wiring import Vitrine

__all__ = ["LiveWrites", "delete_body", "patch_body", "upsert_body"]

log = logging.getLogger(__name__)

_READERS = 8
"""Pictures read or fetched at once for one batch."""


def upsert_body(row: Mapping[str, Any], image: Mapping[str, str] | None) -> dict[str, Any]:
    """An accepted product; `image` is {"key"} of the image store, {"url"}, or None to keep the one it has."""
    return {"op": "upsert", "row": dict(row), "image": None if image is None else dict(image)}


def patch_body(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Accepted changes of one product's fields."""
    return {"op": "patch", "changes": dict(changes)}


def delete_body() -> dict[str, Any]:
    """An accepted removal of one product."""
    return {"op": "delete"}


@dataclass(frozen=True)
class _Upsert:
    """A product on its way in; `data` is None when its picture has not changed."""

    item: Item
    product: Product
    image_key: str
    data: bytes | None


class LiveWrites:
    """Applies items of the queue WRITES; one batch holds each product once."""

    def __init__(self, vitrine: Vitrine, ledger: Ledger) -> None:
        self._vitrine, self._ledger = vitrine, ledger

    def apply(self, items: Sequence[Item]) -> list[Outcome]:
        """Bring the items into the live version and say how each came out; raises nothing but bugs' consequences to the process."""
        outcomes = [self._poison(item) for item in items if item.attempts > DEADLY]
        outcomes += self._guarded([item for item in items if item.attempts <= DEADLY])
        self._note(outcomes)
        return outcomes

    def _poison(self, item: Item) -> Outcome:
        return GiveUp(
            item,
            "write",
            "worker_died",
            f"workers died {DEADLY} times while they wrote this product; look at its picture",
        )

    def _guarded(self, items: Sequence[Item]) -> list[Outcome]:
        """Apply a batch; when one product breaks it in an unforeseen way, each is tried by itself."""
        if not items:
            return []
        try:
            return self._apply(items)
        except Cancelled:
            raise
        except VitrineError as error:
            if is_outage(error) or isinstance(error, ModelBusy):
                log.warning("%d writes wait: %s", len(items), error)
                return [
                    retry_with_backoff(item, self._vitrine.settings, attempts=item.attempts - 1)
                    for item in items
                ]
            if len(items) == 1:
                return [GiveUp(items[0], "write", "refused", str(error))]
        except Exception:
            log.exception("a batch of %d writes broke", len(items))
            if len(items) == 1:
                return [self._unforeseen(items[0])]
        return [outcome for item in items for outcome in self._guarded([item])]

    def _unforeseen(self, item: Item) -> Outcome:
        if item.attempts < self._vitrine.settings.job_attempts:
            return retry_with_backoff(item, self._vitrine.settings, attempts=item.attempts)
        return GiveUp(item, "write", "unexpected", "an unexpected error; the worker's log has it")

    def _apply(self, items: Sequence[Item]) -> list[Outcome]:
        """Write into the live version; when another one goes live meanwhile, write into that one as well."""
        while True:
            index = self._vitrine.versions.live()
            outcomes = [
                *self._deletes(index, items),
                *self._patches(index, items),
                *self._upserts(index, items),
            ]
            if self._vitrine.versions.live().info.name == index.info.name:
                return outcomes

    def _deletes(self, index: VectorIndex, items: Sequence[Item]) -> Iterator[Outcome]:
        gone = [item for item in items if item.body["op"] == "delete"]
        if gone:
            index.delete([item.key for item in gone])
        yield from (Done(item) for item in gone)

    def _patches(self, index: VectorIndex, items: Sequence[Item]) -> Iterator[Outcome]:
        for item in items:
            if item.body["op"] != "patch":
                continue
            try:
                index.patch(item.key, changes_from_json(item.body["changes"], index.info.schema))
            except NotFound:
                yield GiveUp(
                    item, "write", "unknown_product", f"there is no product {item.key!r} to change"
                )
            except InvalidInput as error:
                yield GiveUp(item, "fields", "invalid", str(error))
            else:
                yield Done(item)

    def _upserts(self, index: VectorIndex, items: Sequence[Item]) -> list[Outcome]:
        wanted = [item for item in items if item.body["op"] == "upsert"]
        if not wanted:
            return []
        stamps = index.stamps([item.key for item in wanted])
        with ThreadPoolExecutor(
            min(_READERS, len(wanted)), thread_name_prefix="read-picture"
        ) as readers:
            read = list(
                readers.map(lambda item: self._read(item, index, stamps.get(item.key)), wanted)
            )
        ready = [one for one in read if isinstance(one, _Upsert)]
        outcomes: list[Outcome] = [one for one in read if not isinstance(one, _Upsert)]
        kept = [one for one in ready if one.data is None]
        if kept:
            index.patch_products([one.product for one in kept])
        outcomes += [Done(one.item) for one in kept]
        outcomes += self._embed(index, [one for one in ready if one.data is not None])
        return outcomes

    def _read(self, item: Item, index: VectorIndex, stamp: Stamp | None) -> _Upsert | Outcome:
        try:
            product = product_from_json(item.body["row"], index.info.schema)
            key, data = self._picture(item, stamp)
            if stamp is not None and stamp.image_keys == (key,):
                return _Upsert(item, product, key, None)
            return _Upsert(
                item, product, key, self._vitrine.images.get(key) if data is None else data
            )
        except InvalidProduct as error:
            return GiveUp(item, "fields", "invalid", str(error))
        except InvalidImage as error:
            return self._unreadable(item, error)
        except NotFound:
            return GiveUp(
                item,
                "image",
                "missing",
                "its picture is no longer in the image store; send it again",
            )

    def _picture(self, item: Item, stamp: Stamp | None) -> tuple[str, bytes | None]:
        image = item.body["image"]
        if image is None:
            if stamp is None:
                raise InvalidImage("missing", "the product is new and has no picture")
            return stamp.image_keys[0], None
        if "key" in image:
            return image["key"], None
        data = picture_of(image["url"], None).read(self._vitrine.settings)
        decode(
            data, ImageLimits.of(self._vitrine.settings), at_least=1
        )  # only what can be decoded enters the store
        return self._vitrine.images.put(data), data

    def _unreadable(self, item: Item, error: InvalidImage) -> Outcome:
        if is_unreachable(error) and item.attempts < self._vitrine.settings.job_attempts:
            return retry_with_backoff(item, self._vitrine.settings, attempts=item.attempts)
        return GiveUp(item, "image", error.reason, str(error))

    def _embed(self, index: VectorIndex, upserts: Sequence[_Upsert]) -> list[Outcome]:
        if not upserts:
            return []
        embedder = self._vitrine.embedders.for_index(index)
        limits = ImageLimits.of(self._vitrine.settings)
        outcomes: list[Outcome] = []
        pictures = []
        for one in upserts:
            try:
                pictures.append(
                    (one, decode(one.data or b"", limits, at_least=embedder.info.image_size))
                )
            except InvalidImage as error:
                outcomes.append(self._unreadable(one.item, error))
        if pictures:
            vectors = embedder.embed_images([image for _, image in pictures])
            index.upsert(
                [
                    Record.of_picture(one.product, vector, one.image_key)
                    for (one, _), vector in zip(pictures, vectors, strict=True)
                ]
            )
        return outcomes + [Done(one.item) for one, _ in pictures]

    def _note(self, outcomes: Sequence[Outcome]) -> None:
        """Keep the ledger in step; the job's own counts do not depend on it."""
        try:
            self._ledger.clear([o.item.key for o in outcomes if isinstance(o, Done)])
            for outcome in outcomes:
                if isinstance(outcome, GiveUp):
                    self._ledger.add(
                        Failure(outcome.item.key, outcome.stage, outcome.reason, outcome.message)
                    )
        except VitrineError as error:
            log.warning("the failure ledger could not be kept: %s", error)
