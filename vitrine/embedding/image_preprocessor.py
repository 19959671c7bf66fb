"""How a checkpoint wants its pictures: its own processor's steps, done by one resize and one table
look-up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vitrine.embedding.resizing import resized
from vitrine.errors import ModelUnavailable
from vitrine.images.decoded import scale_of

__all__ = ["ImagePreprocessor"]


_Channels = tuple[float, float, float]


@dataclass(frozen=True)
class ImagePreprocessor:
    """Resize, center crop, rescale and normalize, as the preprocessing configuration says.

    `shortest` is the length of the shorter side after resizing, or None when the picture is
    stretched to `resized` = (height, width). `crop` is (height, width) of the center kept, or None.
    `scale` and `offset` make what the model sees of a byte: byte x scale - mean, divided by
    deviation, per channel. `inside` instead of the first two makes the whole picture fit into
    (height, width), and the crop then fills what is missing with the gray level `fill`. `rounding`
    says where a crop begins whose margins differ by a pixel: transformers rounds down, torchvision
    to the even pixel. `anchor` is where a picture that is smaller than its square lies in it.
    """

    shortest: int | None
    resized: tuple[int, int] | None
    crop: tuple[int, int] | None
    resample: int
    scale: float
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]
    inside: tuple[int, int] | None = None
    fill: int = 0
    rounding: Literal["down", "even"] = "down"
    anchor: Literal["center", "corner"] = "center"

    @classmethod
    def of_processor(cls, processor: Any, name: str) -> ImagePreprocessor:
        """The rules of a transformers image processor.

        `ModelUnavailable` for one with steps that are not known here.
        """
        if type(processor).__name__.startswith("Owlv2"):
            return cls._of_owlv2(processor)
        size = processor.size if processor.do_resize else None
        shortest, height, width = (
            getattr(size, key, None) for key in ("shortest_edge", "height", "width")
        )
        if (
            (shortest is None and (height is None or width is None))
            or getattr(size, "longest_edge", None)
            or getattr(processor, "do_pad", None)
        ):
            raise ModelUnavailable(
                f"the model {name} prepares pictures in a way Vitrine does not know: "
                f"{type(processor).__name__}, size {size}"
            )
        crop = processor.crop_size if getattr(processor, "do_center_crop", None) else None
        mean, deviation = _normalization(processor)
        return cls(
            shortest=shortest,
            resized=None if shortest else (int(height or 0), int(width or 0)),
            crop=(crop.height, crop.width) if crop else None,
            resample=int(processor.resample),
            scale=float(processor.rescale_factor) if processor.do_rescale else 1.0,
            mean=mean,
            deviation=deviation,
        )

    @classmethod
    def _of_owlv2(cls, processor: Any) -> ImagePreprocessor:
        """A square as wide as the longer side, black below or to the right.

        transformers pads first and shrinks by a Gaussian and linear interpolation; Pillow's
        linear filter of the picture itself comes near to it.
        """
        mean, deviation = _normalization(processor)
        side = (int(processor.size.height), int(processor.size.width))
        return cls(
            shortest=None,
            resized=None,
            crop=side,
            resample=int(Image.Resampling.BILINEAR),
            scale=float(processor.rescale_factor),
            mean=mean,
            deviation=deviation,
            inside=side,
            anchor="corner",
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of what the model sees."""
        seen = self.crop or self.resized
        return seen if seen is not None else (self.shortest or 0, self.shortest or 0)

    @property
    def shorter_side(self) -> int:
        """Pixels of the shorter side after resizing.

        A picture decoded smaller would have to be enlarged.
        """
        return self.shortest if self.shortest is not None else max(self.shape)

    def apply(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        """What the model sees of RGB pictures, (n, 3, height, width)."""
        return self.normalized(self.levels(images))

    def levels(self, images: Sequence[Image.Image]) -> NDArray[np.uint8]:
        """RGB pictures resized and cropped, (n, height, width, 3): all but the arithmetic."""
        levels = np.full((len(images), *self.shape, 3), self.fill, np.uint8)
        for image, place in zip(images, levels, strict=True):
            self._resize_and_crop(image if image.mode == "RGB" else image.convert("RGB"), place)
        return levels

    def normalized(self, levels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Rescaled and normalized, (n, 3, height, width)."""
        seen = np.empty((len(levels), 3, *self.shape), np.float32)
        for picture, place in zip(levels, seen, strict=True):
            for channel in range(3):
                np.take(
                    self._table[channel], picture[:, :, channel], out=place[channel], mode="clip"
                )
        return seen

    def _resize_and_crop(self, image: Image.Image, place: NDArray[np.uint8]) -> None:
        """Fill (height, width, 3) from the stretch that the crop keeps; only that is resized."""
        source = scale_of(image)
        whole, seen = self._whole(source.original), (self.shape[1], self.shape[0])
        across, down = (
            _Axis.centered(*lengths, rounding=self.rounding)
            for lengths in zip(source.covered, whole, seen, strict=True)
        )
        corner = (0, 0) if self.anchor == "corner" else (across.padding, down.padding)
        place[corner[1] :, corner[0] :][: down.length, : across.length] = resized(
            image,
            (across.length, down.length),
            Image.Resampling(self.resample),
            (across.start, down.start, across.end, down.end),
        )

    def _whole(self, size: tuple[int, int]) -> tuple[int, int]:
        """Width and height that the whole picture would have after resizing."""
        width, height = size
        if self.inside is not None:
            ratio = max(height / self.inside[0], width / self.inside[1])
            return max(1, round(width / ratio)), max(1, round(height / ratio))
        if self.shortest is None:
            height, width = self.resized or self.shape
            return width, height
        longer = int(self.shortest * max(size) / min(size))
        return (self.shortest, longer) if width <= height else (longer, self.shortest)

    @cached_property
    def _table(self) -> NDArray[np.float32]:
        """What the model sees of each byte, (3, 256), rounded in the order in which the
        processor does it."""
        bytes_ = (np.arange(256, dtype=np.float64) * self.scale).astype(np.float32)
        return (bytes_ - _column(self.mean)) / _column(self.deviation)


@dataclass(frozen=True, slots=True)
class _Axis:
    """One axis of a resize and center crop.

    Of the resized picture `length` pixels are seen, after `padding` filled ones;
    they come from the stretch of the source from `start` to `end`.
    """

    length: int
    padding: int
    start: float
    end: float

    @classmethod
    def centered(
        cls, source: float, resized: int, seen: int, *, rounding: Literal["down", "even"]
    ) -> _Axis:
        """As transformers' center_crop rounds, the first pixel is (resized - seen) // 2, or as
        torchvision's does; a lack is filled on both sides."""
        first = (resized - seen) // 2
        if rounding == "even":
            first = round((resized - seen) / 2) if resized >= seen else -((seen - resized) // 2)
        low, high = max(first, 0), min(first + seen, resized)
        return cls(
            high - low,
            max(-first, 0),
            low * source / resized,
            min(high * source / resized, source),
        )


def _normalization(processor: Any) -> tuple[_Channels, _Channels]:
    """Mean and deviation by which all of the processor's steps after rescaling come down to one.

    EfficientNet's, which ALIGN uses, may first move the levels down by one (`rescale_offset`) and
    divide once more by the deviation in the end (`include_top`).
    """
    mean, deviation = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    if processor.do_normalize:
        mean, deviation = _three(processor.image_mean), _three(processor.image_std)
    if getattr(processor, "rescale_offset", None) and processor.do_rescale:
        mean = _three([value + 1 for value in mean])
    if getattr(processor, "include_top", None):
        pairs = zip(deviation, processor.image_std, strict=True)
        deviation = _three([value * again for value, again in pairs])
    return mean, deviation


def _three(values: Sequence[float]) -> _Channels:
    first, second, third = values
    return float(first), float(second), float(third)


def _column(values: Sequence[float]) -> NDArray[np.float32]:
    return np.array(values, np.float32)[:, None]
