"""What a version calls its things: the phrases that complete a query while it is typed."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from vitrine.folding import fold
from vitrine.products import Product

__all__ = ["Phrase", "PhraseCounts", "SuggestionKind", "phrases_from_bytes", "phrases_to_bytes"]

SuggestionKind: TypeAlias = Literal["words", "category", "brand", "title"]

MAX_TITLES = 200_000
"""Distinct titles that are suggested; of more the first counted are kept."""
MAX_VALUES = 50_000
"""Distinct values of understood fields, likewise."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A category's last level, a brand, a title, a color or a value of an understood field as the
    shop writes it, and how many products have it.

    `value` is what to filter by: the path of a category, a brand; else None. Colors and values are
    "words".
    """

    kind: SuggestionKind
    text: str
    value: str | None
    count: int


@dataclass
class PhraseCounts:
    """Counts the phrases of products as they are read.

    `understood` are fields whose values are looked for by name (an author), `color_names` the names
    of color families in the catalogue's language.
    """

    understood: Sequence[str] = ()
    color_names: Mapping[str, str] = field(default_factory=dict)
    _categories: Counter[str] = field(default_factory=Counter)
    _brands: Counter[str] = field(default_factory=Counter)
    _titles: Counter[str] = field(default_factory=Counter)
    _words: Counter[str] = field(default_factory=Counter)

    def add(self, products: Iterable[Product]) -> None:
        """Count products in."""
        for product in products:
            prefixes = {
                "/".join(levels[:depth])
                for levels in (path.split("/") for path in product.category)
                for depth in range(1, len(levels) + 1)
            }
            self._categories.update(prefixes)
            if product.brand:
                self._brands[product.brand] += 1
            self._words.update(self._words_of(product))
            if product.title in self._titles or len(self._titles) < MAX_TITLES:
                self._titles[product.title] += 1

    def _words_of(self, product: Product) -> set[str]:
        """Colors and values, each once whatever its case."""
        named = (self.color_names[name] for name in product.colors if name in self.color_names)
        colors = {fold(color): color.lower() for color in (*product.color, *named)}
        values = {
            value
            for name in self.understood
            for listed in (product.value(name),)
            for value in (listed if isinstance(listed, tuple) else ())
            if _is_name(value) and fold(value) not in colors
        }
        return {*colors.values(), *(v for v in values if v in self._words or self._has_room())}

    def _has_room(self) -> bool:
        return len(self._words) < MAX_VALUES

    def phrases(self) -> tuple[Phrase, ...]:
        """What was counted, in an order that does not depend on that of the products."""
        return (
            *(
                Phrase("category", path.rpartition("/")[2], path, count)
                for path, count in sorted(self._categories.items())
            ),
            *(Phrase("brand", name, name, count) for name, count in sorted(self._brands.items())),
            *(Phrase("title", text, None, count) for text, count in sorted(self._titles.items())),
            *(Phrase("words", name, None, count) for name, count in sorted(self._words.items())),
        )


def _is_name(value: str) -> bool:
    """Whether a value says something alone, unlike the sizes "M" and "38"."""
    return sum(map(str.isalpha, value)) > 2


def phrases_to_bytes(phrases: Sequence[Phrase]) -> bytes:
    """Phrases as a version stores them (JSON, compressed)."""
    rows = [[p.kind, p.text, p.value, p.count] for p in phrases]
    return zlib.compress(json.dumps(rows, ensure_ascii=False).encode("utf-8"))


def phrases_from_bytes(stored: bytes) -> tuple[Phrase, ...]:
    """The phrases that `phrases_to_bytes` stored; `ValueError` where they are damaged."""
    try:
        return tuple(
            Phrase(kind, text, value, count)
            for kind, text, value, count in json.loads(zlib.decompress(stored))
        )
    except (zlib.error, TypeError, ValueError) as error:
        raise ValueError(f"the stored phrases are damaged: {error}") from error
