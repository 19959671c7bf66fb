"""Logistic regression with weights that cannot be negative, for a handful of features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["fit_logistic"]

Floats = NDArray[np.float64]

_ROUNDS = 50
_CONVERGED = 1e-8


def fit_logistic(
    features: Floats, labels: Floats, *, weights: Floats, ridge: float
) -> tuple[Floats, float]:
    """The coefficients (features,) and intercept of the most likely model, each coefficient >= 0.

    `features` is (n, features), `labels` 0 or 1 and `weights` >= 0 are (n,); `ridge` is the penalty
    on half the square of each coefficient, for `weights` that sum to 1. Newton's method
    (iteratively reweighted least squares); a feature whose coefficient comes out negative is left
    out and the rest fitted again, so the model never falls when a signal rises.
    """
    active = list(range(features.shape[1]))
    while True:
        fitted, intercept = _newton(features[:, active], labels, weights / weights.sum(), ridge)
        negative = [index for index, value in zip(active, fitted, strict=True) if value < 0]
        if not negative:
            coefficients = np.zeros(features.shape[1])
            coefficients[active] = fitted
            return coefficients, intercept
        active = [index for index in active if index not in negative]


def _newton(x: Floats, labels: Floats, weights: Floats, ridge: float) -> tuple[Floats, float]:
    design = np.column_stack([x, np.ones(len(x))])
    penalty = np.append(np.full(x.shape[1], ridge), 1e-9)
    beta = np.zeros(design.shape[1])
    for _ in range(_ROUNDS):
        probability = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        gradient = design.T @ (weights * (probability - labels)) + penalty * beta
        curvature = weights * np.maximum(probability * (1 - probability), 1e-9)
        hessian = (design * curvature[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(hessian, gradient)
        beta = beta - np.clip(step, -5, 5)
        if float(np.abs(step).max()) < _CONVERGED:
            break
    return beta[:-1], float(beta[-1])
