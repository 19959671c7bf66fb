"""Whether an export computes what torch does, on a few texts and pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vitrine.embedding.exported import ExportRequest
from vitrine.errors import ModelUnavailable

__all__ = ["PROBES", "probe_pictures", "require_agreement"]

_SAME = 0.9999
"""Least cosine of a row by torch and by ONNX Runtime, in fp32."""
_SAME_INT8 = 0.9
"""The same in int8: a broken kernel (saturation) falls far below. What is lost in search quality,
`vitrine evaluate` tells."""
PROBES = (
    "a red dress",
    "a photo of a blue cotton shirt with white stripes",
    "连衣裙",
    "x",
    "something to drink coffee from " * 40,
)
"""Short, long, in another script, of one letter, and longer than any model reads."""


def require_agreement(
    request: ExportRequest, what: str, pairs: list[tuple[NDArray[np.float32], NDArray[np.float32]]]
) -> None:
    """`ModelUnavailable` where rows (n, d) by torch and by ONNX Runtime point to different
    directions."""
    least = _SAME if request.precision == "fp32" else _SAME_INT8
    worst = min(float(_cosines(by_torch, by_onnx).min()) for by_torch, by_onnx in pairs)
    if not worst >= least:  # also when it is no number
        raise ModelUnavailable(
            f"the ONNX export of {request.name} ({request.precision}) does not agree with torch "
            f"on {what} (cosine {worst:.6f}, "
            f"at least {least} is asked); set VITRINE_RUNTIME=torch"
        )


def probe_pictures(shape: tuple[int, int]) -> NDArray[np.float32]:
    """Noise, a slope and a few large patches, (3, 3, height, width), in the range that
    normalized pixels have."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((3, *shape))
    slope = np.broadcast_to(np.linspace(-2, 2, shape[1]), (3, *shape))
    patches = (
        rng.standard_normal((3, 4, 4))
        .repeat(-(-shape[0] // 4), axis=1)
        .repeat(-(-shape[1] // 4), axis=2)
    )
    return np.stack([noise, slope, patches[:, : shape[0], : shape[1]]]).astype(np.float32)


def _cosines(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float64]:
    a, b = first.astype(np.float64), second.astype(np.float64)
    return np.asarray((a * b).sum(axis=1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)))
