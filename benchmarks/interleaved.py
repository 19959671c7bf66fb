"""Timing several ways of doing one thing in turns, so that a drift of the machine meets all of
them alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter

from tqdm import tqdm

__all__ = ["interleaved"]


def interleaved(
    ways: Mapping[str, Callable[[], object]], *, rounds: int, label: str
) -> dict[str, list[float]]:
    """Seconds of each call, by name: one uncounted call of each way, then `rounds` turns of A B
    C, A B C, ..."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    with tqdm(total=(rounds + 1) * len(ways), desc=label, leave=False) as bar:
        for turn in range(rounds + 1):
            for name, way in ways.items():
                started = perf_counter()
                way()
                if turn:
                    seconds[name].append(perf_counter() - started)
                bar.update()
    return seconds
