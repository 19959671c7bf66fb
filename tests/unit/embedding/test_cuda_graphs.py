"""A capture calls torch as torch documents it. There is no card here: torch's own signatures stand
in for it, and the order of the calls is that of the documentation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import MagicMock, create_autospec

import pytest
import torch

from vitrine.embedding.cuda_graphs import CudaCapture

pytestmark = pytest.mark.slow  # loads torch


class Card:
    """What is called of `torch.cuda`, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self.streams = ["default"]
        self.fails_at_the_end = False
        self.graph = create_autospec(torch.cuda.CUDAGraph, instance=True)
        self.graph.replay.side_effect = lambda: self.calls.append("replay")
        self.side, self.default = (self._stream(name) for name in ("side", "default"))
        self.checked = create_autospec(torch.cuda.graph)
        for name, stand_in in {
            "Stream": lambda device: self.side,
            "CUDAGraph": lambda: self.graph,
            "current_stream": lambda device: self.default,
            "graph_pool_handle": lambda: (0, 7),
            "device": self._device,
            "stream": self._entered,
            "graph": self._capturing,
        }.items():
            monkeypatch.setattr(torch.cuda, name, stand_in)

    def _stream(self, name: str) -> MagicMock:
        stream = MagicMock(name=name)
        stream.wait_stream.side_effect = lambda other: self.calls.append(
            f"{name} waits for {'side' if other is self.side else 'default'}"
        )
        return stream

    @contextmanager
    def _device(self, device: str) -> Iterator[None]:
        self.calls.append(f"on {device}")
        yield

    @contextmanager
    def _entered(self, stream: MagicMock) -> Iterator[None]:
        before = list(self.streams)
        self.streams.append("side" if stream is self.side else "?")
        try:
            yield
        finally:
            self.streams[:] = before

    @contextmanager
    def _capturing(self, *args: object, **options: object) -> Iterator[None]:
        self.checked(*args, **options)
        self.calls.append("begin")
        self.streams.append("side")
        yield
        self.calls.append("end")
        if self.fails_at_the_end:
            raise RuntimeError("operation failed due to a previous error during capture")
        self.streams.pop()


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Card:
    return Card(monkeypatch)


def test_it_warms_up_aside_captures_once_and_replays(card: Card) -> None:
    rows = torch.zeros(2, 3)

    def forward() -> torch.Tensor:
        card.calls.append(f"forward on {card.streams[-1]}")
        return rows

    replay = CudaCapture("cuda:1")(forward)
    warm_up = 3 * ["forward on side"]
    waits = ["side waits for default"], ["default waits for side"]
    captured = ["begin", "forward on side", "end"]
    assert card.calls == ["on cuda:1", *waits[0], *warm_up, *waits[1], *captured]
    card.checked.assert_called_once_with(
        card.graph, pool=(0, 7), stream=card.side, capture_error_mode="thread_local"
    )
    assert card.streams == ["default"]
    card.calls.clear()
    assert replay() is rows
    assert replay() is rows
    assert card.calls == ["replay", "replay"]


def test_after_a_capture_that_fails_as_it_ends_work_goes_on_the_stream_of_before(
    card: Card,
) -> None:
    card.fails_at_the_end = True
    with pytest.raises(RuntimeError, match="previous error during capture"):
        CudaCapture("cuda")(lambda: torch.zeros(1))
    assert card.streams == ["default"]
