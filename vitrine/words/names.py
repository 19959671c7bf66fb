"""What a catalogue calls its products, brands and categories, for suggestions while typing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from vitrine.products import Product

__all__ = ["MAX_NAMES", "Name", "NameCounts", "NameKind", "Names"]

NameKind: TypeAlias = Literal["brand", "category", "product"]

MAX_NAMES = 100_000
"""Names kept of each kind, the most frequent: more are nothing that suggestions could show."""


@dataclass(frozen=True, slots=True)
class Name:
    """One name as the catalogue writes it, and how many products have it."""

    kind: NameKind
    text: str
    count: int


@dataclass(frozen=True, eq=False)
class Names:
    """The names of one version, the most frequent of each kind first."""

    all: tuple[Name, ...]

    def to_bytes(self) -> bytes:
        """All of them, as a version stores them (JSON)."""
        rows = [[name.kind, name.text, name.count] for name in self.all]
        return json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode(
            "utf-8", "surrogatepass"
        )

    @classmethod
    def from_bytes(cls, stored: bytes) -> Names:
        """What `to_bytes` gave; `ValueError` where it is damaged."""
        try:
            rows = json.loads(stored.decode("utf-8", "surrogatepass"))
            return cls(tuple(Name(kind, text, count) for kind, text, count in rows))
        except (TypeError, ValueError) as error:
            raise ValueError(f"the stored names are damaged: {error}") from error


class NameCounts:
    """Counts the names of products."""

    def __init__(self) -> None:
        self._counts: dict[NameKind, Counter[str]] = {
            "brand": Counter(),
            "category": Counter(),
            "product": Counter(),
        }

    def add(self, products: Iterable[Product]) -> None:
        """Count products in; a category counts at each of its levels."""
        for product in products:
            if product.brand:
                self._counts["brand"][product.brand] += 1
            self._counts["product"][product.title] += 1
            paths = {
                "/".join(levels[:depth])
                for levels in (path.split("/") for path in product.category)
                for depth in range(1, len(levels) + 1)
            }
            self._counts["category"].update(paths)

    def names(self) -> Names:
        """What was counted; equal counts are in the order of their texts."""
        return Names(
            tuple(
                Name(kind, text, count)
                for kind, counts in self._counts.items()
                for text, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[
                    :MAX_NAMES
                ]
            )
        )
