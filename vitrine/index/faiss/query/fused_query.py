"""A fused query as the embedded index answers it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.query.candidates import needed_prefix, ordered_prefix
from vitrine.index.faiss.vectors.exact import kth_largest
from vitrine.index.fusion import Fusion
from vitrine.index.ports import IndexQuery
from vitrine.products import Vector
from vitrine.relevance import QueryRelevance
from vitrine.words import QueryWords

__all__ = ["FusedQuery"]


@dataclass(frozen=True, eq=False)
class FusedQuery:
    """What decides on the candidate set before negatives: the `candidates` best products by order
    value that have at least `least`.

    An answer depends on the `prefix` best of them, of which it needs the `ordered` best in order
    with their values, and on how many there are. `vector` is None for words alone.
    """

    vector: Vector | None
    words: QueryWords
    relevance: QueryRelevance
    least: float
    candidates: int
    prefix: int
    ordered: int

    @classmethod
    def of(cls, query: IndexQuery, fusion: Fusion, best_words: float) -> FusedQuery:
        """The query, where the highest core words score of any product is `best_words`."""
        return cls(
            query.vector,
            fusion.words,
            fusion.relevance(query.vector, best_words),
            max(fusion.least, np.finfo(np.float64).min),  # what matches nothing has -inf
            query.candidates,
            query.candidates if fusion.negatives else needed_prefix(query),
            query.candidates if fusion.negatives else ordered_prefix(query),
        )

    def least_needed(self, low: NDArray[np.float64]) -> float:
        """The least value that a product needs to matter for the answer, where products have at
        least these values: one of the page where the set is full, else one of the set."""
        if np.count_nonzero(low >= self.least) < self.candidates:
            return self.least
        return float(max(self.least, kth_largest(low, self.prefix)))
