"""Second stage, in several threads: what has changed is determined, new pictures become pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ingest.pictures import Picture
from ingest.pipeline.flow import Channel, Closed, Promise
from ingest.pipeline.models import (
    IngestTask,
    PendingWrite,
    PipelineContext,
    PreparedImage,
    RunStats,
)
from ingest.pipeline.picture_work import PictureOutcome, PictureTask
from ingest.pipeline.retry import retry_while_unavailable
from ingest.pipeline.run_pictures import KnownPicture, RunPictures, picture_key
from ingest.pipeline.run_texts import RunTexts
from ingest.reading.outcomes import SourceProduct
from vitrine.errors import InvalidImage
from vitrine.index import Stamp, VectorIndex
from vitrine.index.product_json import product_hash
from vitrine.products import Record, Vector

__all__ = ["PrepareStage"]

_HANDED_ON = 8
"""Pictures that are handed on to the model together."""
_TINY = 16
"""Pixels of the longer side up to which a picture shows nothing that could be searched for."""

_Vectors: TypeAlias = dict[str, Promise[Vector] | None]
"""Vectors of a product's pictures by key, in order; None for those that the index has."""


@dataclass(frozen=True)
class _Seen:
    """A product, its stamp in the index and its record in an earlier version of the same model.

    `entries` are its pictures beside what the run knows of each, `known` the vectors by key that
    the earlier version has.
    """

    item: SourceProduct
    stamp: Stamp | None
    digest: str | None
    earlier: Record | None
    entries: tuple[tuple[Picture, KnownPicture], ...]
    known: Mapping[str, Vector]

    @property
    def embedded(self) -> frozenset[str]:
        """Keys of pictures whose vectors need not be made."""
        return frozenset(self.known if self.stamp is None else self.stamp.image_keys)


class PrepareStage:
    """Compares products with what the index has of them.

    Of each chunk first all pictures are read that nobody else is reading, then those of others are
    waited for: so threads that share pictures never wait for each other in a circle.
    """

    def __init__(
        self,
        task: IngestTask,
        context: PipelineContext,
        stats: RunStats,
        pictures: RunPictures,
        texts: RunTexts,
    ) -> None:
        self._task = task
        self._context = context
        self._stats = stats
        self._pictures = pictures
        self._texts = texts

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
            writes.put_all(self._chunk(items or [], pixels))

    def _chunk(
        self, items: list[SourceProduct], pixels: Channel[PreparedImage]
    ) -> list[PendingWrite]:
        products = self._seen(items)
        self._read(products, pixels)
        writes = [write for seen in products if (write := self._write(seen, pixels)) is not None]
        self._texts.complete(writes)
        return writes

    def _seen(self, items: list[SourceProduct]) -> list[_Seen]:
        """What is known of the products; without those that nothing is to be done for."""
        ids = [item.product.id for item in items]
        with self._stats.timed("compare"):
            stamps = retry_while_unavailable(lambda: self._task.index.stamps(ids))
            new = [product_id for product_id in ids if product_id not in stamps]
            earlier = self._records(self._task.reuse_from, new) if self._same_model else {}
        products = []
        for item in items:
            stamp, digest = stamps.get(item.product.id), _digest(item)
            if stamp is not None and digest is not None and digest == item.digest:
                self._stats.count(unchanged=1)
                continue
            entries = tuple((picture, self._pictures.known(picture)) for picture in item.pictures)
            before = earlier.get(item.product.id)
            known = {} if before is None else _by_key(before)
            products.append(_Seen(item, stamp, digest, before, entries, known))
        return products

    def _read(self, products: list[_Seen], pixels: Channel[PreparedImage]) -> None:
        """Read the pictures that nobody has read, and have those embedded that are new."""
        claimed = [
            (entry, PictureTask(picture, embedded=seen.embedded))
            for seen in products
            for picture, entry in seen.entries
            if entry.claim()
        ]
        outcomes = self._context.work.prepare([task for _, task in claimed])
        ready: list[PreparedImage] = []
        for (entry, task), outcome in zip(claimed, outcomes, strict=True):
            self._note_outcome(task, outcome)
            if outcome.refusal is not None:
                entry.key.fail(outcome.refusal)
                continue
            if outcome.pixels is not None:
                vector, is_first = self._pictures.vector(outcome.key)
                if is_first:
                    ready.append(PreparedImage(outcome.pixels, vector))
            entry.key.give(outcome.key)
            if len(ready) == _HANDED_ON:
                pixels.put_all(ready)
                ready = []
        pixels.put_all(ready)

    def _write(self, seen: _Seen, pixels: Channel[PreparedImage]) -> PendingWrite | None:
        """What is to be written of a product; None when nothing is.

        When none of its pictures can be had, or one cannot be had just now, a product keeps those
        it has; else it comes with the others.
        """
        item, stamp = seen.item, seen.stamp
        images, refusals = self._images(seen, pixels)
        if refusals:
            self._stats.without_picture(item.row, item.product.id, refusals[0])
            carried_over = self._without_pictures(seen, pixels)
            has_pictures = stamp is not None or carried_over is not None
            if not images or (has_pictures and any(map(_is_passing, refusals))):
                return carried_over
        keys, failed = tuple(images), bool(refusals)
        if stamp is not None and stamp.image_keys == keys:
            if stamp.product_hash != product_hash(item.product):
                return PendingWrite(item.row, item.product, seen.digest, failed=failed)
            self._stats.count(unchanged=0 if failed else 1)
            return None
        vectors = self._filled(images, item)
        if vectors is None:
            return None
        digest = None if failed else seen.digest
        return PendingWrite(
            item.row, item.product, digest, keys, vectors, known=stamp is not None, failed=failed
        )

    def _filled(self, images: _Vectors, item: SourceProduct) -> tuple[Promise[Vector], ...] | None:
        """The vectors of all pictures, those that the index has read from there."""
        if None in images.values():
            stored = self._records(self._task.index, [item.product.id]).get(item.product.id)
            if stored is None:
                message = "somebody deleted the product while it was being ingested; ingest again"
                self._stats.failed(item.row, item.product.id, "write", "deleted_meanwhile", message)
                return None
            known = _by_key(stored)
            images = {
                key: self._pictures.resolved(known[key]) if vector is None else vector
                for key, vector in images.items()
            }
        return tuple(vector for vector in images.values() if vector is not None)

    def _images(
        self, seen: _Seen, pixels: Channel[PreparedImage]
    ) -> tuple[_Vectors, list[InvalidImage]]:
        """The pictures that can be had, and what is wrong with the others."""
        item = seen.item
        if item.refusal is not None:
            return {}, [item.refusal]
        images: _Vectors = {}
        refusals = []
        for picture, entry in seen.entries:
            try:
                key = entry.key.wait()
                images.setdefault(key, self._vector(picture, key, seen, pixels))
            except InvalidImage as error:
                refusals.append(error)
                continue
            self._stats.warnings.saw_picture(
                key,
                _name(picture),
                id=item.product.id,
                group=item.product.group_id or item.product.id,
                place=self._stats.places.get(item.row, ""),
            )
        return images, refusals

    def _vector(
        self, picture: Picture, key: str, seen: _Seen, pixels: Channel[PreparedImage]
    ) -> Promise[Vector] | None:
        """A picture's vector; None where the index has it for this product."""
        if seen.stamp is not None and key in seen.stamp.image_keys:
            return None
        if key in seen.known:
            return self._pictures.resolved(seen.known[key])
        return self._made(picture, key, pixels)

    def _made(
        self, picture: Picture | None, key: str, pixels: Channel[PreparedImage]
    ) -> Promise[Vector]:
        """The vector that this run makes, or is making, of a picture."""
        vector, is_first = self._pictures.vector(key)
        if is_first:
            task = PictureTask(picture, key)
            outcome = next(self._context.work.prepare([task]))
            self._note_outcome(task, outcome)
            if outcome.refusal is not None:
                vector.fail(outcome.refusal)
                raise outcome.refusal
            pixels.put(PreparedImage(outcome.pixels, vector))
        return vector

    def _without_pictures(self, seen: _Seen, pixels: Channel[PreparedImage]) -> PendingWrite | None:
        """The fields of a product whose pictures cannot be had now, beside the pictures it has."""
        item = seen.item
        if seen.stamp is not None:
            if seen.stamp.product_hash == product_hash(item.product):
                return None
            return PendingWrite(item.row, item.product, failed=True)
        earlier = seen.earlier
        if earlier is None and not self._same_model:
            earlier = self._records(self._task.reuse_from, [item.product.id]).get(item.product.id)
        return None if earlier is None else self._carried_over(item, earlier, pixels)

    def _carried_over(
        self, item: SourceProduct, earlier: Record, pixels: Channel[PreparedImage]
    ) -> PendingWrite | None:
        """A product with the pictures of an earlier version, embedded anew for another model."""
        keys = earlier.image_keys
        if self._same_model:
            vectors = tuple(self._pictures.resolved(vector) for vector in earlier.vectors)
        else:
            try:
                vectors = tuple(self._made(None, key, pixels) for key in keys)
            except InvalidImage:
                return None
        return PendingWrite(item.row, item.product, None, keys, vectors, known=False, failed=True)

    def _note_outcome(self, task: PictureTask, outcome: PictureOutcome) -> None:
        """Note what a picture took, and tell of one that was taken but is odd in itself."""
        if outcome.seconds:
            self._stats.took(outcome.seconds)
        for warning in outcome.warnings:
            self._stats.warnings.add("repaired_picture", f"{_name(task.picture)}: {warning}")
        if outcome.size is not None and max(outcome.size) <= _TINY:
            name, (width, height) = _name(task.picture), outcome.size
            self._stats.warnings.add(
                "tiny_picture",
                f"the picture {name} has {width} x {height} pixels; is it a placeholder?",
            )

    @property
    def _same_model(self) -> bool:
        other = self._task.reuse_from
        return other is not None and other.info.fingerprint == self._task.index.info.fingerprint

    def _records(self, index: VectorIndex | None, ids: Sequence[str]) -> Mapping[str, Record]:
        if index is None or not ids:
            return {}
        return retry_while_unavailable(lambda: index.get(ids))


def _name(picture: Picture | None) -> str:
    if picture is None:
        return "of the earlier version"
    return picture.url or (
        picture.path.rpartition("/")[2] if picture.path else "within the catalogue"
    )


def _is_passing(refusal: InvalidImage) -> bool:
    """Whether a picture could only not be had just now."""
    return refusal.reason in ("unreachable", "too_slow")


def _by_key(record: Record) -> dict[str, Vector]:
    return dict(zip(record.image_keys, record.vectors, strict=True))


def _digest(item: SourceProduct) -> str | None:
    """What a product with fetched pictures was made from; None where reading them costs nothing."""
    if not any(picture.url is not None for picture in item.pictures):
        return None
    addresses = "\n".join(_addresses(item.pictures))
    return hashlib.sha256(f"{addresses}\n{product_hash(item.product)}".encode()).hexdigest()


def _addresses(pictures: Sequence[Picture]) -> list[str]:
    return [
        picture.url or (picture_key(picture.data) if picture.data else str(picture.path))
        for picture in pictures
    ]
