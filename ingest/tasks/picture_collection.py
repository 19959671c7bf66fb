"""Pictures that nothing refers to any more are removed, after a time of grace."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.jobs.store import JobStore
from ingest.tasks.shrink import ShrinkLimit
from vitrine.errors import NoLiveVersion, NotFound
from vitrine.images.thumbnail import Thumbnails
from vitrine.index import IndexVersions
from vitrine.wiring import Vitrine

__all__ = ["PictureCollection", "collect_pictures"]

log = logging.getLogger(__name__)

_BATCH = 1000


@dataclass(frozen=True)
class PictureCollection:
    """How many pictures were kept and removed, or why none was."""

    kept: int = 0
    removed: int = 0
    refusal: str | None = None


def collect_pictures(
    vitrine: Vitrine, store: JobStore, *, limit: ShrinkLimit, check: Callable[[], None]
) -> PictureCollection:
    """Remove pictures that no version and no accepted write names, once they are old enough.

    A picture's age counts from when it was last put, so one that an accepted write brings is young.
    Nothing is removed without a live version, or when more pictures than `limit` allows would go:
    another shop may use the same store. `check` is called now and then, and may raise.
    """
    images, grace_s = vitrine.images, 3600 * vitrine.settings.picture_grace_hours
    if grace_s == 0:
        return PictureCollection(refusal="VITRINE_PICTURE_GRACE_HOURS is 0: pictures are kept")
    try:
        vitrine.versions.live()
    except NoLiveVersion:
        return PictureCollection(refusal="no version is live, so no picture is removed")
    # the queue first: what leaves it meanwhile is found in the versions
    named = _prefixes(store.picture_keys())
    shown = _prefixes(_shown(vitrine.versions, check))
    referenced = np.unique(np.concatenate([named, shown]))
    total, surplus = 0, []
    for key in images.walk_keys():
        total += 1
        if not _contains(referenced, key) and images.age_s(key) > grace_s:
            surplus.append(key)
        if total % _BATCH == 0:
            check()
    if len(surplus) > limit.share * total:
        return PictureCollection(
            total,
            refusal=f"{len(surplus)} of {total} pictures in the image store are shown by no"
            " product; so many are not removed without being asked for: does another shop use the"
            " store? If not, run `vitrine pictures --collect --allow-shrink`",
        )
    removed, thumbnails = 0, Thumbnails.of(images, vitrine.settings)
    for key in surplus:
        check()
        if images.age_s(key) > grace_s:  # put again meanwhile?
            images.delete(key)
            thumbnails.forget(key)
            removed += 1
    images.remove_leftovers(older_than_s=grace_s)
    return PictureCollection(total - removed, removed)


def _shown(versions: IndexVersions, check: Callable[[], None]) -> Iterator[str]:
    for info in versions.list():
        try:
            for records in versions.open(info.name).scan(batch=_BATCH):
                check()
                for record in records:
                    yield from record.image_keys
        except NotFound:
            continue  # discarded meanwhile


def _prefixes(keys: Iterable[str]) -> NDArray[np.uint64]:
    """The first 64 bits of each key: 8 bytes in memory; two alike would only keep one too many."""
    return np.fromiter((int(key[:16], 16) for key in keys), np.uint64)


def _contains(prefixes: NDArray[np.uint64], key: str) -> bool:
    prefix = np.uint64(int(key[:16], 16))
    place = int(np.searchsorted(prefixes, prefix))
    return place < len(prefixes) and bool(prefixes[place] == prefix)
