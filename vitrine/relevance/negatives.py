"""Negatives: they re-order and drop inside what the positive part finds, and bring nothing in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vitrine.relevance.query import CLOSE, RELEVANCE_DECIMALS

__all__ = ["drop", "push_down"]


def push_down(
    relevance: NDArray[np.float64], negatives: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The order within what is relevant: relevance less up to half of it for each negative.

    `relevance` is (n,), that of the positive part; `negatives` is (k, n), the relevance of the same
    products for each negative alone, asked like a query of its own: a text, or an example with the
    constants of images. The result is never above `relevance`, so whatever bounds that from above
    bounds this: a search for the best can stop where the positive part says so. Which products are
    in the answer is decided before, by the positive part and `drop`.
    """
    return np.asarray(
        np.round(relevance * np.prod(1 - 0.5 * negatives, axis=0), RELEVANCE_DECIMALS)
    )


def drop(negatives: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which products a negative text takes out, bool (n,): those that are close to it.

    `negatives` is (k, n).

    Not for examples: who dislikes the look of one red dress still wants red dresses, which are all
    like it. Of examples only the example itself is left out.
    """
    return np.asarray((negatives >= CLOSE).any(axis=0))
