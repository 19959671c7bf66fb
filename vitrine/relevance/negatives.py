"""Negatives: they re-order and drop inside what the positive part finds, and bring nothing in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vitrine.relevance.query import CLOSE

__all__ = ["drop"]


def drop(negatives: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which products a negative text takes out, bool (n,): those that are close to it.

    `negatives` is (k, n).

    Not for examples: who dislikes the look of one red dress still wants red dresses, which are all
    like it. Of examples only the example itself is left out.
    """
    return np.asarray((negatives >= CLOSE).any(axis=0))
