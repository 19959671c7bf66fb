"""The progress of an ingest, on a terminal or in a log file."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ingest.pipeline import Progress

__all__ = ["show_progress"]


@contextmanager
def show_progress() -> Iterator[Callable[[Progress], None]]:
    """A progress bar on a terminal, else a line every ten seconds."""
    if not sys.stderr.isatty():
        yield _Lines().show
        return
    from tqdm import tqdm

    with tqdm(unit=" products", mininterval=0.2, dynamic_ncols=True) as bar:

        def show(progress: Progress) -> None:
            handled = progress.done + progress.unchanged + progress.failed
            bar.total = None if progress.total is None else max(progress.total, handled)
            bar.set_postfix(unchanged=progress.unchanged, failed=progress.failed, refresh=False)
            bar.update(handled - bar.n)

        yield show


class _Lines:
    """Progress for a log file."""

    EVERY_S = 10.0

    def __init__(self) -> None:
        self._shown = time.monotonic()

    def show(self, progress: Progress) -> None:
        """Print a line when the last one is long enough ago."""
        if time.monotonic() - self._shown < self.EVERY_S:
            return
        self._shown = time.monotonic()
        handled = progress.done + progress.unchanged + progress.failed
        of = "" if progress.total is None else f" of {progress.total}"
        rate = "" if progress.rate is None else f", {progress.rate:.1f} per second"
        left = "" if progress.eta_s is None else f", {progress.eta_s:.0f} s left"
        click.echo(
            f"{handled}{of} products ({progress.unchanged} unchanged, {progress.failed} failed)"
            f"{rate}{left}",
            err=True,
        )
