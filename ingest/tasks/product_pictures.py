"""The pictures that a live write brings: read, checked, and embedded only where they are new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ingest.jobs.work import PictureSource, RemotePicture
from ingest.pictures import picture_of
from ingest.tasks.retry_policy import is_unreachable
from vitrine.embedding import Embedder
from vitrine.errors import InvalidImage, NotFound
from vitrine.images.decode import ImageLimits, decode
from vitrine.images.decoded import DecodedImage
from vitrine.index import Stamp, VectorIndex
from vitrine.products import Vector
from vitrine.wiring import Vitrine

__all__ = ["PictureReader", "ProductPictures", "embed_pictures"]

_AT_ONCE = 32
"""Pictures that are with the model together."""


@dataclass(frozen=True)
class ProductPictures:
    """A product's pictures by their keys, in order.

    `images` are those that the version has no vector of; `lost` says what is wrong with pictures
    that were left out.
    """

    keys: tuple[str, ...]
    images: Mapping[str, DecodedImage] = field(default_factory=dict)
    lost: tuple[InvalidImage, ...] = ()


class PictureReader:
    """Reads pictures for one version; safe from several threads."""

    def __init__(self, vitrine: Vitrine, index: VectorIndex) -> None:
        self._vitrine, self.index = vitrine, index
        self._limits = ImageLimits.of(vitrine.settings)

    def read(
        self, sources: Sequence[PictureSource], stamp: Stamp | None, *, last_try: bool
    ) -> ProductPictures:
        """The pictures that can be had, each once; without `sources` those that the product has.

        `InvalidImage` when there is none, and, but for the last try, when one cannot be reached
        just now.
        """
        if not sources:
            if stamp is None:
                raise InvalidImage("missing", "the product is new and has no picture")
            return ProductPictures(stamp.image_keys)
        known = frozenset(() if stamp is None else stamp.image_keys)
        keys: dict[str, None] = {}
        images: dict[str, DecodedImage] = {}
        lost: list[InvalidImage] = []
        for source in sources:
            try:
                key, image = self._picture(source, known)
            except InvalidImage as error:
                if is_unreachable(error) and not last_try:
                    raise
                lost.append(error)
                continue
            keys[key] = None
            if image is not None:
                images[key] = image
        if not keys:
            raise lost[0]
        return ProductPictures(tuple(keys), images, tuple(lost))

    def _picture(
        self, source: PictureSource, known: frozenset[str]
    ) -> tuple[str, DecodedImage | None]:
        """A picture's key, and the picture unless its vector is known."""
        if not isinstance(source, RemotePicture):
            return source.key, None if source.key in known else self._decoded(
                self._stored_bytes(source.key)
            )
        data = picture_of(source.url, None).read(self._vitrine.settings)
        image = self._decoded(data)  # only what can be decoded enters the store
        key = self._vitrine.images.put(data)
        return key, None if key in known else image

    def _stored_bytes(self, key: str) -> bytes:
        try:
            return self._vitrine.images.get(key)
        except NotFound:
            raise InvalidImage(
                "missing", "its picture is no longer in the image store; send it again"
            ) from None

    def _decoded(self, data: bytes) -> DecodedImage:
        embedder = self._vitrine.embedders.for_index(self.index)
        return decode(data, self._limits, at_least=embedder.info.image_size)


def embed_pictures(embedder: Embedder, products: Iterable[ProductPictures]) -> dict[str, Vector]:
    """The vectors of all new pictures by their keys; one that several products show is embedded
    once."""
    images = {key: image for pictures in products for key, image in pictures.images.items()}
    keys = list(images)
    vectors: dict[str, Vector] = {}
    for start in range(0, len(keys), _AT_ONCE):
        part = keys[start : start + _AT_ONCE]
        rows = embedder.embed_images([images[key] for key in part])
        vectors.update(zip(part, rows, strict=True))
    return vectors
