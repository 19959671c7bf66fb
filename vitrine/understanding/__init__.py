"""What a query means: prices, stock, negations and values out of a sentence, without a language
model.

A grammar over the version's own schema and values, by language files. `QueryReader` reads a query,
`learn_known_values` what the catalogue calls its things.
"""

from vitrine.understanding.grammar import Grammar, grammar, understood_languages
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
    "learn_known_values",
    "understood_languages",
]
