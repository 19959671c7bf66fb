"""What was understood of a query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Applied", "Correction", "Effect", "Kind", "Understanding"]

Kind: TypeAlias = Literal["price", "stock", "negation", "value"]
"""What a part of a query says: a price, whether it can be bought, what is not wanted, a field's
value."""

Effect: TypeAlias = Literal["filter", "negative", "ignored"]
"""What became of it. "filter" hides what does not fulfill it, "negative" pushes away from a text,
and "ignored" is neither: a filter of the client's own is on that field, or the price is in a
currency that the catalogue does not have."""


@dataclass(frozen=True, slots=True)
class Applied:
    """One part of a query that was taken out of its words.

    `text` is the part as it was typed; as a `literal` of the next request it is left among the
    words. `filter` is the JSON form that `vitrine.filters.parse_filter` reads, empty where the
    effect is not "filter".
    """

    text: str
    kind: Kind
    effect: Effect
    filter: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Correction:
    """A word that the catalogue does not have, and the one that it has instead."""

    original: str
    replacement: str


@dataclass(frozen=True, slots=True)
class Understanding:
    """A query, read: what is left to look for, what it is filtered by, and what was corrected.

    `words` is what words and encoder are asked for, "" for a query that is all filter: then what is
    left under the filter is browsed. `negatives` are texts to push away from. `preferred` are words
    (folded) among `words` that raise and never hide: colors, brands, and those that say nothing of
    the thing ("gift", "cheap"); `extra` are further ones, the catalogue's own name of a color that
    was asked for in another language. `named` tells that a value of an understood field, or a part
    of one, is among the words: it names what is looked for, as an author does. `vague` tells that a
    word asks for anything that fits the others: "something warm", "gift for a boy".
    """

    words: str
    applied: tuple[Applied, ...] = ()
    corrected: tuple[Correction, ...] = ()
    negatives: tuple[str, ...] = ()
    preferred: frozenset[str] = frozenset()
    extra: tuple[str, ...] = ()
    named: bool = False
    vague: bool = False

    @property
    def filters(self) -> tuple[Mapping[str, object], ...]:
        """The filters that apply, all of them together, in the JSON form of the API."""
        return tuple(part.filter for part in self.applied if part.effect == "filter")
