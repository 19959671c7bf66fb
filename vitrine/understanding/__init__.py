"""Understanding of queries without a language model: prices, stock, negations and values of fields.

A grammar, read from language files, is applied to the version's own schema and values.
`QueryReader` reads a query; `learn_known_values` collects the names that a catalogue uses.
"""

from vitrine.understanding.grammar import Grammar
from vitrine.understanding.grammar_files import grammar, grammar_of
from vitrine.understanding.known_values import KnownValue, KnownValues, learn_known_values
from vitrine.understanding.reader import QueryReader
from vitrine.understanding.result import Applied, Correction, Understanding

__all__ = [
    "Applied",
    "Correction",
    "Grammar",
    "KnownValue",
    "KnownValues",
    "QueryReader",
    "Understanding",
    "grammar",
    "grammar_of",
    "learn_known_values",
]
