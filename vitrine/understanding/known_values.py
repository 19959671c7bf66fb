"""Values of a catalogue's fields, as phrases that a query may contain."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from vitrine.fields.colors import families
from vitrine.fields.schema import Schema
from vitrine.folding import fold
from vitrine.products import Product
from vitrine.understanding.grammar import Grammar
from vitrine.understanding.lexing import Lexeme, literal_pairs, name_of
from vitrine.words import Analyzer

__all__ = ["KnownValue", "KnownValues", "learn_known_values"]

MAX_VALUES = 50_000
"""Values kept of one catalogue: more are no names that shoppers type."""
LEAST_COUNTED = 2
"""Titles in which a word must stand behind a number to be a unit, and in more than in which it does
not."""
MAX_WORDS = 4
"""Words of one value at most."""
_AND = frozenset("&+")


@dataclass(frozen=True, slots=True)
class KnownValue:
    """A field's value, or several that are said alike. `whole` is False for a part of a value
    ("Sweatshirts" of "Hoodies & Sweatshirts"): enough to prefer by, not to exclude by."""

    field: str
    values: tuple[str, ...]
    whole: bool = True


@dataclass(frozen=True, eq=False)
class KnownValues:
    """The values of one version, by the terms of the words that say them.

    `colors` are the families and the colors as written (folded) that products have, `currencies`
    the codes of their prices, `units` the words that titles have behind numbers ("240 pages").
    `literal_pairs` are pairs of words in titles, brands and categories whose first ends a phrase
    that could be grammar ("no" of "No Fear Tee"): so written they are none in a query either.
    `literal_names` are whole ones that are grammar in a query of other words ("Sold Out",
    "Nothing"). `lacked` are terms that most titles with them say a thing is without ("grain" of
    "Grain Free Dog Food").
    """

    by_terms: Mapping[tuple[str, ...], tuple[KnownValue, ...]]
    colors: frozenset[str]
    currencies: frozenset[str]
    literal_pairs: frozenset[tuple[str, str]]
    units: frozenset[str] = frozenset()
    lacked: frozenset[str] = frozenset()
    literal_names: frozenset[str] = frozenset()

    @classmethod
    def empty(cls) -> KnownValues:
        """Of a catalogue that tells nothing."""
        return cls({}, frozenset(), frozenset(), frozenset())

    def at(
        self, lexemes: Sequence[Lexeme], index: int, analyzer: Analyzer
    ) -> tuple[int, tuple[KnownValue, ...]] | None:
        """How many tokens the longest value takes that is said here, and which values that may
        be."""
        terms: list[str] = []
        left_out: set[str] = set()
        longest: tuple[int, tuple[KnownValue, ...]] | None = None
        for position in range(index, len(lexemes)):
            lexeme = lexemes[position]
            if terms and lexeme.glued and (lexeme.kind == "dash" or lexeme.folded == "/"):
                continue
            if terms and lexeme.folded in _AND:
                continue
            if lexeme.kind not in ("word", "number") or len(terms) >= MAX_WORDS:
                break
            before = lexemes[position - 1] if terms else None
            if before and before.kind == "number" and lexeme.kind == "word" and lexeme.glued:
                terms[-1] = analyzer.term(before.folded + lexeme.folded)  # "3-6m"
            elif lexeme.kind == "number" and not lexeme.folded.isdigit():  # "42,5"
                terms += (token.term for token in analyzer.tokens(lexeme.folded))
            else:
                terms.append(analyzer.term(lexeme.folded))
            values = self.by_terms.get(tuple(terms))
            if values and _have(values, left_out, analyzer):
                longest = (position + 1 - index, values)
            elif analyzer.is_stop_word(lexeme.folded):
                left_out.add(lexeme.folded)
                terms.pop()
        return longest

    def to_bytes(self) -> bytes:
        """All of it, as a version stores it (JSON)."""
        stored = {
            "values": [
                [list(terms), [[v.field, list(v.values), v.whole] for v in values]]
                for terms, values in sorted(self.by_terms.items())
            ],
            "colors": sorted(self.colors),
            "currencies": sorted(self.currencies),
            "literal_pairs": sorted(self.literal_pairs),
            "units": sorted(self.units),
            "lacked": sorted(self.lacked),
            "literal_names": sorted(self.literal_names),
        }
        return json.dumps(stored, ensure_ascii=False, separators=(",", ":")).encode("utf-8")

    @classmethod
    def from_bytes(cls, stored: bytes) -> KnownValues:
        """What `to_bytes` gave; `ValueError` where it is damaged."""
        try:
            read = json.loads(stored)
            return cls(
                {
                    tuple(terms): tuple(KnownValue(f, tuple(v), whole) for f, v, whole in values)
                    for terms, values in read["values"]
                },
                frozenset(read["colors"]),
                frozenset(read["currencies"]),
                frozenset((first, second) for first, second in read["literal_pairs"]),
                frozenset(read.get("units", ())),  # earlier releases learned none of these
                frozenset(read.get("lacked", ())),
                frozenset(read.get("literal_names", ())),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"the stored values are damaged: {error}") from error


def _have(values: Sequence[KnownValue], words: Collection[str], analyzer: Analyzer) -> bool:
    """Whether a value is written with these stop words, or an ampersand for "and"."""
    if not words:
        return True
    written = fold(values[0].values[0]).split()
    conjunctions = analyzer.language.conjunctions if _AND.intersection(written) else ()
    return all(word in written or word in conjunctions for word in words)


def learn_known_values(
    products: Iterable[Product],
    schema: Schema,
    *,
    analyzer: Analyzer,
    grammar: Grammar,
    understood: Collection[str] = (),
) -> KnownValues:
    """Read the values of a version's products: categories and brands, and keyword fields that
    are `understood`."""
    learner = _Learner(analyzer, grammar, [name for name in understood if name in schema])
    for product in products:
        learner.add(product)
    return learner.values()


class _Learner:
    def __init__(self, analyzer: Analyzer, grammar: Grammar, understood: Sequence[str]) -> None:
        self._analyzer = analyzer
        self._grammar = grammar
        self._understood = understood
        self._joints = grammar.to.words | grammar.additions  # "6 to 14" counts nothing
        self._before_words = (grammar.negators, grammar.stock)
        self._grammatical = (*self._before_words, *grammar.before_amounts)
        self._openings = frozenset().union(*(each.first_words for each in self._grammatical))
        self._named: dict[tuple[str, ...], dict[tuple[str, bool], dict[str, None]]] = {}
        self._colors: set[str] = set()
        self._currencies: set[str] = set()
        self._pairs: set[tuple[str, str]] = set()
        self._literal_names: set[str] = set()
        self._counted: Counter[str] = Counter()
        self._uncounted: Counter[str] = Counter()
        self._seen: set[tuple[str, str]] = set()
        self._lacked: Counter[str] = Counter()

    def add(self, product: Product) -> None:
        self._colors.update(product.colors, families(product.color), map(fold, product.color))
        if product.currency:
            self._currencies.add(product.currency)
        title = self._grammar.lex(product.title)
        self._keep_literal(title)
        self._count_units(title)
        self._count_lacked(title)
        for path in product.category:
            self._add_path(path)
        if product.brand and self._is_new("brand", product.brand):
            self._name("brand", product.brand, product.brand)
            self._keep_literal(self._grammar.lex(product.brand))
        for field in self._understood:
            value = product.value(field)
            for word in value if isinstance(value, tuple) else ():
                if self._is_new(field, word):
                    self._name(field, word, word)

    def values(self) -> KnownValues:
        """What was read, in an order that does not depend on that of the products."""
        return KnownValues(
            {
                terms: tuple(
                    KnownValue(field, tuple(sorted(values)), whole)
                    for (field, whole), values in sorted(named.items(), reverse=True)
                )
                for terms, named in self._named.items()
            },
            frozenset(self._colors),
            frozenset(self._currencies),
            frozenset(self._pairs),
            frozenset(
                word
                for word, titles in self._counted.items()
                if titles >= LEAST_COUNTED
                and titles > self._uncounted[word]
                and word not in self._joints
            ),
            frozenset(
                self._analyzer.term(word)
                for word, titles in self._lacked.items()
                if 2 * titles > self._counted[word] + self._uncounted[word]
            ),
            frozenset(self._literal_names),
        )

    def _is_new(self, field: str, value: str) -> bool:
        new = (field, value) not in self._seen
        self._seen.add((field, value))
        return new

    def _add_path(self, path: str) -> None:
        if not self._is_new("category", path):
            return
        levels = path.split("/")
        for depth, level in enumerate(levels, 1):
            prefix = "/".join(levels[:depth])
            self._keep_literal(self._grammar.lex(level))
            self._name("category", level, prefix)
            parts = self._analyzer.language.parts_of(level)
            for part in parts if len(parts) > 1 else ():
                self._name("category", part, prefix, whole=False)

    def _name(self, field: str, words: str, value: str, *, whole: bool = True) -> None:
        listed = self._analyzer.tokens(words)
        tokens = [token for token in listed if not token.stop] or listed  # "M" in French
        terms = tuple(token.term for token in tokens)
        joined = (self._analyzer.term("".join(token.word for token in tokens)),)
        for phrase in {terms, joined}:
            if 0 < len(phrase) <= MAX_WORDS and (
                phrase in self._named or len(self._named) < MAX_VALUES
            ):
                named = self._named.setdefault(phrase, {})
                named.setdefault((field, whole), {})[value] = None

    def _count_units(self, title: Sequence[Lexeme]) -> None:
        for before, lexeme in zip((None, *title), title, strict=False):
            if lexeme.kind == "word" and lexeme.folded.isalpha():
                counted = before is not None and before.kind == "number"
                (self._counted if counted else self._uncounted)[lexeme.folded] += 1

    def _count_lacked(self, title: Sequence[Lexeme]) -> None:
        """Count the words that a title says a thing is without."""
        places: set[int] = set()
        for index, lexeme in enumerate(title):
            negator = self._grammar.negators.at(title, index)
            if negator is not None:
                places.add(index + negator[0])
            elif lexeme.folded in self._grammar.free:
                places.add(index - (2 if title[index - 1].kind == "dash" else 1))
        words = {place: lexeme for place, lexeme in enumerate(title) if lexeme.kind == "word"}
        self._lacked.update(words[place].folded for place in places & words.keys())

    def _keep_literal(self, name: Iterable[Lexeme]) -> None:
        """Keep what could be grammar in a name: the pairs of words, and the name as a whole."""
        lexemes, links = [lexeme for lexeme in name if not lexeme.is_pause], self._grammar.skipped
        is_grammar = any(names.at(lexemes, 0) for names in self._grammar.value_names.values())
        for index, lexeme in enumerate(lexemes):
            for phrases in self._grammatical if lexeme.folded in self._openings else ():
                phrase = phrases.at(lexemes, index)
                end = index + phrase[0] if phrase else len(lexemes)
                if phrase and end == len(lexemes):
                    is_grammar |= phrases in self._before_words
                    if index and phrases is self._grammar.negators:  # "Sin ti no soy nada"
                        self._pairs.update(literal_pairs(lexemes, index - 1, links))
                elif phrase and (
                    phrases in self._before_words or lexemes[end].kind in ("number", "currency")
                ):
                    is_grammar = True
                    self._pairs.update(literal_pairs(lexemes, end - 1, links))
        if is_grammar and len(self._literal_names) < MAX_VALUES:
            self._literal_names.add(name_of(lexemes))
