"""Languages: the Snowball stemmer of each, and what its TOML file says, if it has one."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Literal

from vitrine.errors import InvalidInput
from vitrine.folding import fold

__all__ = ["LANGUAGES", "Language", "language", "transcribed"]

LANGUAGES: Mapping[str, str] = {
    "ar": "arabic",
    "ca": "catalan",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "ne": "nepali",
    "nl": "dutch",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}
"""ISO 639-1 code -> the name of Snowball's stemmer."""

_HEAD_FIRST = frozenset(("ar", "ca", "es", "eu", "fr", "ga", "id", "it", "pl", "pt", "ro"))
"""Languages whose adjectives mostly follow the noun."""

_COMPOUNDING = frozenset(("da", "de", "et", "fi", "hu", "nl", "no", "sv"))
"""Languages that write compounds as one word."""

_SYLLABLE = re.compile("[aeiouy][^aeiouy]")


@dataclass(frozen=True, slots=True)
class Language:
    """One language: all words folded.

    `head` says where a title names the thing itself: at its "last" word ("red wool hat") or at its
    "first" ("chapeau de laine rouge"). `compounds` says that they are written as one word, the
    thing itself last ("Wollhut"). `irregular` maps words, or stems, that Snowball leaves apart
    to the term they share ("women" and "woman"), and things that it leaves alike with others to
    terms of their own. `plurals` are endings of the plural that are taken off before a word is
    stemmed, each with what must be before it ("kameras", "collares"), `endings` the last two
    letters of stems ("pneus" and "pneu"). `elisions` are the heads that an apostrophe ties to a
    word (French l'été), `conjunctions` the words for "and", `links` the stop words within a
    compound ("sac à dos"), `qualities` the words that say how a thing is and not of which kind
    ("cheap bag", "sac de luxe"); one that begins with a hyphen is the end of such words. `units`
    are what numbers count, `describing` the stop words behind which a thing is described ("mug with
    a bird"), `others` those behind which a title names another thing ("case for a phone"),
    `transcriptions` what is written for letters that a keyboard lacks ("grün" as "gruen").
    """

    code: str
    stemmer: str | None
    head: Literal["first", "last"] = "last"
    compounds: bool = False
    stop_words: frozenset[str] = frozenset()
    elisions: frozenset[str] = frozenset()
    conjunctions: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()
    qualities: frozenset[str] = frozenset()
    units: frozenset[str] = frozenset()
    describing: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    irregular: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    endings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    plurals: Mapping[str, re.Pattern[str]] = field(default_factory=lambda: MappingProxyType({}))
    transcriptions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def is_quality(self, word: str) -> bool:
        """Whether the folded word says how a thing is; none does in a language without a list."""
        ends = (f"-{word[place:]}" for place in range(3, len(word)))
        return word in self.qualities or not self.qualities.isdisjoint(ends)

    def singular(self, word: str) -> str:
        """The folded word without its plural's ending, where it has one of `plurals`.

        Before the ending a syllable must have ended: "kameras" is a plural, "gras" and "kreis" are
        none.
        """
        for ending, behind in self.plurals.items():
            rest = word.removesuffix(ending)
            if len(rest) < len(word) and behind.search(rest) and _SYLLABLE.search(rest):
                return rest
        return word

    def parts_of(self, category: str) -> list[str]:
        """The kinds of things that a category's name joins, folded: "hoodies" and "sweatshirts" of
        "Hoodies & Sweatshirts"; the whole name where it joins none."""
        folded = fold(category)
        parts = (part.strip() for part in _separator(self.conjunctions).split(folded))
        return [part for part in parts if part] or [folded]

    def before_others(self, title: str) -> str | None:
        """What a title says before the words of `others`, folded; None where it has none."""
        folded = fold(title)
        match = _between_words(self.others).search(folded) if self.others else None
        return folded[: match.start()] if match else None

    def new_stemmer(self) -> Any:
        """A stemmer for one thread, None for a language that Snowball does not know: its words
        are terms as they are."""
        import Stemmer

        return None if self.stemmer is None else Stemmer.Stemmer(self.stemmer)


@cache
def _separator(conjunctions: frozenset[str]) -> re.Pattern[str]:
    """What stands between the kinds of things that share a category."""
    words = "".join(rf"|\s{re.escape(word)}\s" for word in sorted(conjunctions))
    return re.compile(f"[&,+]{words}")


@cache
def _between_words(words: frozenset[str]) -> re.Pattern[str]:
    """Finds one of the words where others are on both of its sides."""
    return re.compile(rf"(?<=\w)\s(?:{'|'.join(sorted(words))})\s(?=\S)")


@cache
def language(code: str) -> Language:
    """The language of an ISO 639-1 code; `InvalidInput` for what is none."""
    if not (len(code) == 2 and code.isascii() and code.islower()):
        raise InvalidInput.of("language", f"{code!r} is not a two-letter code such as en, de or ja")
    file = resources.files("vitrine.words.languages") / f"{code}.toml"
    read = tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
    transcriptions, plurals = read.pop("transcriptions", {}), read.pop("plurals", {})
    read = transcribed(read, transcriptions)

    def listed(key: str) -> frozenset[str]:
        return frozenset(map(fold, read.get(key, "").split()))

    return Language(
        code,
        LANGUAGES.get(code),
        "first" if code in _HEAD_FIRST else "last",
        code in _COMPOUNDING,
        listed("stop_words"),
        listed("elisions"),
        listed("conjunctions"),
        listed("links"),
        listed("qualities"),
        listed("units"),
        listed("describing"),
        listed("others"),
        {
            fold(word): fold(term)
            for term, words in read.get("irregular", {}).items()
            for word in (term, *words.split())
        }
        | {word: word for word in listed("apart")},
        read.get("endings", {}),
        {end: re.compile(f"(?:{behind})$") for end, behind in plurals.items()},
        transcriptions,
    )


def transcribed(table: Any, letters: Mapping[str, str]) -> Any:
    """A table of a language's file, with each word or phrase as it is written without its letters
    as well: "größe" and "groesse"."""
    if isinstance(table, dict):
        return {key: transcribed(value, letters) for key, value in table.items()}
    if isinstance(table, str):  # words with blanks between them
        return " ".join(dict.fromkeys([*table.split(), *_without(table, letters).split()]))
    written = [
        _without(phrase, letters)
        if isinstance(phrase, str)
        else [_without(word, letters) for word in phrase]
        for phrase in table
    ]
    return table + [phrase for phrase in written if phrase not in table]


def _without(text: str, letters: Mapping[str, str]) -> str:
    for letter, written in letters.items():
        text = text.replace(letter, written)
    return text
