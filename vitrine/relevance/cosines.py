"""Cosines of many queries with a sample of products, and their distance from each query's
background."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vitrine.relevance.constants import BackgroundSample, VectorModel

__all__ = ["Cosines", "background_of", "vector_level"]

LEAST_DEVIATION = 1e-3
"""A query equally close to everything distinguishes nothing; it must not divide by zero."""


@dataclass(frozen=True, eq=False)
class Cosines:
    """Of unit vectors `queries` (queries, dimension) with products (n, dimension), `texts` None
    without text vectors; the background of each query is a mean and a deviation, float64
    (queries,).

    Computed when they are asked for: all of them at once would be the largest thing in memory.
    """

    queries: NDArray[np.float32]
    pictures: NDArray[np.float32]
    texts: NDArray[np.float32] | None
    picture_background: tuple[NDArray[np.float64], NDArray[np.float64]]
    text_background: tuple[NDArray[np.float64], NDArray[np.float64]]

    @classmethod
    def of(
        cls,
        queries: NDArray[np.float32],
        pictures: NDArray[np.float32],
        texts: NDArray[np.float32] | None,
        background: BackgroundSample,
    ) -> Cosines:
        """The cosines of these queries with these products."""
        nothing = np.zeros(len(queries)), np.ones(len(queries))
        return cls(
            queries,
            pictures,
            None if background.texts is None else texts,
            background_of(queries @ background.picture_rows.T),
            nothing
            if background.text_rows is None
            else background_of(queries @ background.text_rows.T),
        )

    def of_pictures(self) -> Cosines:
        """The same queries with the pictures alone."""
        return replace(self, texts=None)

    def features(self, query: int, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """picture, picture_z, text, text_z of some products for one query, float64 (rows, 4)."""
        columns: list[NDArray[np.float64]] = []
        for products, (mean, deviation) in (
            (self.pictures, self.picture_background),
            (self.texts, self.text_background),
        ):
            if products is None:
                columns += [np.zeros(len(columns[0]))] * 2
                continue
            these = (products[rows] @ self.queries[query]).astype(np.float64)
            columns += [these, (these - mean[query]) / deviation[query]]
        return np.column_stack(columns)

    def log_odds(self, model: VectorModel, query: int) -> NDArray[np.float64]:
        """The log-odds of all products for one query, float64 (n,)."""
        log_odds = np.full(len(self.pictures), model.intercept)
        for products, (mean, deviation), weight, z_weight in (
            (self.pictures, self.picture_background, model.picture, model.picture_z),
            (self.texts, self.text_background, model.text, model.text_z),
        ):
            if products is not None and (weight or z_weight):
                per_deviation = z_weight / deviation[query]
                log_odds += (products @ self.queries[query]) * (weight + per_deviation)
                log_odds -= per_deviation * mean[query]
        return log_odds


def background_of(
    cosines: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation, float64 (queries,), of the cosines (queries, n) of queries with
    a sample of n products."""
    exact = cosines.astype(np.float64)
    return exact.mean(axis=1), np.maximum(exact.std(axis=1), LEAST_DEVIATION)


def vector_level(log_odds: NDArray[np.float64]) -> float:
    """The log-odds that one product in ten of a sample (n,) reaches for a query.

    Only what is above it helps words, and what is below does not count against them: for a query
    that the model understands badly all products have low log-odds, the right ones too.
    """
    place = len(log_odds) * 9 // 10
    return float(np.partition(log_odds, place)[place])
