"""The filter language: what can be asked of a product's fields, parsed and checked against the
catalogue's schema.

A backend translates the tree (`All`, `AnyOf`, `Not`, `Condition`) and the rows of `OPERATORS`. A
product without a value for a field fulfills no condition on that field (so it does fulfill the
condition's `Not`), except `exists: false`. A field with several values fulfills a condition when
one of them does.
"""

from vitrine.filters.folded import folded_value, folded_words, is_folded, words
from vitrine.filters.operators import MAX_CHARACTERS, MAX_VALUES, OPERATORS
from vitrine.filters.parameters import parse_expression, parse_parameters
from vitrine.filters.parsing import MAX_DEPTH, parse_filter
from vitrine.filters.tree import MATCH_ALL, All, AnyOf, Condition, Filter, Not, Operand

__all__ = [
    "MATCH_ALL",
    "MAX_CHARACTERS",
    "MAX_DEPTH",
    "MAX_VALUES",
    "OPERATORS",
    "All",
    "AnyOf",
    "Condition",
    "Filter",
    "Not",
    "Operand",
    "folded_value",
    "folded_words",
    "is_folded",
    "parse_expression",
    "parse_filter",
    "parse_parameters",
    "words",
]
