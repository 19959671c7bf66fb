"""Pictures that go at once, with the products that show them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from vitrine.errors import NotFound, StorageUnavailable
from vitrine.images.thumbnail import Thumbnails
from vitrine.index import VectorIndex
from vitrine.products import Record
from vitrine.wiring import Vitrine

__all__ = ["PictureRemoval"]

_BATCH = 1000
_AT_ONCE = 8
"""Pictures of which the bytes are held, to put them back if a write turns out to bring them."""


class PictureRemoval:
    """Removes pictures that no other product of any version shows and no accepted write brings.

    `named` gives the keys that accepted writes name. Whoever accepts a write looks after that
    whether its pictures are still there (`ingest.admin`); so a picture that is sent while it is
    being removed is there in the end, whichever came first.
    """

    def __init__(self, vitrine: Vitrine, named: Callable[[], set[str]]) -> None:
        self._vitrine, self._named = vitrine, named
        self._thumbnails = Thumbnails.of(vitrine.images, vitrine.settings)

    def remove(self, live: VectorIndex, product_ids: Sequence[str]) -> None:
        """Remove the pictures of products that are about to be removed from the live version.

        Versions that are kept for rollback show those products without a picture then. Goes through
        the ids of all versions.
        """
        mark, own = live.mark(), frozenset(product_ids)
        keys = self._surplus(own)
        for start in range(0, len(keys), _AT_ONCE):
            held = self._remove(keys[start : start + _AT_ONCE])
            written = (record for batch in live.written_since(mark) for record in batch)
            for key in held.keys() & (self._named() | _keys_of(written, own)):
                self._vitrine.images.put(held[key])

    def _remove(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Remove pictures and return their bytes."""
        images = self._vitrine.images
        held: dict[str, bytes] = {}
        for key in keys:
            with suppress(NotFound, StorageUnavailable):  # gone or damaged: not worth holding
                held[key] = images.get(key)
            images.delete(key)
            self._thumbnails.forget(key)
        return held

    def _surplus(self, own: frozenset[str]) -> list[str]:
        """The keys that products show in any version, and nobody else does."""
        versions = [self._open(info.name) for info in self._vitrine.versions.list()]
        opened = [version for version in versions if version is not None]
        keys: set[str] = set()
        for version in opened:
            for stamp in version.stamps(sorted(own)).values():
                keys.update(stamp.image_keys)
        keys -= self._named()
        for version in opened:
            for ids in version.scan_ids(batch=_BATCH):
                if not keys:
                    return []
                others = version.stamps([each for each in ids if each not in own])
                for stamp in others.values():
                    keys.difference_update(stamp.image_keys)
        return sorted(keys)

    def _open(self, name: str) -> VectorIndex | None:
        try:
            return self._vitrine.versions.open(name)
        except NotFound:
            return None  # discarded meanwhile


def _keys_of(records: Iterable[Record], own: frozenset[str]) -> set[str]:
    return {key for record in records if record.product.id not in own for key in record.image_keys}
