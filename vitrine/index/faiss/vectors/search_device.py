"""A device whose memory holds vectors to be searched there: a card, by torch."""

from __future__ import annotations

import logging
import os
from functools import cached_property
from importlib import import_module
from threading import Lock
from typing import Any, Protocol
from weakref import WeakSet

from vitrine.errors import VitrineError
from vitrine.extras import needs

__all__ = ["HeldVectors", "SearchDevice", "load_torch", "open_search_device"]

LEAST_ROWS = 5000
"""So few rows are scored by the processor sooner than the device is asked."""
log = logging.getLogger(__name__)


def open_search_device(name: str) -> SearchDevice | None:
    """The device of the setting; None for the processor. Nothing is loaded before it is used."""
    return None if name == "cpu" else SearchDevice(name)


class HeldVectors(Protocol):
    """Vectors that take memory of the device."""

    def idle(self) -> bool:
        """Whether nobody has searched them for a while."""

    def release(self) -> None:
        """Give their memory back."""


class SearchDevice:
    """One device by torch's name of it, such as cuda:1, and whose vectors it holds."""

    def __init__(self, name: str, *, least_rows: int = LEAST_ROWS) -> None:
        self.name = name
        self.least_rows = least_rows
        self.holds: WeakSet[HeldVectors] = WeakSet()
        self._holding = Lock()  # a set that is looked through must not change

    @cached_property
    def obstacle(self) -> str | None:
        """Why nothing can be searched there, in words; None where it can."""
        obstacle = self._obstacle()
        if obstacle is not None:
            log.warning("searches run on the processor: %s", obstacle)
        return obstacle

    def _obstacle(self) -> str | None:
        try:
            torch = load_torch()
        except VitrineError as error:
            return f"VITRINE_SEARCH_DEVICE is {self.name}, but {error}"
        device = torch.device(self.name)
        cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if device.type == "cuda" and (device.index or 0) >= cards:
            return (
                f"VITRINE_SEARCH_DEVICE is {self.name}, but torch {torch.__version__} finds"
                f" {cards or 'no'} cards; correct it, or install torch's build for the card"
            )
        return None

    def make_room(self, nbytes: int) -> str | None:
        """Why there is no room for so many bytes, in words; None when there is.

        Where room is scarce, vectors that nobody searches go.
        """
        if nbytes <= self.free_bytes():
            return None
        with self._holding:
            held = list(self.holds)
        for vectors in held:
            if vectors.idle():
                vectors.release()
        free = self.free_bytes()
        if nbytes <= free:
            return None
        return f"{self.name} has {free / 1e9:.1f} GB free, {nbytes / 1e9:.1f} GB are needed"

    def hold(self, vectors: HeldVectors) -> None:
        """These take memory from now on."""
        with self._holding:
            self.holds.add(vectors)

    def let_go(self, vectors: HeldVectors) -> None:
        """These take none any more."""
        with self._holding:
            self.holds.discard(vectors)

    def free_bytes(self) -> int:
        """Bytes that this process can have there."""
        free = self._memory()[0]
        if load_torch().device(self.name).type != "cuda":
            return free
        cuda = load_torch().cuda
        return free + int(cuda.memory_reserved(self.name) - cuda.memory_allocated(self.name))

    def describe(self) -> str:
        """What it is and has, or why it cannot be used, in words."""
        if self.obstacle is not None:
            return f"searches run on the processor: {self.obstacle}"
        free, total = self._memory()
        return f"searches run on {self.name}, {free / 1e9:.1f} of {total / 1e9:.1f} GB free there"

    def _memory(self) -> tuple[int, int]:
        """Bytes that are free, and all there are."""
        torch = load_torch()
        if torch.device(self.name).type == "cuda":
            free, total = torch.cuda.mem_get_info(self.name)
            return int(free), int(total)
        page = os.sysconf("SC_PAGE_SIZE")
        return page * os.sysconf("SC_AVPHYS_PAGES"), page * os.sysconf("SC_PHYS_PAGES")


def load_torch() -> Any:
    """The module, loaded at first use."""
    with needs("models", "search on a card"):
        return import_module("torch")
