"""Bytes become an upright RGB picture or a reasoned refusal."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from tests.checkpoints import photo
from vitrine.errors import InvalidImage
from vitrine.images.decode import DRAFT_MARGIN, FORMATS, LEAST, ImageLimits, decode
from vitrine.images.decoded import Scaled, scale_of

CASES = Path(__file__).parents[2] / "data" / "catalogue"

pillow_heif.register_heif_opener()  # to write such files; decode registers for itself

LIMITS = ImageLimits(max_bytes=2_000_000, max_pixels=1_000_000)


def packed(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def refused(data: bytes, limits: ImageLimits = LIMITS) -> str:
    with pytest.raises(InvalidImage) as caught:
        decode(data, limits)
    assert caught.value.errors[0].field == "image"
    assert len(str(caught.value)) > 20
    return caught.value.reason


def attempt(data: bytes, at_least: int | None = None) -> tuple[Image.Image | None, str]:
    """The picture, or the reason of its refusal."""
    try:
        return decode(data, LIMITS, at_least=at_least), ""
    except InvalidImage as refusal:
        return None, refusal.reason


def distance(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, np.int16) - np.asarray(other, np.int16)).mean())


@pytest.mark.parametrize("kind", FORMATS)
def test_every_allowed_format_gives_the_same_picture(kind: str) -> None:
    original = photo(1)
    found = decode(packed(original, kind), LIMITS)
    assert found.mode == "RGB"
    assert found.size == original.size
    assert distance(found, original) < (40 if kind == "GIF" else 4)


def test_exif_orientation_is_applied_in_all_eight_ways() -> None:
    upright = Image.new("RGB", (60, 40), "white")
    upright.paste((200, 0, 0), (0, 0, 30, 20))
    undo = [
        None,
        None,
        Image.Transpose.FLIP_LEFT_RIGHT,
        Image.Transpose.ROTATE_180,
        Image.Transpose.FLIP_TOP_BOTTOM,
    ]
    undo += [
        Image.Transpose.TRANSPOSE,
        Image.Transpose.ROTATE_90,
        Image.Transpose.TRANSVERSE,
        Image.Transpose.ROTATE_270,
    ]
    for orientation in range(1, 9):
        way = undo[orientation]
        stored = upright if way is None else upright.transpose(way)
        exif = Image.Exif()
        exif[0x0112] = orientation
        for kind in ("JPEG", "PNG", "WEBP", "TIFF"):
            found = decode(packed(stored, kind, exif=exif), LIMITS)
            assert found.size == (60, 40), (kind, orientation)
            assert distance(found, upright) < 6, (kind, orientation)


def test_a_damaged_exif_block_does_not_cost_a_sound_picture() -> None:
    data = packed(photo(2), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff" + b"\xfe" * 40)
    assert decode(data, LIMITS).size == photo(2).size


def test_transparency_becomes_white() -> None:
    clear = Image.new("RGBA", (8, 8), (10, 20, 30, 0))
    for image in (clear, clear.convert("LA"), Image.new("PA", (8, 8))):
        assert decode(packed(image.convert("RGBA"), "PNG"), LIMITS).getpixel((3, 3)) == (
            255,
            255,
            255,
        )
    half = decode(packed(Image.new("RGBA", (8, 8), (0, 0, 0, 128)), "WEBP", lossless=True), LIMITS)
    assert all(abs(level - 127) <= 1 for level in half.getpixel((3, 3)))


def test_a_palette_with_a_transparent_entry_becomes_white_there() -> None:
    image = Image.new("P", (4, 1))
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.putdata([0, 1, 0, 1])
    found = decode(packed(image, "PNG", transparency=1), LIMITS)
    assert [found.getpixel((x, 0)) for x in range(4)] == [
        (255, 0, 0),
        (255, 255, 255),
        (255, 0, 0),
        (255, 255, 255),
    ]


def test_sixteen_bit_greys_keep_their_shades() -> None:
    levels = np.array([[0, 257 * 64, 257 * 128, 65535]], np.uint16)
    for kind in ("PNG", "TIFF"):
        found = decode(packed(Image.fromarray(levels), kind), LIMITS)
        assert [found.getpixel((x, 0)) for x in range(4)] == [
            (0,) * 3,
            (64,) * 3,
            (128,) * 3,
            (255,) * 3,
        ]


def test_cmyk_is_converted() -> None:
    found = decode(packed(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG"), LIMITS)
    red, green, blue = found.getpixel((5, 5))
    assert red > 240
    assert green < 15
    assert blue < 15


def test_only_the_first_frame_is_taken() -> None:
    frames = [Image.new("RGB", (10, 10), color) for color in ("red", "blue")]
    for kind in ("GIF", "WEBP", "PNG"):
        data = packed(frames[0], kind, save_all=True, append_images=frames[1:], duration=50)
        red, _, blue = decode(data, LIMITS).getpixel((5, 5))
        assert red > 200, kind
        assert blue < 60, kind


def test_scientific_pixels_are_refused_by_name() -> None:
    assert refused(packed(Image.new("F", (4, 4)), "TIFF")) == "pixels_not_supported"


def test_each_refusal_has_its_reason() -> None:
    assert refused(b"") == "empty"
    assert refused(b"hello, I am a text") == "not_an_image"
    assert refused(b"%PDF-1.7\n...") == "format_not_allowed"
    assert refused(b"\0\0\0\x18ftypheic" + b"\0" * 40) == "damaged"
    assert refused(b"\0\0\0\x0cJXL \r\n\x87\n") == "format_not_allowed"
    assert refused(packed(photo(1), "ICO")) == "format_not_allowed"
    assert refused(packed(photo(1), "PNG"), ImageLimits(100, 1_000_000)) == "too_many_bytes"
    assert refused(packed(Image.new("L", (1001, 1000)), "PNG")) == "too_many_pixels"


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_cut_anywhere_is_refused_or_whole(kind: str) -> None:
    data = packed(photo(3, 160, 120), kind)
    whole = decode(data, LIMITS)
    for cut in range(1, len(data), max(1, len(data) // 60)):
        found, reason = attempt(data[:cut])
        if found is None:
            assert reason in (
                "truncated",
                "damaged",
                "not_an_image",
                "too_many_pixels",
                "pixels_not_supported",
            )
        else:
            assert distance(found, whole) < 1, f"{cut} of {len(data)} bytes gave another picture"


def test_a_truncated_photo_says_so() -> None:
    data = packed(photo(3, 300, 300), "JPEG")
    assert refused(data[: len(data) * 2 // 3]) == "truncated"
    assert refused(packed(photo(3, 300, 300), "WEBP")[:-200]) == "truncated"


def test_random_damage_never_raises_anything_else() -> None:
    rng = np.random.default_rng(7)
    for kind in FORMATS:
        data = np.frombuffer(packed(photo(4, 40, 30), kind), np.uint8)
        for _ in range(60):
            broken = data.copy()
            places = rng.integers(0, len(broken), 5)
            broken[places] = rng.integers(0, 256, 5, dtype=np.uint8)
            found, reason = attempt(broken.tobytes())
            assert reason if found is None else found.mode == "RGB"


def png_claiming(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def webp_claiming(width: int, height: int) -> bytes:
    body = (
        b"WEBPVP8X"
        + struct.pack("<I", 10)
        + b"\0\0\0\0"
        + (width - 1).to_bytes(3, "little")
        + (height - 1).to_bytes(3, "little")
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize(
    "bomb",
    [
        png_claiming(20_000, 10_000),
        png_claiming(2**31 - 1, 2**31 - 1),
        webp_claiming(2**24 - 1, 2**24 - 1),
        webp_claiming(16_000, 16_000),
    ],
)
def test_a_small_file_that_claims_many_pixels_is_refused_unopened(bomb: bytes) -> None:
    assert refused(bomb) == "too_many_pixels"


def test_a_jpeg_with_endless_scans_is_refused() -> None:
    data = packed(photo(5), "JPEG", progressive=True)
    scan = data.index(b"\xff\xda")
    assert refused(data[:scan] + data[scan:-2] * 200 + b"\xff\xd9") == "too_complex"


def test_an_ordinary_progressive_jpeg_is_fine() -> None:
    assert decode(packed(photo(5), "JPEG", progressive=True), LIMITS).size == photo(5).size


@pytest.mark.parametrize("size", [(640, 480), (643, 487), (487, 643), (1200, 200), (1151, 863)])
def test_scaled_decoding_never_goes_below_what_is_asked(size: tuple[int, int]) -> None:
    data = packed(photo(6, *size), "JPEG", quality=95)
    for at_least in (10, 32, 50, 100, 400):
        found = decode(data, LIMITS, at_least=at_least)
        least = max(DRAFT_MARGIN * at_least, LEAST)
        assert min(found.size) >= min(least, *size)
        assert min(found.size) < max(2 * least + 2, max(size) / 8)
        assert scale_of(found).original == size


def test_scaled_decoding_turns_its_note_with_the_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    found = decode(packed(photo(6, 1151, 863), "JPEG", exif=exif), LIMITS, at_least=32)
    assert scale_of(found) == Scaled(original=(863, 1151), covered=(863 / 2, 1151 / 2))
    assert scale_of(found.crop((0, 0, 20, 20))).original == (20, 20)


def test_a_malformed_multi_picture_file_warns_nobody() -> None:
    marker = b"\xff\xe2" + struct.pack(">H", 24) + b"MPF\0II*\0" + b"\xff" * 14
    data = packed(photo(1), "JPEG")
    assert decode(data[:2] + marker + data[2:], LIMITS).size == photo(1).size


def hostile_files() -> list[Path]:
    folder = os.environ.get("VITRINE_TEST_BAD_IMAGES")
    return (
        sorted(path for path in Path(folder).iterdir() if path.suffix != ".jsonl") if folder else []
    )


def test_every_file_of_the_given_folder_is_decoded_or_refused() -> None:
    """Generated files above; with VITRINE_TEST_BAD_IMAGES=FOLDER also every file found there."""
    for path in hostile_files():
        for at_least in (None, 64):
            found, reason = attempt(path.read_bytes(), at_least)
            assert reason if found is None else found.mode == "RGB", path.name


def test_color_profiles_are_converted_to_srgb() -> None:
    """The oracle is the transform the other way: what was red in sRGB must be red again."""
    red = Image.new("RGB", (16, 16), (220, 20, 30))
    dress = decode((CASES / "img" / "prophoto.jpg").read_bytes(), LIMITS).crop((190, 240, 210, 260))
    assert distance(dress, red.resize(dress.size)) < 8
    lab = ImageCms.createProfile("LAB")
    odd = ImageCms.ImageCmsProfile(lab).tobytes()
    for profile in (odd, odd[:50], b"no profile"):
        assert distance(decode(packed(red, "PNG", icc_profile=profile), LIMITS), red) == 0


def test_a_jpeg_that_lacks_only_its_end_marker_is_taken_with_a_warning() -> None:
    image = decode((CASES / "img" / "no-eoi.jpg").read_bytes(), LIMITS)
    assert "end marker" in image.warnings[0]
    whole = packed(photo(3), "JPEG")
    taken = decode(whole[:-2], LIMITS)
    assert distance(taken, decode(whole, LIMITS)) == 0
    assert taken.warnings
    assert decode(whole, LIMITS).warnings == ()
    for missing in (40, 100, len(whole) // 2):
        assert refused(whole[:-missing]) == "truncated"
    assert refused(packed(photo(3), "JPEG", progressive=True)[:-2]) == "truncated"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<!doctype html><title>404</title>", "a web page"),
        (b"\n  <HTML><body>", "a web page"),
        (b"<!-- made by hand --><svg xmlns='x'></svg>", "an SVG drawing"),
        (b'<?xml version="1.0"?><!-- c --><svg></svg>', "an SVG drawing"),
        (b'<?xml version="1.0"?><rss></rss>', "an XML document"),
    ],
)
def test_text_in_place_of_a_picture_is_named(data: bytes, words: str) -> None:
    with pytest.raises(InvalidImage, match=words):
        decode(data, LIMITS)
