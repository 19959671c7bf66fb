"""Thumbnails: made once from the stored picture, then read from a folder that may be deleted."""

from __future__ import annotations

import io
import logging
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from vitrine.images.decode import ImageLimits, decode
from vitrine.images.ports import ImageStore
from vitrine.settings import ImageSettings
from vitrine.storage.atomic import atomic_write

__all__ = ["SIZES", "Thumbnail", "Thumbnails"]

log = logging.getLogger(__name__)

SIZES = (64, 96, 160, 240, 320, 480, 640, 960, 1280)
"""Lengths of the longer side in pixels.

Another size gets the next larger of these, so that the folder stays bounded.
"""

_QUALITY = 85
_LAYOUT = 1  # raise it when thumbnails of the same picture come out otherwise


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """JPEG bytes, and a tag that changes exactly when the bytes may (a strong ETag, unquoted)."""

    data: bytes
    etag: str
    media_type: str = "image/jpeg"


class Thumbnails:
    """The thumbnails of an image store."""

    def __init__(self, store: ImageStore, folder: Path, limits: ImageLimits) -> None:
        self._store = store
        self._folder = folder
        self._limits = limits

    @classmethod
    def of(cls, store: ImageStore, settings: ImageSettings) -> Thumbnails:
        """The thumbnails under DATA_DIR/thumbnails, of the pictures of a store."""
        return cls(store, settings.data_dir / "thumbnails", ImageLimits.of(settings))

    @staticmethod
    def etag(key: str, size: int) -> str:
        """The tag of a thumbnail, known without making it."""
        return f"{key[:32]}-{_LAYOUT}-{_next_size(size)}"

    def get(self, key: str, size: int) -> Thumbnail:
        """The picture within a square of about `size` pixels, never enlarged.

        It is made again at each call where it cannot be kept. Raises what the store and `decode`
        raise.
        """
        side = _next_size(size)
        path = self._path(key, side)
        try:
            data = path.read_bytes()
        except OSError:  # not made yet, or a folder that cannot be read
            data = self._make(key, side)
            self._remember(path, data)
        return Thumbnail(data, self.etag(key, size))

    def forget(self, key: str) -> None:
        """Remove what was made of a picture; nothing happens where that is not possible."""
        for side in SIZES:
            with suppress(OSError):
                self._path(key, side).unlink(missing_ok=True)

    def _path(self, key: str, side: int) -> Path:
        return self._folder / f"{_LAYOUT}-{side}" / key[:2] / f"{key}.jpg"

    def _make(self, key: str, side: int) -> bytes:
        image = decode(self._store.get(key), self._limits, at_least=side)
        image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=None)
        out = io.BytesIO()
        image.save(out, "JPEG", quality=_QUALITY, optimize=True, progressive=True)
        return out.getvalue()

    def _remember(self, path: Path, data: bytes) -> None:
        """Keep a thumbnail for the next time; on a full disk it is only made again."""
        try:
            atomic_write(path, data)
        except OSError as error:
            log.warning("thumbnails cannot be kept in %s: %s", self._folder, error.strerror)


def _next_size(size: int) -> int:
    return next((known for known in SIZES if known >= size), SIZES[-1])
