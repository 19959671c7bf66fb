"""What a query excludes: colors, brands, categories and other values, or a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vitrine.fields.schema import Schema
from vitrine.understanding.colors import color_at, excluded_color
from vitrine.understanding.draft import Draft
from vitrine.understanding.grammar import Grammar
from vitrine.understanding.known_values import KnownValue, KnownValues
from vitrine.words import Analyzer

__all__ = ["ExcludableValues", "Exclusion"]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What the tokens from start to end exclude: values of a field, or, without a field, a
    text."""

    start: int
    end: int
    field: str | None = None
    values: tuple[str, ...] = ()


class ExcludableValues:
    """Finds colors and values of fields in one query that can be excluded."""

    def __init__(
        self,
        draft: Draft,
        *,
        grammar: Grammar,
        schema: Schema,
        known: KnownValues,
        analyzer: Analyzer,
    ) -> None:
        self._draft = draft
        self._lexemes = draft.lexemes
        self._grammar = grammar
        self._schema = schema
        self._known = known
        self._analyzer = analyzer

    def is_named(self, index: int) -> bool:
        """Whether a value is said there, protected or not."""
        if index >= len(self._lexemes) or self._draft.is_taken(index):
            return False
        known = self._known.at(self._lexemes, index, self._analyzer)
        return known is not None and any(value.whole for value in known[1])

    def at(self, index: int, field: str | None) -> Exclusion | None:
        """A color, or a value of a field, that can be excluded: one of `field` before any other, as
        "turquoise" is a stone in "without pearls or turquoise"."""
        phrase = self._known.at(self._lexemes, index, self._analyzer)
        same = [v for v in phrase[1] if v.whole and v.field == field] if phrase else []
        if phrase and same and field in self._schema:
            return Exclusion(index, index + phrase[0], field, same[0].values)
        color = self._color_item(index)
        longer = phrase is not None and color is not None and index + phrase[0] > color.end
        if phrase and longer and any(value.whole for value in phrase[1]):  # "not Black & Decker"
            return self._value_item(index, index + phrase[0], phrase[1])
        # without values it is a shade, and where a value is called so, its name: "pas de bordeaux"
        if color is not None and (color.values or phrase is None):
            return color
        return None if phrase is None else self._value_item(index, index + phrase[0], phrase[1])

    def _color_item(self, index: int) -> Exclusion | None:
        """A color, without values where none can be excluded."""
        color = color_at(self._lexemes, index, self._grammar)
        if color is None or "color" not in self._schema:
            return None
        end = index + color[0]
        values = excluded_color(self._lexemes, index, end, self._grammar, self._known)
        return Exclusion(index, end, "color" if values else None, values)

    def _value_item(self, index: int, end: int, named: Sequence[KnownValue]) -> Exclusion:
        """The first whole one of the values that are named; a text where there is none, or where it
        is a category and its color or brand follows."""
        whole = next((value for value in named if value.whole), None)
        if whole is None or whole.field not in self._schema:
            return Exclusion(index, end)
        behind = end
        while behind < len(self._lexemes) and self._lexemes[behind].folded in self._grammar.skipped:
            behind += 1
        described = self._end_of_description(behind, linked=behind > end)
        if described and whole.field == "category":
            return Exclusion(index, described)
        return Exclusion(index, end, whole.field, whole.values)

    def _end_of_description(self, index: int, *, linked: bool) -> int:
        """The token behind a color ("pas de robes noires") or, behind a preposition, a brand
        ("keine Messer von Adler") that is said there; 0 where there is none."""
        color = color_at(self._lexemes, index, self._grammar)
        if color is not None:
            return index + color[0]
        known = self._known.at(self._lexemes, index, self._analyzer) if linked else None
        is_brand = known is not None and any(v.field == "brand" and v.whole for v in known[1])
        return index + known[0] if known is not None and is_brand else 0
