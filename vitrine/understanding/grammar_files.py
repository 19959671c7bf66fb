"""Grammars, read from the files of their languages."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from vitrine.errors import InvalidInput
from vitrine.fields.currencies import SIGNS
from vitrine.folding import fold
from vitrine.understanding.grammar import Grammar
from vitrine.understanding.lexing import lex
from vitrine.understanding.phrases import Phrases, Words
from vitrine.words.language import language, transcribed

__all__ = ["grammar", "grammar_of"]


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
            ranges=self._ranges(),
            to=self._phrases("price", {"to": "to"}),
            numbers=self._numbers("numbers"),
            digits=self._numbers("digits"),
            thousands=self._folded("price", "thousands"),
            weak=self._phrase_set("price", "weak"),
            models=self._phrase_set("price", "models"),
            articles=self._folded("price", "articles"),
            names=self._phrase_set("price", "names"),
            lead=self._phrases("price", {"lead": "lead"}),
            units=self._units,
            more=self._folded("measures", "more"),
            than=self._folded("measures", "than"),
            cheap=self._folded("leftovers", "cheap"),
            not_currencies=self._folded("price", "not_currencies"),
            sizes=self._folded("price", "sizes"),
            people=self._folded("price", "people"),
            children=self._folded("price", "children"),
            older=self._phrase_set("price", "older"),
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
            before_thing=self._phrases("leftovers", {"before_thing": "before"}),
            currencies=Phrases(currencies.items()),
            value_names=MappingProxyType(self._value_names()),
            shades=self._folded("shades", "words"),
            basic_colors=MappingProxyType({fold(word): family for family, word in self._colors()}),
            color_names=MappingProxyType(self._color_names()),
            sounds=self._sounds(),
            ordinary=frozenset(
                fold(word) for file in self._files for word in file["spelling"]["words"].split()
            ),
        )

    def _phrase_set(self, table: str, key: str) -> frozenset[Words]:
        return frozenset(self._words(phrase) for file in self._files for phrase in file[table][key])

    def _ranges(self) -> tuple[tuple[Phrases, Phrases], ...]:
        return tuple(
            (Phrases([(self._words(first), "from")]), Phrases([(self._words(second), "to")]))
            for file in self._files
            for first, second in file["price"]["between"]
        )

    def _colors(self) -> Iterator[tuple[str, str]]:
        """Each family of colors with each of its names, in the order of the languages."""
        for file in self._files:
            for family, words in file["colors"].items():
                yield from ((family, word) for word in words.split())

    def _color_names(self) -> dict[str, str]:
        names: dict[str, str] = {}
        for family, word in self._colors():
            names.setdefault(family, word)
        return names

    def _sounds(self) -> tuple[tuple[str, str], ...]:
        pairs = (pair for file in self._files for pair in file["spelling"]["sounds"])
        return tuple((letters, alike) for letters, _, alike in (p.partition(" ") for p in pairs))

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
