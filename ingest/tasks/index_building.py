"""Waiting for the index of a version that has been filled."""

from __future__ import annotations

import logging
import time

from ingest.pipeline.models import RunControl
from vitrine.errors import Cancelled
from vitrine.index import IndexVersions

__all__ = ["build_index"]

log = logging.getLogger(__name__)

_SPEAK_S = 10.0
"""Between two lines that say how far the index is."""


def build_index(versions: IndexVersions, name: str, control: RunControl) -> None:
    """Have a version's index built and say now and then how far it is; `Cancelled` when told to."""
    spoken = time.monotonic()

    def tell(share: float) -> None:
        nonlocal spoken
        if control.cancelled():
            raise Cancelled("all products are written; run the same command again to publish them")
        if time.monotonic() - spoken >= _SPEAK_S:
            spoken = time.monotonic()
            log.info("version %s: %.0f %% of its vectors are indexed", name, 100 * share)

    versions.build_index(name, progress=tell)
