"""More texts than a query has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vitrine.embedding.ports import Embedder

__all__ = ["embed_many_texts"]

_AT_ONCE = 32


def embed_many_texts(embedder: Embedder, texts: Sequence[str]) -> NDArray[np.float32]:
    """A row for each text, a few at a time: queries that come meanwhile wait no longer than for
    these, and the time that a query may wait for the model bounds each part, not all of them.

    Texts of like length go together, for all are computed as long as the longest beside them.
    """
    if not texts:
        return embedder.embed_texts([])
    by_length = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    starts = range(0, len(texts), _AT_ONCE)
    parts = [by_length[at : at + _AT_ONCE] for at in starts]
    made = np.concatenate([embedder.embed_texts([texts[at] for at in part]) for part in parts])
    rows = np.empty_like(made)
    rows[by_length] = made
    return rows
