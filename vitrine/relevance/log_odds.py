"""Log-odds as relevances and back, and what negatives take from them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CLOSE",
    "EXACT",
    "LOG_ODDS_DECIMALS",
    "drop",
    "least_log_odds",
    "pushed_log_odds",
    "relevance_of",
]

CLOSE = 0.5
"""The least relevance of a close match, `"cutoff": "auto"`: it is one as likely as not."""

MOST = 0.999999
"""The most that signals can reach; exact hits alone have 1."""

TEMPER = 3.0
"""Log-odds are divided by this before the logistic function. What is close stays so, and values far
from 0 remain apart: log-odds of 12 become 0.98 instead of 0.999994."""

EXACT = 1000.0
"""Added to the log-odds of what the query names exactly: more than all other signals together."""

LOG_ODDS_DECIMALS = 9
"""Log-odds are rounded before they are compared, so that float noise cannot reorder pages."""

_DECIMALS = 6
"""Relevance is rounded to this many decimals before it is compared, so that float noise cannot
reorder pages; both backends round alike."""


def relevance_of(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-odds as a relevance from 0 to 1, rounded: a tempered logistic function.

    Exact hits have 1.
    """
    relevance = np.minimum(_logistic(log_odds), MOST)
    return np.asarray(np.round(np.where(log_odds >= EXACT / 2, 1.0, relevance), _DECIMALS))


def least_log_odds(cutoff: float) -> float:
    """The log-odds that a relevance of `cutoff` stands for, from 0 (all) to 1 (exact hits
    alone)."""
    if cutoff <= 0:
        return -math.inf
    return EXACT / 2 if cutoff >= 1 else float(_logit(np.asarray(cutoff)))


def pushed_log_odds(
    log_odds: NDArray[np.float64], negatives: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Log-odds (n,) after each negative has taken up to half of the relevance; never more than
    before.

    `negatives` is (k, n): the relevance of the same products for each negative alone, as for a
    query of its own (a text, or an example with the constants of images). Since nothing rises, an
    upper bound of the positive part is one of the result, so a search for the best products can
    stop as early. Which products are in the answer is decided before, by the positive part and
    `drop`.
    """
    share = np.prod(1 - 0.5 * negatives, axis=0)
    pushed = _logit(np.clip(_logistic(log_odds) * share, 1e-300, 1 - 1e-15))
    moved = np.where(share < 1, np.minimum(pushed, log_odds), log_odds)
    unexact = np.where(log_odds >= EXACT / 2, log_odds, moved)
    return np.asarray(np.round(unexact, LOG_ODDS_DECIMALS) + 0.0)


def _logistic(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-np.clip(log_odds / TEMPER, -700, 700))))


def _logit(relevance: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((np.log(relevance) - np.log1p(-relevance)) * TEMPER)


def drop(negatives: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which products a negative text removes, bool (n,): those that are close to it.

    `negatives` is (k, n). Examples remove only themselves: who dislikes one red dress still wants
    red dresses, which all look like it.
    """
    return np.asarray((negatives >= CLOSE).any(axis=0))
