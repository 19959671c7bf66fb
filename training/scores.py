"""What is counted: precision of the first ten, recall of the right one."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["best", "precision_at", "recall_at"]


def best(similarities: NDArray[np.float32], k: int) -> NDArray[np.intp]:
    """Returns for each row the k columns of highest similarity, best first; equal ones by index."""
    return np.argsort(-similarities, axis=1, kind="stable")[:, :k]


def precision_at(
    k: int, similarities: NDArray[np.float32], right: Callable[[int, int], bool]
) -> NDArray[np.float64]:
    """Returns for each row the share of its k best columns for which right(row, column)."""
    return np.array(
        [
            np.mean([right(row, int(column)) for column in columns])
            for row, columns in enumerate(best(similarities, k))
        ]
    )


def recall_at(
    k: int, similarities: NDArray[np.float32], right: Callable[[int, int], bool]
) -> float:
    """Returns the share of rows with at least one right column among the k best."""
    return float(
        np.mean(
            [
                any(right(row, int(column)) for column in columns)
                for row, columns in enumerate(best(similarities, k))
            ]
        )
    )
