"""What a hit of a collapsed search says of its group."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vitrine.results import Group

__all__ = ["Variant", "group_of_variants"]

MOST_IDS = 50
"""Ids listed; a group by brand may have thousands."""


@dataclass(frozen=True, slots=True)
class Variant:
    """What counts of one product of a group; `colors` are its families."""

    id: str
    price: float | None
    colors: tuple[str, ...]


def group_of_variants(variants: Iterable[Variant]) -> Group:
    """How many there are, what they cost, their colors, and the first `MOST_IDS` by id."""
    members = sorted(variants, key=lambda variant: variant.id)
    prices = [variant.price for variant in members if variant.price is not None]
    return Group(
        len(members),
        min(prices, default=None),
        max(prices, default=None),
        tuple(sorted({color for variant in members for color in variant.colors})),
        tuple(variant.id for variant in members[:MOST_IDS]),
    )
