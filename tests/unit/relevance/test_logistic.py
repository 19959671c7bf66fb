"""The regression finds the likeliest model whose coefficients are not negative."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from vitrine.relevance.logistic import fit_logistic


def _data(seed: int, slopes: list[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(400, len(slopes)))
    odds = features @ np.array(slopes) - 0.5
    labels = (rng.random(400) < 1 / (1 + np.exp(-odds))).astype(float)
    return features, labels, rng.uniform(0.5, 2, 400)


@pytest.mark.parametrize("slopes", [[1.0, 2.0], [1.5, -1.0, 0.5]])
def test_the_fit_is_that_of_a_general_optimizer(slopes: list[float]):
    features, labels, weights = _data(3, slopes)
    coefficients, intercept = fit_logistic(features, labels, weights=weights, ridge=1e-3)

    def loss(beta: np.ndarray) -> float:
        odds = features @ beta[:-1] + beta[-1]
        likelihood = np.logaddexp(0, odds) - labels * odds
        return float(weights @ likelihood / weights.sum() + 0.5e-3 * beta[:-1] @ beta[:-1])

    bounds = [(0, None)] * len(slopes) + [(None, None)]
    best = minimize(loss, np.zeros(len(slopes) + 1), bounds=bounds, method="L-BFGS-B", tol=1e-12)
    assert [*coefficients, intercept] == pytest.approx(best.x.tolist(), abs=2e-3)


def test_separable_data_stay_finite():
    features = np.array([[0.0], [0.1], [0.9], [1.0]])
    labels = np.array([0.0, 0.0, 1.0, 1.0])
    coefficients, intercept = fit_logistic(features, labels, weights=np.ones(4), ridge=1e-3)
    assert 0 < coefficients[0] < 100
    assert -intercept / coefficients[0] == pytest.approx(0.5, abs=0.05)
