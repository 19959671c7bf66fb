"""Fits the `VectorModel` of photos: how alike pictures of the same thing are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vitrine.products import Product
from vitrine.relevance.constants import BackgroundSample, VectorModel
from vitrine.relevance.cosines import Cosines
from vitrine.relevance.membership import Membership
from vitrine.relevance.vector_fit import fit_vectors, shifted

__all__ = ["fit_pictures"]

QUERIES = 240
"""Products whose pictures serve as queries."""
LOST = 0.02
"""Share of the true matches that may be left out."""


def fit_pictures(
    products: Sequence[Product],
    pictures: NDArray[np.float32],
    background: BackgroundSample,
    *,
    rng: np.random.Generator,
) -> VectorModel | None:
    """The constants for photos and examples.

    A true match of a picture is another product of the same group, or of the same category and
    color; all other products are false matches. Close begins where hardly any false match reaches,
    or lower where more than `LOST` of the true ones would be left out. A catalogue without groups
    and categories compares with the background alone. None for a catalogue of a single product.
    """
    if len(products) < 2:
        return None
    drawn = rng.permutation(len(products))[:QUERIES]
    same = _same(products, drawn)
    telling = [row for row in range(len(drawn)) if same[row].any() and not same[row].all()]
    if not telling:
        return _background_alone(Cosines.of(pictures[drawn], pictures, None, background), drawn)
    matches = [same[row] for row in telling]
    cosines = Cosines.of(pictures[drawn[telling]], pictures, None, background)
    model = fit_vectors(cosines, matches, None, rng=rng)
    if model is None:
        return None
    true, false = [], []
    for row, match in enumerate(matches):
        log_odds = cosines.log_odds(model, row).astype(np.float32)  # there are many
        true.append(log_odds[match])
        false.append(log_odds[~match])
    close = min(_quantile(true, LOST), _quantile(false, 1 - LOST))
    return shifted(model, close)


def _quantile(parts: Sequence[NDArray[np.float32]], share: float) -> float:
    return float(np.quantile(np.concatenate(parts), share, overwrite_input=True))


def _same(products: Sequence[Product], drawn: NDArray[np.int64]) -> NDArray[np.bool_]:
    """For each drawn product the others that are as good as it, bool (drawn, n)."""
    groups = Membership([[p.group_id] if p.group_id else [] for p in products])
    categories = Membership([p.category for p in products])
    colors = Membership([p.colors for p in products])
    rows = []
    for index in drawn.tolist():
        product = products[index]
        alike = categories.any_of(product.category) & colors.any_of(product.colors)
        alike |= groups.any_of([product.group_id] if product.group_id else [])
        alike[index] = False
        rows.append(alike)
    return np.array(rows)


def _background_alone(cosines: Cosines, drawn: NDArray[np.int64]) -> VectorModel:
    model = VectorModel(picture=0.0, picture_z=1.0, text=0.0, text_z=0.0, intercept=0.0)
    others = [
        np.delete(cosines.log_odds(model, row), product).astype(np.float32)
        for row, product in enumerate(drawn.tolist())
    ]
    return shifted(model, _quantile(others, 1 - LOST))
