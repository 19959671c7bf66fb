"""What a CUDA device does for a function, recorded once and launched as a whole from then on.

It is the pattern that torch documents: https://docs.pytorch.org/docs/stable/notes/cuda.html
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

import torch

__all__ = ["CudaCapture"]

_WARM_UPS = 3
"""Passes before, in which libraries choose their kernels and take their memory."""
_ONE_AT_A_TIME = Lock()
"""Of all captures in a process, as torch asks."""


class CudaCapture:
    """A `Capture` on one CUDA device, whose graphs share memory: none may run beside another."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, forward: Callable[[], torch.Tensor]) -> Callable[[], torch.Tensor]:
        """Raises whatever torch does where `forward` cannot be captured."""
        graph, before = torch.cuda.CUDAGraph(), torch.cuda.current_stream(self._device)
        # where a capture fails as it ends, torch leaves its stream set, and the outer context not
        with _ONE_AT_A_TIME, torch.cuda.device(self._device), torch.cuda.stream(self._stream):
            self._stream.wait_stream(before)
            for _ in range(_WARM_UPS):
                forward()
            before.wait_stream(self._stream)
            # what other threads do on the device meanwhile is not refused
            with torch.cuda.graph(
                graph, pool=self._pool, stream=self._stream, capture_error_mode="thread_local"
            ):
                rows = forward()

        def replay() -> torch.Tensor:
            graph.replay()
            return rows

        return replay
