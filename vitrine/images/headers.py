"""What the first bytes of a file tell without decoding it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["WebpCanvas", "formats_in_words", "is_heif", "other_format", "scans", "webp_canvas"]

_HEIF_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"))

_OTHERS: tuple[tuple[int, bytes, str], ...] = (
    (4, b"ftypavif", "an AVIF picture"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"%PDF", "a PDF document"),
    (0, b"%!PS", "an EPS drawing"),
    (0, b"\xc5\xd0\xd3\xc6", "an EPS drawing"),
    (0, b"\0\0\x01\0", "an icon file"),
    (0, b"icns", "an icon file"),
    (4, b"jP  \r\n", "a JPEG 2000 picture"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (4, b"JXL ", "a JPEG XL picture"),
    (0, b"DDS ", "a DDS texture"),
    (0, b"qoif", "a QOI picture"),
    (0, b"PK\x03\x04", "a ZIP archive"),
)


def other_format(data: bytes) -> str | None:
    """The name of a well-known format, by its signature; None for anything else.

    >>> other_format(b"%PDF-1.7 ...")
    'a PDF document'
    """
    markup = _markup(data[:4096])
    if markup is not None:
        return markup
    return next(
        (name for start, mark, name in _OTHERS if data[start : start + len(mark)] == mark), None
    )


def _markup(start: bytes) -> str | None:
    """Text with tags: an error page, a drawing, a feed; comments before it do not count."""
    text = re.sub(rb"<!--.*?-->", b"", start.removeprefix(b"\xef\xbb\xbf"), flags=re.DOTALL)
    text = text.lstrip().lower()
    if b"<svg" in text and text.startswith((b"<svg", b"<?xml", b"<!doctype svg")):
        return "an SVG drawing"
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "a web page"
    return "an XML document" if text.startswith((b"<?xml", b"<!doctype")) else None


def is_heif(data: bytes) -> bool:
    """Whether the file says that it is HEIC or HEIF (ISO/IEC 23008-12, major brands of annex B)."""
    return data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS


def formats_in_words(formats: Sequence[str]) -> str:
    """A list for a sentence.

    >>> formats_in_words(["JPEG", "PNG", "WEBP"])
    'JPEG, PNG or WEBP'
    """
    return f"{', '.join(formats[:-1])} or {formats[-1]}"


def scans(data: bytes) -> int:
    """How many passes a JPEG makes over its pixels; 0 for other files.

    Counts start-of-scan markers (ITU T.81, B.1.1.3).
    In packed pixels 0xFF is always followed by 0x00, so the marker occurs there only as itself.
    """
    return data.count(b"\xff\xda") if data.startswith(b"\xff\xd8") else 0


@dataclass(frozen=True, slots=True)
class WebpCanvas:
    """Size in pixels, and the length that the container gives itself in bytes."""

    width: int
    height: int
    declared_bytes: int


def webp_canvas(data: bytes) -> WebpCanvas | None:
    """The canvas of a WebP file (RFC 9649, sections 2.4 to 2.7); None for other files."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(data) < 30:
        return None
    declared = int.from_bytes(data[4:8], "little") + 8
    chunk = data[12:16]
    if chunk == b"VP8X":
        return WebpCanvas(
            1 + int.from_bytes(data[24:27], "little"),
            1 + int.from_bytes(data[27:30], "little"),
            declared,
        )
    if chunk == b"VP8L":
        packed = int.from_bytes(data[21:25], "little")
        return WebpCanvas(1 + (packed & 0x3FFF), 1 + (packed >> 14 & 0x3FFF), declared)
    if chunk == b"VP8 ":
        return WebpCanvas(
            int.from_bytes(data[26:28], "little") & 0x3FFF,
            int.from_bytes(data[28:30], "little") & 0x3FFF,
            declared,
        )
    return None
