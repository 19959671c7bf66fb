"""Second stage, in several threads: what has changed is determined, new pictures become pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ingest.pictures import Picture
from ingest.pictures.polite import FetchedPicture
from ingest.pipeline.flow import Channel, Closed, Promise
from ingest.pipeline.models import (
    IngestTask,
    PendingWrite,
    PipelineContext,
    PreparedImage,
    RunStats,
    SourceProduct,
)
from ingest.pipeline.retry import retry_while_unavailable
from ingest.pipeline.run_pictures import RunPictures, picture_key
from vitrine.errors import InvalidImage, NotFound
from vitrine.images.decode import ImageLimits, decode
from vitrine.images.decoded import DecodedImage
from vitrine.index import Stamp, VectorIndex
from vitrine.index.stamps import product_hash
from vitrine.products import Record, Vector

__all__ = ["PrepareStage"]

_TINY = 16
"""Pixels of the longer side up to which a picture shows nothing that could be searched for."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A product with what is known of it: its stamp in the index, and its digest."""

    item: SourceProduct
    stamp: Stamp | None
    digest: str | None


_Images: TypeAlias = dict[str, Promise[Vector] | None]
"""Pictures of a product by their keys, in order; None for vectors that the index has."""


class PrepareStage:
    """Compares products with what the index has of them."""

    def __init__(
        self,
        task: IngestTask,
        context: PipelineContext,
        stats: RunStats,
        pictures: RunPictures,
    ) -> None:
        self._task = task
        self._context = context
        self._stats = stats
        self._pictures = pictures
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
            for write in self._chunk(items or [], pixels):
                writes.put(write)

    def _chunk(
        self, items: list[SourceProduct], pixels: Channel[PreparedImage]
    ) -> list[PendingWrite]:
        with self._stats.timed("compare"):
            stamps = retry_while_unavailable(
                lambda: self._task.index.stamps([item.product.id for item in items])
            )
        writes = []
        for item in items:
            stamp = stamps.get(item.product.id)
            seen = _Seen(item, stamp, _digest(item))
            if stamp is not None and seen.digest is not None and seen.digest == item.digest:
                self._stats.count(unchanged=1)
                continue
            write = self._write(seen, pixels)
            if write is not None:
                writes.append(write)
        return writes

    def _write(self, seen: _Seen, pixels: Channel[PreparedImage]) -> PendingWrite | None:
        """What is to be written of a product; None when nothing is.

        When none of its pictures can be had, or one cannot be had just now, a product keeps those
        it has; else it comes with the others.
        """
        item, stamp = seen.item, seen.stamp
        images, refusals = self._images(item, stamp, pixels)
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

    def _filled(self, images: _Images, item: SourceProduct) -> tuple[Promise[Vector], ...] | None:
        """The vectors of all pictures, those that the index has read from there."""
        if any(vector is None for vector in images.values()):
            stored = self._record(self._task.index, item.product.id)
            if stored is None:
                message = "somebody deleted the product while it was being ingested; ingest again"
                self._stats.failed(item.row, item.product.id, "write", "deleted_meanwhile", message)
                return None
            known = _by_key(stored)
            images = {
                key: self._pictures.given(known[key]) if vector is None else vector
                for key, vector in images.items()
            }
        return tuple(vector for vector in images.values() if vector is not None)

    def _images(
        self, item: SourceProduct, stamp: Stamp | None, pixels: Channel[PreparedImage]
    ) -> tuple[_Images, list[InvalidImage]]:
        """The pictures that can be had, and what is wrong with the others."""
        if item.refusal is not None:
            return {}, [item.refusal]
        known = {} if stamp is not None else self._known_vectors(item)
        images: _Images = {}
        refusals = []
        for picture in item.pictures:
            try:
                key, vector = self._image(picture, known, stamp, pixels)
                images.setdefault(key, vector)
                self._stats.warnings.saw_picture(
                    key,
                    _name(picture),
                    id=item.product.id,
                    group=item.product.group_id or item.product.id,
                    place=self._stats.places.get(item.row, ""),
                )
            except InvalidImage as error:
                refusals.append(error)
        return images, refusals

    def _without_pictures(self, seen: _Seen, pixels: Channel[PreparedImage]) -> PendingWrite | None:
        """The fields of a product whose pictures cannot be had now, beside the pictures it has."""
        item = seen.item
        if seen.stamp is not None:
            if seen.stamp.product_hash == product_hash(item.product):
                return None
            return PendingWrite(item.row, item.product, failed=True)
        previous = self._previous(item.product.id)
        return None if previous is None else self._carried_over(item, previous, pixels)

    def _carried_over(
        self, item: SourceProduct, previous: Record, pixels: Channel[PreparedImage]
    ) -> PendingWrite | None:
        """A product with the pictures of an earlier version, embedded anew for another model."""
        keys = previous.image_keys
        if self._same_model:
            vectors = tuple(self._pictures.given(vector) for vector in previous.vectors)
        else:
            try:
                data = [self._context.images.get(key) for key in keys]
                vectors = tuple(
                    self._vector(Picture(data=picture), key, picture, pixels)
                    for key, picture in zip(keys, data, strict=True)
                )
            except (NotFound, InvalidImage):
                return None
        return PendingWrite(item.row, item.product, None, keys, vectors, known=False, failed=True)

    def _known_vectors(self, item: SourceProduct) -> Mapping[str, Vector]:
        """Vectors of the product's own pictures in an earlier version of the same model, by key."""
        previous = self._previous(item.product.id) if self._same_model else None
        return {} if previous is None else _by_key(previous)

    def _image(
        self,
        picture: Picture,
        known: Mapping[str, Vector],
        stamp: Stamp | None,
        pixels: Channel[PreparedImage],
    ) -> tuple[str, Promise[Vector] | None]:
        """A picture's key and its vector; None where the index has it for this product."""
        entry = self._pictures.known(picture)
        with entry.lock:
            if entry.refusal is not None:
                raise entry.refusal
            data = None
            try:
                if entry.key is None:
                    read = self._read(picture)
                    entry.key, data = read.key, read.data
                key = entry.key
                if stamp is not None and key in stamp.image_keys:
                    return key, None
                if key in known:
                    return key, self._pictures.given(known[key])
                return key, self._vector(picture, key, data, pixels)
            except InvalidImage as error:
                entry.refusal = error
                raise

    def _read(self, picture: Picture) -> FetchedPicture:
        with self._stats.timed("fetch" if picture.url is not None else "load"):
            return self._context.pictures.read(picture)

    def _vector(
        self, picture: Picture, key: str, data: bytes | None, pixels: Channel[PreparedImage]
    ) -> Promise[Vector]:
        vector, is_first = self._pictures.vector(key)
        if not is_first:
            return vector
        try:
            data = self._stored(picture, key) if data is None else data
            with self._stats.timed("decode"):
                image = decode(data, self._limits, at_least=self._context.embedder.info.image_size)
            self._warn(picture, image)
            with self._stats.timed("store"):
                self._context.images.put(data)
            with self._stats.timed("preprocess"):
                ready = self._context.embedder.preprocess([image])[0]
        except Exception as error:
            vector.fail(error)
            raise
        pixels.put(PreparedImage(ready, vector))
        return vector

    def _warn(self, picture: Picture, image: DecodedImage) -> None:
        """Tell of a picture that was taken but is odd in itself."""
        name = _name(picture)
        for warning in image.warnings:
            self._stats.warnings.add("repaired_picture", f"{name}: {warning}")
        if max(image.size) <= _TINY:
            size = f"{image.width} x {image.height} pixels"
            self._stats.warnings.add(
                "tiny_picture", f"the picture {name} has {size}; is it a placeholder?"
            )

    def _stored(self, picture: Picture, key: str) -> bytes:
        try:
            return self._context.images.get(key)
        except NotFound:
            return self._read(picture).data or b""

    @property
    def _same_model(self) -> bool:
        other = self._task.reuse_from
        return other is not None and other.info.fingerprint == self._task.index.info.fingerprint

    def _previous(self, product_id: str) -> Record | None:
        return self._record(self._task.reuse_from, product_id)

    def _record(self, index: VectorIndex | None, product_id: str) -> Record | None:
        if index is None:
            return None
        return retry_while_unavailable(lambda: index.get([product_id])).get(product_id)


def _name(picture: Picture) -> str:
    return picture.url or (picture.path.name if picture.path else "within the catalogue")


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
