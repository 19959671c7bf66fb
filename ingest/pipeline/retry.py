"""Waiting out short outages of the index."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from vitrine.errors import IndexUnavailable

__all__ = ["retry_while_unavailable"]

T = TypeVar("T")

PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Pauses between attempts."""


def retry_while_unavailable(call: Callable[[], T]) -> T:
    """The call's answer, asked for again while the index cannot give one.

    Its last `IndexUnavailable` when it never does.

    For reads and for writes that may be repeated: a write of the index is all or nothing.
    """
    for pause in PAUSES_S:
        try:
            return call()
        except IndexUnavailable:
            time.sleep(pause)
    return call()
