"""What a photograph costs until a model can look at it, beside the rule that Vitrine had before."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from time import thread_time

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from benchmarks.report import Figure, Report
from vitrine.embedding.image_preprocessor import ImagePreprocessor
from vitrine.images.decode import MARGIN, ImageLimits, decode
from vitrine.settings import Settings

__all__ = ["by_the_rule_before", "measure", "prepared"]

_SIZES = ((768, 512), (632, 632))
"""0.4 megapixels each. The second may be decoded at half its size for a model of 224, the first may
not."""
_QUALITY = 88
_PHOTOS = 16
_LEAST_RATIO = 1.8
_LIMITS = ImageLimits.of(Settings())


def measure(
    report: Report, rules: ImagePreprocessor, photos: Sequence[Path], *, rounds: int
) -> None:
    """How many times the processor time of a photograph of 0.4 megapixels the rule before took,
    from bytes to float32.

    Both ways in turns, the least of `rounds`: whatever else runs can only add.
    """
    for size in _SIZES:
        files = [_of_size(photo, size) for photo in photos[:_PHOTOS]]
        now = before = float("inf")
        for _ in range(rounds):
            now = min(now, _milliseconds(lambda data: prepared(data, rules), files))
            before = min(before, _milliseconds(lambda data: by_the_rule_before(data, rules), files))
        ratio, shown = before / now, f"{size[0]} x {size[1]} pixels"
        beside = {"core ms now": now, "core ms before": before}
        name, target = "preparing a photograph, rule before against now", f">= {_LEAST_RATIO:g}"
        report.add(Figure(name, ratio, "x", target, ratio >= _LEAST_RATIO, beside, case=shown))


def prepared(data: bytes, rules: ImagePreprocessor) -> NDArray[np.float32]:
    """What the model sees of a JPEG, as Vitrine makes it: (1, 3, height, width)."""
    return rules.apply([decode(data, _LIMITS, at_least=rules.shorter_side)])


def by_the_rule_before(data: bytes, rules: ImagePreprocessor) -> NDArray[np.float32]:
    """The same for rules with a shorter side and a crop: the JPEG is decoded no smaller than twice
    that side, all of it is resized, and the crop is cut out then."""
    if rules.shortest is None or rules.crop is None:
        raise SystemExit("the rule before is known for models with a shorter side and a crop")
    with Image.open(io.BytesIO(data)) as image:
        factor = min(1.0, MARGIN * rules.shortest / min(image.size))
        image.draft(None, (int(image.width * factor), int(image.height * factor)))
        rgb = image.convert("RGB")
    longer = int(rules.shortest * max(rgb.size) / min(rgb.size))
    across = rgb.width > rgb.height
    whole = (longer, rules.shortest) if across else (rules.shortest, longer)
    resized = rgb.resize(whole, Image.Resampling(rules.resample))
    height, width = rules.crop
    left, top = (resized.width - width) // 2, (resized.height - height) // 2
    levels = np.asarray(resized.crop((left, top, left + width, top + height)))
    return rules.normalized(levels[None])


def _milliseconds(way: Callable[[bytes], object], files: Sequence[bytes]) -> float:
    """Of this thread, for each file."""
    began = thread_time()
    for data in files:
        way(data)
    return (thread_time() - began) / len(files) * 1e3


def _of_size(photo: Path, size: tuple[int, int]) -> bytes:
    """The middle of the photograph as a JPEG of this size."""
    written = io.BytesIO()
    with Image.open(photo) as image:
        ImageOps.fit(image.convert("RGB"), size, Image.Resampling.BICUBIC).save(
            written, "JPEG", quality=_QUALITY
        )
    return written.getvalue()
