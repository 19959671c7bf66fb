"""Bytes from outside become an upright sRGB picture, or a refusal that says what is wrong.

Nothing is trusted: bytes, pixels and format are checked from the header before anything is decoded,
so that a small file cannot claim much memory or time. Pillow raises whatever a hostile file
provokes in it; all of it is caught here.
"""

from __future__ import annotations

import io
import re
import warnings
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, sqrt

import numpy as np
from PIL import Image, UnidentifiedImageError, features

from vitrine.errors import DecoderBusy, InvalidImage
from vitrine.images.budget import Budget, DecodingBudget, decoding_cost
from vitrine.images.color_profiles import to_srgb
from vitrine.images.decoded import DecodedImage, scaled_down
from vitrine.images.headers import (
    WebpCanvas,
    formats_in_words,
    is_heif,
    other_format,
    scans,
    webp_canvas,
)
from vitrine.settings import ImageSettings

__all__ = ["FORMATS", "MARGIN", "ImageLimits", "decode"]

_BY_PILLOW = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF") + (
    ("AVIF",) if features.check("avif") else ()
)
FORMATS = (*_BY_PILLOW, "HEIF")
"""What is decoded: formats shops have, whose decoders are kept up against hostile files."""

MARGIN = 2
"""A picture is averaged down to no less than this times what is asked for.

So it is the model's own resize that does the filtering.
"""

DRAFT_MARGIN = 1.25
"""A JPEG is decoded at no less than this times what is asked for.

Its decoder leaves out frequencies instead of averaging, which is a filter nearly as good as the
model's resize, but for the very last of it: at 1.14 times what the model looks at, photos of
garments were named worse (color and garment by 1.4 %); from 1.2 times on the differences go either
way.
"""

LEAST = 256
"""Pixels of the shorter side below which no picture is decoded.

For a model that looks at few pixels, shrinking twice shows.
"""

LARGE = 4_000_000
"""Pixels from which on a picture is scaled down as soon as it is decoded."""

_BUDGET = DecodingBudget()
"""Of this process."""
_BAND = 64
"""Rows of a picture that are put on white at a time."""
_REDUCIBLE = ("L", "LA", "RGB", "RGBA", "CMYK")
_MAX_SCANS = 100  # a progressive photo has about ten; each costs a pass over all pixels
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
_END_OF_IMAGE = b"\xff\xd9"
_NO_END = "the JPEG lacks its end marker; the picture is whole, but export it again to be sure"


Size = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """How large a picture may be: bytes of the file, width x height and longest side in pixels.

    `budget` is the memory in bytes that all pictures decoded at once may take, and one alone;
    `wait_s` how long one waits for others to be done. `memory` counts it; None: for this process.
    """

    max_bytes: int
    max_pixels: int
    max_side: int = 30_000
    budget: int = 256_000_000
    wait_s: float = 60.0
    memory: Budget | None = None

    @classmethod
    def of(cls, settings: ImageSettings, *, wait_s: float = 60.0) -> ImageLimits:
        """The limits that the settings name in megabytes and megapixels."""
        return cls(
            int(settings.max_image_mb * 1_000_000),
            int(settings.max_image_megapixels * 1_000_000),
            settings.max_image_side,
            int(settings.decode_budget_mb * 1_000_000),
            wait_s,
        )


def decode(data: bytes, limits: ImageLimits, *, at_least: int | None = None) -> DecodedImage:
    """The picture in the bytes: first frame, upright (Exif), sRGB, transparency on white.

    With `at_least` a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, its shorter side no less
    than `at_least` and `LEAST`; then no more than `LARGE` pixels remain of any picture. A JPEG that
    lacks nothing but its end marker is taken, with a warning.

    Raises `InvalidImage` with reason `empty`, `too_many_bytes`, `not_an_image`,
    `format_not_allowed`, `too_many_pixels`, `too_complex`, `pixels_not_supported`, `truncated` or
    `damaged`, and `DecoderBusy` when too much is being decoded; never anything else.
    """
    passes = _checked_passes(data, limits)
    _silence_remarks()
    try:
        return _decoded(data, passes, limits, at_least)
    except InvalidImage as error:
        if error.reason != "truncated" or passes != 1:
            raise  # of a picture in several passes, later ones may be missing unnoticed
        return _without_end(data, limits, at_least, error)


def _decoded(data: bytes, passes: int, limits: ImageLimits, at_least: int | None) -> DecodedImage:
    canvas = webp_canvas(data)
    if canvas is None:
        opened = _open(data)
        _check_pixels(*opened.size, limits)
        return _loaded(opened, passes, limits, at_least)
    # Pillow takes memory for a WebP's whole canvas when it opens the file, so look before
    _check_webp(canvas, data, limits)
    size = (canvas.width, canvas.height)
    with _room(_cost("WEBP", size, size, limits), limits):
        return _loaded(_open(data), passes, limits, at_least)


def _loaded(
    opened: Image.Image, passes: int, limits: ImageLimits, at_least: int | None
) -> DecodedImage:
    try:
        original = opened.size
        if at_least is not None and opened.format in ("JPEG", "MPO"):
            opened.draft(None, _draft_size(original, at_least))
        with _room_for(opened, original, passes, limits):
            opened.load()
            smaller = opened if at_least is None else _scaled_down(opened, at_least)
            image = _to_rgb(_upright(smaller))
            if at_least is not None:  # what could not be scaled down in its own mode
                image = _scaled_down(image, at_least)
    except (InvalidImage, DecoderBusy):
        raise
    except Exception as error:  # OSError, ValueError, SyntaxError, struct.error, MemoryError ...
        raise _broken(error) from None
    if image.size in (original, original[::-1]):
        return DecodedImage(image)
    turned = (image.width > image.height) != (original[0] > original[1])
    upright = (original[1], original[0]) if turned else original
    return DecodedImage(image, scale=scaled_down(image, upright))


def _without_end(
    data: bytes, limits: ImageLimits, at_least: int | None, error: InvalidImage
) -> DecodedImage:
    """The picture of a JPEG that ends right after its last pixel; `error` for any other.

    When no pixel is missing, whatever follows them is passed over. So two different endings that
    give the same picture show that nothing was cut off but the end marker; where pixels are
    missing, they would be read out of the ending and differ.
    """
    first, second = (
        _decoded(data + ending * 64 + _END_OF_IMAGE, 1, limits, at_least)
        for ending in (b"\x00", b"\xa7")
    )
    if first.tobytes() != second.tobytes():
        raise error
    return DecodedImage(first, scale=first.scale, warnings=(_NO_END,))


def _checked_passes(data: bytes, limits: ImageLimits) -> int:
    """How many passes a JPEG makes over its pixels, as few as are allowed; 0 for other files."""
    if not data:
        raise InvalidImage("empty", "the file is empty")
    if len(data) > limits.max_bytes:
        raise InvalidImage(
            "too_many_bytes",
            f"the file has {len(data) / 1e6:.1f} MB; the limit is {limits.max_bytes / 1e6:g} MB",
        )
    passes = scans(data)
    if passes > _MAX_SCANS:
        raise InvalidImage(
            "too_complex",
            f"the JPEG has more than {_MAX_SCANS} passes over the picture; "
            "save it again as an ordinary JPEG",
        )
    return passes


def _room_for(
    opened: Image.Image, original: Size, passes: int, limits: ImageLimits
) -> AbstractContextManager[None]:
    if opened.format == "WEBP":
        return nullcontext()  # its room was taken before it was opened
    kind = opened.format or ""
    cost = _cost(kind, opened.size, original, limits, progressive=passes > 1)
    return _room(cost, limits)


def _room(cost: int, limits: ImageLimits) -> AbstractContextManager[None]:
    return (limits.memory or _BUDGET).hold(cost, total=limits.budget, wait_s=limits.wait_s)


def _cost(
    kind: str, size: Size, original: Size, limits: ImageLimits, *, progressive: bool = False
) -> int:
    """The bytes that decoding will take; `InvalidImage` when they are more than there may be."""
    cost = decoding_cost(
        kind,
        pixels=size[0] * size[1],
        original_pixels=original[0] * original[1],
        progressive=progressive,
    )
    if cost > limits.budget:
        raise InvalidImage(
            "too_many_pixels",
            f"the picture has {original[0]} x {original[1]} pixels and would take "
            f"{cost / 1e6:.0f} MB to decode; at most {limits.budget / 1e6:g} MB are allowed "
            "(VITRINE_DECODE_BUDGET_MB)",
        )
    return cost


def _scaled_down(image: Image.Image, at_least: int) -> Image.Image:
    """A large picture made smaller by a whole number with a box filter, as a JPEG's decoder does.

    No more than `LARGE` pixels remain, though the shorter side of a very long picture suffers.
    """
    pixels = image.width * image.height
    if pixels <= LARGE or image.mode not in _REDUCIBLE:
        return image
    factor = max(min(image.size) // max(MARGIN * at_least, LEAST), ceil(sqrt(pixels / LARGE)))
    notes, exif = image.info, image.getexif()
    smaller = image.reduce(factor)
    smaller.info = notes
    smaller.getexif().update(exif)
    return smaller


def _check_pixels(width: int, height: int, limits: ImageLimits) -> None:
    if max(width, height) > limits.max_side:
        raise InvalidImage(
            "too_many_pixels",
            f"the picture is {max(width, height)} pixels long; the limit is {limits.max_side}",
        )
    if width * height > limits.max_pixels:
        size = f"{width} x {height} pixels ({width * height / 1e6:.0f} megapixels)"
        raise InvalidImage(
            "too_many_pixels",
            f"the picture has {size}; the limit is {limits.max_pixels / 1e6:g} megapixels",
        )


def _open(data: bytes) -> Image.Image:
    """Read the header only; the pixels stay packed."""
    try:
        formats = _heif_formats() if is_heif(data) else _BY_PILLOW
        return Image.open(io.BytesIO(data), formats=formats)
    except Image.DecompressionBombError:
        raise InvalidImage(
            "too_many_pixels", "the picture claims far more pixels than any photo has"
        ) from None
    except UnidentifiedImageError:
        raise _unidentified(data) from None
    except Exception as error:
        raise _broken(error) from None


def _check_webp(canvas: WebpCanvas, data: bytes, limits: ImageLimits) -> None:
    if canvas.declared_bytes > len(data):
        raise _truncated()
    _check_pixels(canvas.width, canvas.height, limits)


def _unidentified(data: bytes) -> InvalidImage:
    allowed = formats_in_words(FORMATS)
    other = other_format(data)
    own = data.startswith(_STARTS) or data[4:12] == b"ftypavif" or is_heif(data)
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
        "the file is incomplete: the upload or copy was interrupted, so send it again",
    )


def _draft_size(size: tuple[int, int], at_least: int) -> tuple[int, int]:
    """The size to ask the JPEG decoder for: it never goes below it on either side."""
    factor = max(DRAFT_MARGIN * at_least, LEAST) / min(size)
    return (
        (max(1, int(size[0] * factor + 0.999)), max(1, int(size[1] * factor + 0.999)))
        if factor < 1
        else size
    )


def _upright(image: Image.Image) -> Image.Image:
    try:
        turn = _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged Exif data does not make the picture unusable
        turn = None
    return image if turn is None else image.transpose(turn)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return _from_16_bit(image)
    if image.mode in ("I", "F", "LAB"):
        raise InvalidImage(
            "pixels_not_supported",
            f"the picture's pixel format is not supported ({image.mode}); "
            "save it as an 8-bit RGB picture",
        )
    profile = image.info.get("icc_profile")
    if image.has_transparency_data:
        image = _on_white(image)
    if profile:
        return to_srgb(image, profile)
    return image if image.mode == "RGB" else image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    """Transparency on white, a band at a time: whole pictures in between would double the
    memory."""
    opaque = Image.new("RGB", image.size)
    for top in range(0, image.height, _BAND):
        bottom = min(top + _BAND, image.height)
        band = image.crop((0, top, image.width, bottom)).convert("RGBA")
        white = Image.new("RGBA", band.size, "white")
        opaque.paste(Image.alpha_composite(white, band).convert("RGB"), (0, top))
    return opaque


@lru_cache(maxsize=1)
def _heif_formats() -> tuple[str, ...]:
    """Register the HEIF decoder with Pillow, once and when the first such picture comes."""
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False)
    return ("HEIF",)


def _from_16_bit(image: Image.Image) -> Image.Image:
    """Pillow's own conversion cuts everything above 255 to white, so scale (65535 = 257 x 255)."""
    levels = np.asarray(image).astype(np.uint16)
    return Image.fromarray(((levels.astype(np.uint32) + 128) // 257).astype(np.uint8)).convert(
        "RGB"
    )


def _silence_remarks() -> None:
    """Have Python ignore Pillow's remarks on odd files, also after somebody reset the filters."""
    if _REMARKS not in warnings.filters:
        warnings.filterwarnings("ignore", module=r"PIL\.")
