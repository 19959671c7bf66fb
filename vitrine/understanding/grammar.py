"""The phrases of languages, read from their files."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from types import MappingProxyType
from typing import Any

from vitrine.errors import InvalidInput
from vitrine.fields.currencies import SIGNS
from vitrine.folding import fold
from vitrine.understanding.lexing import Lexeme, lex
from vitrine.understanding.phrases import Phrases, Words
from vitrine.words.language import language, transcribed

__all__ = ["Grammar", "grammar", "grammar_of", "understood_languages"]


@dataclass(frozen=True, eq=False)
class Grammar:
    """All phrases of the languages of a catalogue, as tokens and folded.

    `comparisons` mean lt, lte, gt, gte or around before an amount, `comparisons_after` behind one.
    `ranges` are pairs of phrases around the first of two amounts. `numbers` are words for one,
    `digits` for what is said behind the tens ("twenty five"), `thousands` multiply a number ("2k")
    and, as whole words, are one ("mil"). `weak` phrases are often about something else than prices,
    `models` also end the names of models, `articles` may stand before an amount, and `older` behind
    a word of `people` tell an age, as a small number behind one of `children` does.
    `not_currencies` are codes of currencies that are words of shops ("mop"), `currencies` mean the
    codes that a phrase may stand for, with blanks between them. `literal` phrases look like grammar
    and are names of things. Negators with a word of `lacking` are about parts of a thing, and
    `free` are words behind a part that a thing is without ("gluten free"). `than` stands between a
    word and a measure that are compared ("longer than 2 m"), where a language says so behind a word
    of `more` ("plus long que"). `vague` words say nothing of what is looked for; of them, `cheap`
    speak of its price, and `anything` stand for it ("something", "gift"). `basic_colors` maps a
    color's plain name to its family, `color_names` a family to its name as the first language
    writes it. `sounds` are letters with those that sound alike, `ordinary` are names of things that
    are no misspellings.
    """

    codes: tuple[str, ...]
    elisions: frozenset[str]
    suffixes: frozenset[str]
    comparisons: Phrases
    comparisons_after: Phrases
    ranges: tuple[tuple[Phrases, Phrases], ...]
    to: Phrases
    numbers: Phrases
    digits: Phrases
    thousands: frozenset[str]
    weak: frozenset[Words]
    models: frozenset[Words]
    articles: frozenset[str]
    names: frozenset[Words]
    lead: Phrases
    units: frozenset[str]
    more: frozenset[str]
    than: frozenset[str]
    cheap: frozenset[str]
    not_currencies: frozenset[str]
    sizes: frozenset[str]
    people: frozenset[str]
    older: frozenset[Words]
    children: frozenset[str]
    stock: Phrases
    literal: Phrases
    negators: Phrases
    lacking: frozenset[str]
    free: frozenset[str]
    skipped: frozenset[str]
    alternatives: Phrases
    additions: frozenset[str]
    stops: frozenset[str]
    loose_before: frozenset[str]
    loose_after: frozenset[str]
    vague: frozenset[str]
    anything: frozenset[str]
    currencies: Phrases
    value_names: Mapping[str, Phrases]
    shades: frozenset[str]
    basic_colors: Mapping[str, str]
    color_names: Mapping[str, str]
    sounds: tuple[tuple[str, str], ...]
    ordinary: frozenset[str]

    @cached_property
    def around(self) -> frozenset[Words]:
        """The comparisons that mean about an amount."""
        entries = self.comparisons.entries
        return frozenset(words for words, meaning in entries if meaning == "around")

    @cached_property
    def before_amounts(self) -> tuple[Phrases, ...]:
        """What stands before an amount: comparisons, and the first halves of ranges."""
        return (self.comparisons, *(first for first, _ in self.ranges))

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word that is part of the grammar."""
        phrases = (self.comparisons, self.comparisons_after, self.to, self.lead, self.stock)
        ranges = (phrase for pair in self.ranges for phrase in pair)
        listed = (*phrases, *ranges, self.negators, self.alternatives, *self.value_names.values())
        return frozenset().union(
            *(entry.words for entry in listed),
            *(self.units, self.sizes, self.skipped, self.additions, self.stops, self.shades),
            *(self.loose_before, self.loose_after, self.currencies.words, self.basic_colors),
            *(self.thousands, self.numbers.words, self.digits.words),
        )

    def names_of(self, field: str, label: str | None) -> Phrases:
        """What a field is called in a query: by its own name, by its label, and by what the
        languages call a field that is named or labeled so ("taille 38" of "pointure")."""
        own = {
            tuple(lexeme.folded for lexeme in self.lex(name))
            for name in (field.replace("_", " "), label)
            if name
        }
        for key, names in self.value_names.items():
            if key == field or not own.isdisjoint(names.phrases):
                own |= names.phrases
        return Phrases((words, "named") for words in own)

    def lex(self, text: str) -> list[Lexeme]:
        """The tokens of a text in these languages."""
        return lex(text, elisions=self.elisions, suffixes=self.suffixes)


@cache
def understood_languages() -> tuple[str, ...]:
    """The codes of the languages that have a file."""
    files = resources.files("vitrine.understanding.languages").iterdir()
    return tuple(sorted(f.name[:-5] for f in files if f.name.endswith(".toml")))


@cache
def grammar(*codes: str) -> Grammar:
    """The grammar of several languages together; `InvalidInput` for one that has no file.

    Of no language at all it still reads signs: a leading minus, < and >, ranges with a currency.
    """
    unknown = [code for code in codes if code not in understood_languages()]
    if unknown:
        raise InvalidInput.of(
            "language",
            f"{unknown[0]!r} has no grammar; there is one for {', '.join(understood_languages())}",
        )
    return _Reader(codes).grammar()


def grammar_of(code: str) -> Grammar:
    """The grammar of a catalogue's language; that of signs alone where it has no file."""
    return grammar(code) if code in understood_languages() else grammar()


def _read(code: str) -> dict[str, Any]:
    file = resources.files("vitrine.understanding.languages") / f"{code}.toml"
    read = tomllib.loads(file.read_text("utf-8"))
    return {key: transcribed(table, language(code).transcriptions) for key, table in read.items()}


class _Reader:
    """Reads the files of some languages into one grammar."""

    def __init__(self, codes: tuple[str, ...]) -> None:
        self._codes = codes
        self._files = [_read(code) for code in codes]
        languages = [language(code) for code in codes]
        self._elisions = frozenset(word for each in languages for word in each.elisions)
        self._conjunctions = frozenset(word for each in languages for word in each.conjunctions)
        self._units = frozenset(word for each in languages for word in each.units)

    def grammar(self) -> Grammar:
        currencies = self._currencies()
        return Grammar(
            codes=self._codes,
            elisions=self._elisions,
            suffixes=frozenset(words[0] for words in currencies if len(words) == 1) | self._units,
            comparisons=self._phrases(
                "price",
                {
                    **{"below": "lt", "at_most": "lte", "above": "gt", "at_least": "gte"},
                    "around": "around",
                },
            ),
            comparisons_after=self._phrases(
                "price", {"at_most_after": "lte", "at_least_after": "gte"}
            ),
            ranges=tuple(
                (Phrases([(self._words(first), "from")]), Phrases([(self._words(second), "to")]))
                for file in self._files
                for first, second in file["price"]["between"]
            ),
            to=self._phrases("price", {"to": "to"}),
            numbers=self._numbers("numbers"),
            digits=self._numbers("digits"),
            thousands=self._folded("price", "thousands"),
            weak=frozenset(self._words(p) for f in self._files for p in f["price"]["weak"]),
            models=frozenset(self._words(p) for f in self._files for p in f["price"]["models"]),
            articles=self._folded("price", "articles"),
            names=frozenset(self._words(p) for f in self._files for p in f["price"]["names"]),
            lead=self._phrases("price", {"lead": "lead"}),
            units=self._units,
            more=self._folded("measures", "more"),
            than=self._folded("measures", "than"),
            cheap=self._folded("leftovers", "cheap"),
            not_currencies=self._folded("price", "not_currencies"),
            sizes=self._folded("price", "sizes"),
            people=self._folded("price", "people"),
            children=self._folded("price", "children"),
            older=frozenset(self._words(p) for f in self._files for p in f["price"]["older"]),
            stock=self._phrases("stock", {"available": "true", "sold_out": "false"}),
            literal=self._phrases("negation", {"literal": "literal"}),
            negators=self._phrases("negation", {"words": "not"}),
            lacking=self._folded("negation", "lacking"),
            free=self._folded("negation", "free"),
            skipped=self._folded("negation", "skipped"),
            alternatives=self._phrases("negation", {"or": "or"}),
            additions=self._conjunctions | {"&"},
            stops=self._folded("negation", "stops"),
            loose_before=self._folded("leftovers", "before"),
            loose_after=self._folded("leftovers", "after"),
            vague=self._folded("leftovers", "vague", "cheap", "anything"),
            anything=self._folded("leftovers", "anything"),
            currencies=Phrases(currencies.items()),
            value_names=MappingProxyType(self._value_names()),
            shades=self._folded("shades", "words"),
            basic_colors=MappingProxyType(
                {
                    fold(word): family
                    for file in self._files
                    for family, words in file["colors"].items()
                    for word in words.split()
                }
            ),
            sounds=tuple(
                (letters, alike)
                for file in self._files
                for letters, _, alike in (
                    pair.partition(" ") for pair in file["spelling"]["sounds"]
                )
            ),
            ordinary=frozenset(
                fold(word) for file in self._files for word in file["spelling"]["words"].split()
            ),
            color_names=MappingProxyType(
                {
                    f: w.split()[0]
                    for file in reversed(self._files)
                    for f, w in file["colors"].items()
                }
            ),
        )

    def _words(self, phrase: str) -> Words:
        return tuple(lexeme.folded for lexeme in lex(phrase, elisions=self._elisions))

    def _phrases(self, table: str, keys: Mapping[str, str]) -> Phrases:
        """The phrases of some lists, also without the apostrophes within words: "dont want"."""
        listed = (
            (self._words(phrase), meaning)
            for file in self._files
            for key, meaning in keys.items()
            for phrase in file[table][key]
        )
        written = (
            (said, meaning)
            for words, meaning in listed
            for said in (words, tuple(word.replace("'", "") for word in words))
        )
        return Phrases(dict(written).items())

    def _numbers(self, table: str) -> Phrases:
        return Phrases(
            (self._words(phrase), value)
            for file in self._files
            for value, phrases in file[table].items()
            for phrase in phrases
        )

    def _folded(self, table: str, *keys: str) -> frozenset[str]:
        return frozenset(
            fold(word) for file in self._files for key in keys for word in file[table][key]
        )

    def _currencies(self) -> dict[Words, str]:
        """The phrases for currencies, with the codes of those that each may mean."""
        named: dict[Words, dict[str, None]] = {}
        for file in self._files:
            for code, phrases in file["currencies"].items():
                for phrase in phrases:
                    codes = named.setdefault(self._words(phrase), {})
                    codes.update(dict.fromkeys(SIGNS.get(code, (code,))))
        return {words: " ".join(codes) for words, codes in named.items()}

    def _value_names(self) -> dict[str, Phrases]:
        names: dict[str, list[Words]] = {}
        for file in self._files:
            for field, phrases in file["values"]["named"].items():
                names.setdefault(field, []).extend(map(self._words, phrases))
        return {
            field: Phrases((words, "named") for words in listed) for field, listed in names.items()
        }
