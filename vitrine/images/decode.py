"""Bytes from outside become an upright RGB picture, or a refusal that says what is wrong with the file.

Nothing is trusted: bytes, pixels and format are checked from the header before anything is decoded, so that a small
file cannot claim much memory or time. Pillow raises whatever a hostile file provokes in it; all of it is caught here.
"""

from __future__ import annotations

import io
import re
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image, UnidentifiedImageError, features

from vitrine.errors import InvalidImage
from vitrine.images.headers import formats_in_words, other_format, scans, webp_canvas
from vitrine.images.scaling import remember_size
from vitrine.settings import Settings

__all__ = ["FORMATS", "MARGIN", "ImageLimits", "decode"]

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF") + (
    ("AVIF",) if features.check("avif") else ()
)
"""What is decoded: formats shops have, each with a decoder that is kept up against hostile files."""

MARGIN = 2
"""A picture is decoded no smaller than this times what is asked for, so that the model's own resize does the filtering."""

LEAST = 256
"""No picture is decoded smaller than this on its shorter side: for a model that looks at few pixels, shrinking twice shows."""

_MAX_SCANS = 100  # a progressive photo has about ten; each costs a pass over all pixels
_PILLOW_PIXELS = 2 * (Image.MAX_IMAGE_PIXELS or 0)  # beyond this Pillow refuses by itself
_STARTS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF")
_REMARKS = ("ignore", None, Warning, re.compile(r"PIL\."), 0)
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION = 0x0112  # the Exif tag


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """How large a picture may be: bytes of the file, and width x height in pixels."""

    max_bytes: int
    max_pixels: int

    @classmethod
    def of(cls, settings: Settings) -> ImageLimits:
        """The limits that the settings name in megabytes and megapixels."""
        return cls(
            int(settings.max_image_mb * 1_000_000), int(settings.max_image_megapixels * 1_000_000)
        )


def decode(data: bytes, limits: ImageLimits, *, at_least: int | None = None) -> Image.Image:
    """The picture in the bytes: first frame, upright (Exif), RGB, transparency on white.

    With `at_least` a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, its shorter side no less than `MARGIN` times
    `at_least` and `LEAST`. Raises `InvalidImage` with reason `empty`, `too_many_bytes`, `not_an_image`, `format_not_allowed`,
    `too_many_pixels`, `too_complex`, `pixels_not_supported`, `truncated` or `damaged`; never anything else.
    """
    _check_bytes(data, limits)
    _silence_remarks()
    opened = _open(data)
    _check_pixels(*opened.size, limits)
    try:
        original = opened.size
        if at_least is not None and opened.format in ("JPEG", "MPO"):
            opened.draft(None, _draft_size(original, at_least))
        shrunk = opened.size != original
        opened.load()
        image = _to_rgb(_upright(opened))
    except InvalidImage:
        raise
    except Exception as error:  # Pillow's decoders raise OSError, ValueError, SyntaxError, struct.error, MemoryError ...
        raise _broken(error) from None
    if shrunk:
        turned = (image.width > image.height) != (opened.width > opened.height)
        remember_size(image, (original[1], original[0]) if turned else original)
    return image


def _check_bytes(data: bytes, limits: ImageLimits) -> None:
    if not data:
        raise InvalidImage("empty", "the file is empty")
    if len(data) > limits.max_bytes:
        raise InvalidImage(
            "too_many_bytes",
            f"the file has {len(data) / 1e6:.1f} MB, at most {limits.max_bytes / 1e6:g} MB are allowed",
        )
    if scans(data) > _MAX_SCANS:
        raise InvalidImage(
            "too_complex",
            f"the JPEG has more than {_MAX_SCANS} passes over the picture; save it again as an ordinary JPEG",
        )


def _check_pixels(width: int, height: int, limits: ImageLimits) -> None:
    if width * height > limits.max_pixels:
        size = f"{width} x {height} pixels ({width * height / 1e6:.0f} megapixels)"
        raise InvalidImage(
            "too_many_pixels",
            f"the picture has {size}, at most {limits.max_pixels / 1e6:g} megapixels are allowed",
        )


def _open(data: bytes) -> Image.Image:
    """Read the header only; the pixels stay packed."""
    _check_webp(data)
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError:
        raise InvalidImage(
            "too_many_pixels", "the picture claims far more pixels than any photo has"
        ) from None
    except UnidentifiedImageError:
        raise _unidentified(data) from None
    except Exception as error:
        raise _broken(error) from None


def _check_webp(data: bytes) -> None:
    """Pillow's WebP decoder takes memory for the whole canvas when it opens the file, so look before."""
    canvas = webp_canvas(data)
    if canvas is None:
        return
    if canvas.declared_bytes > len(data):
        raise _truncated()
    if canvas.width * canvas.height > _PILLOW_PIXELS:
        raise InvalidImage(
            "too_many_pixels",
            f"the picture has {canvas.width} x {canvas.height} pixels, which no shop photo has",
        )


def _unidentified(data: bytes) -> InvalidImage:
    allowed = formats_in_words(FORMATS)
    other = other_format(data)
    own = data.startswith(_STARTS) or (data[4:12] == b"ftypavif" and "AVIF" in FORMATS)
    if other is not None and not own:
        return InvalidImage(
            "format_not_allowed", f"the file is {other}; save the picture as {allowed}"
        )
    if own:
        return InvalidImage(
            "damaged", "the file begins like a picture but cannot be read; export it again"
        )
    return InvalidImage(
        "not_an_image", f"the file is not a picture that can be read; allowed are {allowed}"
    )


def _broken(error: Exception) -> InvalidImage:
    if isinstance(error, EOFError) or re.search(
        "truncated|unexpected end|not enough", str(error), re.IGNORECASE
    ):
        return _truncated()
    if isinstance(error, MemoryError):
        return InvalidImage(
            "too_complex", "the picture needs more memory than there is; save it smaller"
        )
    return InvalidImage(
        "damaged", "the picture is damaged and cannot be read to its end; export or upload it again"
    )


def _truncated() -> InvalidImage:
    return InvalidImage(
        "truncated",
        "the file ends before the picture does; the upload or copy broke off, so send it again",
    )


def _draft_size(size: tuple[int, int], at_least: int) -> tuple[int, int]:
    """The size to ask the JPEG decoder for: it never goes below it on either side."""
    factor = max(MARGIN * at_least, LEAST) / min(size)
    return (
        (max(1, int(size[0] * factor + 0.999)), max(1, int(size[1] * factor + 0.999)))
        if factor < 1
        else size
    )


def _upright(image: Image.Image) -> Image.Image:
    try:
        turn = _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged Exif data is no reason to refuse a sound picture
        turn = None
    return image if turn is None else image.transpose(turn)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image if type(image) is Image.Image else image.copy()
    if image.mode.startswith("I;16"):
        return _from_16_bit(image)
    if image.mode in ("I", "F", "LAB"):
        raise InvalidImage(
            "pixels_not_supported",
            f"the picture's pixels are of a scientific kind ({image.mode}); save it as an 8-bit RGB picture",
        )
    if image.has_transparency_data:
        seen = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB")
    return image.convert("RGB")


def _from_16_bit(image: Image.Image) -> Image.Image:
    """Pillow's own conversion cuts everything above 255 to white, so scale (65535 = 257 x 255)."""
    levels = np.asarray(image).astype(np.uint16)
    return Image.fromarray(((levels.astype(np.uint32) + 128) // 257).astype(np.uint8)).convert(
        "RGB"
    )


def _silence_remarks() -> None:
    """Have Python ignore Pillow's remarks on odd files; put back where somebody reset the filters."""
    if _REMARKS not in warnings.filters:
        warnings.filterwarnings("ignore", module=r"PIL\.")
