"""Where a product's picture comes from, and its bytes."""

from __future__ import annotations

import io
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from PIL.Image import Image

from vitrine.errors import InvalidImage
from vitrine.images.base64_text import decode_base64
from vitrine.settings import FetchSettings

__all__ = ["Picture", "fetch_url", "picture_of"]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that is not read yet: its bytes, its file or its address."""

    data: bytes | None = None
    path: Path | None = None
    url: str | None = None

    def read(self, settings: FetchSettings) -> bytes:
        """The bytes. `InvalidImage` with reason `missing`, `too_many_bytes`, or one of fetching."""
        if self.data is not None:
            return self.data
        if self.path is not None:
            return _file(self.path, settings)
        return fetch_url(self.url or "", settings)


def fetch_url(url: str, settings: FetchSettings) -> bytes:
    """The bytes behind a URL; `InvalidImage` when they cannot be had."""
    from vitrine.images.fetch import fetch

    return fetch(url, settings)


def picture_of(value: Any, base: Path | None) -> Picture:
    """The picture that a source's image column names; of a list its first.

    Bytes, an image object, {"bytes", "path"} as `datasets` gives it, {"base64"} or {"url"}, a data: URL, an http(s):// or
    file:// URL, or a path relative to `base`. Without a `base` files are refused. `InvalidImage` says what is wrong.
    """
    if isinstance(value, list | tuple):
        value = next((one for one in value if one not in (None, "")), None)
    if isinstance(value, Mapping):
        value = _named(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return Picture(data=bytes(value))
    if isinstance(value, Image):
        return Picture(data=_png(value))
    if isinstance(value, str) and value.strip():
        return _addressed(value.strip(), base)
    if value is None or value == "":
        raise InvalidImage("missing", "the product has no picture")
    raise InvalidImage(
        "not_an_image", f"a picture must be bytes, a path or a URL, not {type(value).__name__}"
    )


def _named(value: Mapping[str, Any]) -> Any:
    if value.get("bytes") is not None:
        return value["bytes"]
    if isinstance(value.get("base64"), str):
        return _decoded(value["base64"])
    return value.get("url") or value.get("path")


def _decoded(text: str) -> bytes:
    try:
        return decode_base64(text)
    except ValueError:
        raise InvalidImage("not_an_image", "the picture is no valid base64 text") from None


def _png(image: Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _addressed(text: str, base: Path | None) -> Picture:
    scheme = text.partition(":")[0].lower()
    if scheme in ("http", "https"):
        return Picture(url=text)
    if scheme == "data":
        return Picture(data=_decoded(text.partition(",")[2]))
    if base is None:
        raise InvalidImage(
            "missing",
            f"{text[:200]!r} names a file, but this source may name only bytes and https:// URLs",
        )
    if scheme == "file":
        return Picture(path=Path(unquote(urlsplit(text).path)))
    if "\x00" in text:
        raise InvalidImage("missing", "the picture's path holds a NUL character")
    return Picture(path=base / text)


def _file(path: Path, settings: FetchSettings) -> bytes:
    limit = int(settings.max_image_mb * 1_000_000)
    try:
        known = path.stat()
        if not stat.S_ISREG(known.st_mode):
            raise InvalidImage("missing", f"{path} is no file")
        if known.st_size > limit:
            raise InvalidImage(
                "too_many_bytes",
                f"the file has {known.st_size / 1e6:.1f} MB, at most {limit / 1e6:g} MB are allowed",
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise InvalidImage("missing", f"there is no file {path}") from None
    except (OSError, ValueError) as error:
        raise InvalidImage(
            "missing",
            f"the file {path} cannot be read: {getattr(error, 'strerror', None) or error}",
        ) from None
