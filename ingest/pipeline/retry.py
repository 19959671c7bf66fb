"""Waiting out short outages of the index, and a model that others keep busy."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from vitrine.errors import DeviceFull, IndexUnavailable, ModelBusy

__all__ = ["retry_while_unavailable"]

T = TypeVar("T")

PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Pauses between attempts."""


def retry_while_unavailable(call: Callable[[], T]) -> T:
    """The call's answer, asked for again while the index cannot give one, or an embedder that
    others use as well is full.

    Its last `IndexUnavailable` or `ModelBusy` when it never does.

    For what may be repeated: a write of the index is all or nothing. `DeviceFull` is raised at
    once: the same batch would not fit the next time either.
    """
    for pause in PAUSES_S:
        try:
            return call()
        except DeviceFull:
            raise
        except (IndexUnavailable, ModelBusy):
            time.sleep(pause)
    return call()
