"""More texts than a query has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vitrine.embedding.ports import Embedder

__all__ = ["TEXTS_AT_ONCE", "embed_many_texts"]

TEXTS_AT_ONCE = 32


def embed_many_texts(embedder: Embedder, texts: Sequence[str]) -> NDArray[np.float32]:
    """A row for each text, a few at a time: queries that come meanwhile wait no longer than for
    these, and the time that a query may wait for the model bounds each part, not all of them."""
    if not texts:
        return embedder.embed_texts([])
    starts = range(0, len(texts), TEXTS_AT_ONCE)
    return np.concatenate([embedder.embed_texts(texts[at : at + TEXTS_AT_ONCE]) for at in starts])
