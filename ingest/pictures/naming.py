"""Where a product's pictures come from, and their bytes."""

from __future__ import annotations

import io
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from PIL.Image import Image

from ingest.pictures.lists import listed_values
from vitrine.errors import InvalidImage
from vitrine.images.base64_text import decode_base64
from vitrine.settings import FetchSettings

if TYPE_CHECKING:  # decoding processes do without
    from vitrine.fields.columns import ImagesTable

__all__ = ["ADDRESS_KEYS", "FetchedPicture", "Picture", "fetch_url", "picture_of", "pictures_of"]


@dataclass(frozen=True)
class Picture:
    """A picture that is not read yet: its bytes, its file or its address.

    A file lies below `root`, the catalogue's folder; both are plain text, which travels between
    processes at a tenth of what a `Path` takes. `user_agent` is what a catalogue wants to be
    called by when it fetches.
    """

    data: bytes | None = None
    path: str | None = None
    root: str | None = None
    url: str | None = None
    user_agent: str | None = None

    def read(self, settings: FetchSettings) -> bytes:
        """The bytes. `InvalidImage` with reason `missing`, `too_many_bytes`, or one of fetching."""
        if self.data is not None:
            return self.data
        if self.path is not None:
            return _file(self.path, self.root, settings)
        return fetch_url(self.url or "", settings)


@dataclass(frozen=True, slots=True)
class FetchedPicture:
    """A picture's key (SHA-256 of its bytes, hex), and its bytes.

    `data` is None where the host says that the picture is the one that is in the image store.
    """

    key: str
    data: bytes | None


def fetch_url(url: str, settings: FetchSettings) -> bytes:
    """The bytes behind a URL; `InvalidImage` when they cannot be fetched.

    An address without a scheme ("//host/a.jpg", as pages write it) is asked by https, then by http.
    """
    from vitrine.images.fetch import fetch

    if not url.startswith("//"):
        return fetch(url, settings)
    try:
        return fetch(f"https:{url}", settings)
    except InvalidImage as error:
        if error.reason != "unreachable":
            raise
        return fetch(f"http:{url}", settings)


def pictures_of(
    values: Sequence[Any], base: Path | None, images: ImagesTable, split: str | None = None
) -> tuple[Picture, ...]:
    """All pictures that the columns of a row name, each once and at most `images.max`.

    A cell may hold several, and what is not a picture is passed over where there is another. Names
    begin at `images.base`, an address or a folder, else at `base`. `InvalidImage` says what is
    wrong when there is none at all.
    """
    pictures: list[Picture] = []
    refusal: InvalidImage | None = None
    for value in listed_values(values, split):
        try:
            picture = picture_of(_placed(value, images.base), _folder(base, images.base))
        except InvalidImage as error:
            refusal = refusal or error
            continue
        if images.user_agent is not None:
            picture = replace(picture, user_agent=images.user_agent)
        if picture not in pictures:
            pictures.append(picture)
        if len(pictures) == images.max:
            break
    if not pictures:
        raise refusal or InvalidImage("missing", "the product has no picture")
    return tuple(pictures)


def picture_of(value: Any, base: Path | None) -> Picture:
    """The picture that a source's image column names; of a list its first.

    Bytes, an image object, {"bytes", "path"} as `datasets` gives it, {"base64"}, {"url"} or what
    shops' APIs write ({"src"}, {"contentUrl"}), a data: URL, an http(s):// or file:// URL, or a
    path relative to `base`. Without a `base` files are refused. `InvalidImage` says what is wrong.
    """
    if isinstance(value, list | tuple):
        value = next((entry for entry in value if entry not in (None, "")), None)
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


ADDRESS_KEYS = ("url", "path", "src", "contentUrl", "href", "link", "#text", "@url", "@href")
"""What exports call the address within an image object."""


def _named(value: Mapping[str, Any]) -> Any:
    if value.get("bytes") is not None:
        return value["bytes"]
    if isinstance(value.get("base64"), str):
        return _decoded(value["base64"])
    named = next((value[key] for key in ADDRESS_KEYS if value.get(key)), None)
    if all(key.startswith("@") for key in value) and named is None:
        return None  # an element of XML without content
    if named is None and not {"bytes", "path"} & value.keys():
        keys = ", ".join(map(repr, list(value)[:5]))
        raise InvalidImage(
            "missing", f"an image object needs one of {', '.join(ADDRESS_KEYS[:4])}; it has {keys}"
        )
    return named


def _decoded(text: str) -> bytes:
    try:
        return decode_base64(text)
    except ValueError as error:
        raise InvalidImage("not_an_image", f"the picture cannot be read: {error}") from None


def _png(image: Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _placed(value: Any, base: str | None) -> Any:
    """A relative name under an address that the mapping gives as the pictures' base."""
    if isinstance(value, Mapping):
        value = _named(value)
    named = isinstance(value, str) and value.strip()
    if not named or base is None or not _is_address(base) or _is_address(value.strip()):
        return value
    path = quote(value.strip().replace("\\", "/").lstrip("/"), safe="/~%+,;=&?@!$'()*")
    return f"{base.rstrip('/')}/{path}"


def _folder(base: Path | None, images_base: str | None) -> Path | None:
    """The folder on this machine that relative names start from."""
    if images_base is None or _is_address(images_base) or base is None:
        return base
    return base / images_base


def _is_address(text: str) -> bool:
    return text.partition(":")[0].lower() in ("http", "https", "data") or text.startswith("//")


def _addressed(text: str, base: Path | None) -> Picture:
    scheme = text.partition(":")[0].lower()
    if text.startswith("//"):
        return Picture(url=_escaped(text))
    if scheme in ("http", "https"):
        return Picture(url=_escaped(text))
    if scheme == "data":
        return Picture(data=_decoded(text))
    if base is None:
        raise InvalidImage(
            "missing",
            f"{text[:200]!r} names a file, but this source may name only bytes and https:// URLs",
        )
    if scheme == "file":
        return Picture(path=str(Path(unquote(urlsplit(text).path))), root=str(base))
    if "\x00" in text:
        raise InvalidImage("missing", "the picture's path holds a NUL character")
    return Picture(path=str(_path(text, base)), root=str(base))


def _escaped(url: str) -> str:
    """The address with the entities of XML and the blanks that do not belong into one replaced."""
    return url.replace("&amp;", "&").replace(" ", "%20")


def _path(text: str, base: Path) -> Path:
    """The file; a name as Windows or a web server writes it ("\\img\\a.png", "/w/b/x.jpg")."""
    path = base / text
    if "\\" not in text and not text.startswith("/"):
        return path
    slashed = text.replace("\\", "/")
    below = base / slashed.lstrip("/")
    try:
        return below if not path.exists() and below.exists() else path
    except OSError:
        return path


def _file(name: str, root: str | None, settings: FetchSettings) -> bytes:
    limit = int(settings.max_image_mb * 1_000_000)
    path = Path(name)
    try:
        path = path.resolve()
        _check_place(path, root, settings)
        known = path.stat()
        if not stat.S_ISREG(known.st_mode):
            raise InvalidImage("missing", f"{path} is not a file")
        if known.st_size > limit:
            raise InvalidImage(
                "too_many_bytes",
                f"the file has {known.st_size / 1e6:.1f} MB; the limit is {limit / 1e6:g} MB",
            )
        with path.open("rb") as file:
            return file.read(limit + 1)  # it may have grown meanwhile; decoding refuses it then
    except FileNotFoundError:
        raise InvalidImage("missing", f"there is no file {path}") from None
    except (OSError, ValueError) as error:
        raise InvalidImage(
            "missing",
            f"the file {path} cannot be read: {getattr(error, 'strerror', None) or error}",
        ) from None


def _check_place(path: Path, root: str | None, settings: FetchSettings) -> None:
    """Refuse a file that the catalogue may not publish, however its path leads there."""
    wider = settings.catalogue_root
    allowed = [Path(root)] if root is not None else []
    allowed += [Path(wider)] if wider else []
    if not any(path.is_relative_to(folder.resolve()) for folder in allowed):
        raise InvalidImage(
            "forbidden_path",
            f"{path} lies outside the catalogue's folder; name a folder that holds both with "
            "VITRINE_CATALOGUE_ROOT to allow it",
        )
