"""What a filter is once it is read: conditions on fields, joined by and, or, not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from vitrine.fields.schema import Field

__all__ = ["MATCH_ALL", "All", "AnyOf", "Condition", "Filter", "Not", "Operand"]

Operand: TypeAlias = (
    str | float | bool | datetime | tuple[str, ...] | tuple[float, ...] | tuple[bool, ...]
)


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison: `operator` is a key of `OPERATORS`, `operand` already has the field's type.

    COLOR operands are casefolded, and the family where a word of any language names one. TEXT
    operands are the casefolded words as a tuple. Texts are compared folded (`folded_value`,
    `folded_words`), ids as they are.
    """

    field: Field
    operator: str
    operand: Operand


@dataclass(frozen=True, slots=True)
class All:
    """Fulfilled when every part is; without parts, by every product."""

    parts: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Fulfilled when at least one part is."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Fulfilled by the products that do not fulfill the part."""

    part: Filter


Filter: TypeAlias = Condition | All | AnyOf | Not

MATCH_ALL = All()
