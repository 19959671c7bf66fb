"""Cosines of many queries with a sample of products, and their distance from each query's
background."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vitrine.relevance.constants import BackgroundSample, VectorModel

__all__ = ["Cosines", "background_of", "vector_level"]

LEAST_DEVIATION = 1e-3
"""A query equally close to everything distinguishes nothing; it must not divide by zero."""


@dataclass(frozen=True, eq=False)
class Cosines:
    """`picture` and `text` are float32 (queries, n), `text` None without text vectors; the
    background of each query is a mean and a deviation, float64 (queries,)."""

    picture: NDArray[np.float32]
    text: NDArray[np.float32] | None
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
        """The cosines of unit vectors (queries, dimension) with products (n, dimension)."""
        nothing = np.zeros(len(queries)), np.ones(len(queries))
        has_texts = texts is not None and background.texts is not None
        return cls(
            queries @ pictures.T,
            queries @ texts.T if texts is not None and has_texts else None,
            background_of(queries @ background.picture_rows.T),
            nothing
            if background.text_rows is None
            else background_of(queries @ background.text_rows.T),
        )

    def features(self, query: int, rows: NDArray[np.int64] | slice) -> NDArray[np.float64]:
        """picture, picture_z, text, text_z of some products for one query, float64 (rows, 4)."""
        columns: list[NDArray[np.float64]] = []
        for cosines, (mean, deviation) in (
            (self.picture, self.picture_background),
            (self.text, self.text_background),
        ):
            if cosines is None:
                columns += [np.zeros(len(columns[0]))] * 2
                continue
            these = cosines[query, rows].astype(np.float64)
            columns += [these, (these - mean[query]) / deviation[query]]
        return np.column_stack(columns)

    def log_odds(self, model: VectorModel, query: int) -> NDArray[np.float64]:
        """The log-odds of all products for one query, float64 (n,)."""
        weights = np.array([model.picture, model.picture_z, model.text, model.text_z])
        return np.asarray(self.features(query, slice(None)) @ weights + model.intercept)


def background_of(
    cosines: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and deviation, float64 (queries,), of the cosines of queries with a sample (queries,
    n)."""
    exact = cosines.astype(np.float64)
    return exact.mean(axis=1), np.maximum(exact.std(axis=1), LEAST_DEVIATION)


def vector_level(log_odds: NDArray[np.float64]) -> float:
    """The log-odds of the vectors that one product in ten of a sample (n,) reaches for a query.

    Words are helped by what is above it, and nothing below it counts against them: a query that the
    model makes little of reaches less with all products, those that are meant among them.
    """
    return float(np.quantile(log_odds, 0.9))
