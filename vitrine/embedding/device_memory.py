"""A device of torch whose memory does not suffice, in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from vitrine.errors import DeviceFull

__all__ = ["memory_for"]


@contextmanager
def memory_for(
    batch: str, device: str, *, remedy: str = "leave it more, also of VITRINE_SEARCH_DEVICE"
) -> Iterator[None]:
    """`DeviceFull` where torch finds too little memory for the batch."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise DeviceFull(f"{device} has too little memory for {batch} at once; {remedy}") from error
