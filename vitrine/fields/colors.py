"""Colors as shops write them, and the families shoppers choose from."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vitrine.errors import FieldError
from vitrine.fields.words import word_lists

__all__ = ["BUILT_IN_WORDS", "FAMILIES", "ColorWords", "families", "family_of"]

FAMILIES = tuple(name for name in word_lists("colors")["en"] if "+" not in name)
"""Every family there is."""

_SHADE = re.compile(
    "(?:light|dark|pale|deep|bright|medium|sky|navy|royal|baby|hot|off|neon|pastel|"
    "hell|dunkel|licht|donker|mittel|zart|knall)(?=[a-z])"
)
"""What is written together with a color: darkred, skyblue, offwhite, dunkelblau."""
_WITHOUT_BLANKS = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
"""Kana and Chinese characters: no blanks stand between words."""
_LONGEST = 3
"""Words of the longest color name."""


@dataclass(frozen=True, slots=True)
class ColorWords:
    """Words that name colors, folded, with their families.

    `stems` are beginnings of words, `parts` count wherever they stand in a text.
    """

    words: Mapping[str, tuple[str, ...]]
    stems: Mapping[str, tuple[str, ...]]
    parts: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, own: Mapping[str, Iterable[str]]) -> ColorWords:
        """The built-in words, and a catalogue's own, which win over them."""
        if not own:
            return BUILT_IN_WORDS
        table = {_folded(word): tuple(named) for word, named in own.items()}
        parts = {word: named for word, named in table.items() if _WITHOUT_BLANKS.search(word)}
        return cls(
            {**BUILT_IN_WORDS.words, **table},
            BUILT_IN_WORDS.stems,
            {**BUILT_IN_WORDS.parts, **parts},
        )

    @classmethod
    def of_mapping(cls, stored: Mapping[str, Any]) -> ColorWords:
        """The words of a mapping as an index version keeps it (plain values)."""
        own: Mapping[str, str | list[str]] = stored.get("colors", {})
        return cls.of(
            {word: [named] if isinstance(named, str) else named for word, named in own.items()}
        )

    @staticmethod
    def faults(word: str, named: Iterable[str]) -> Iterator[FieldError]:
        """What is wrong with a catalogue's own word."""
        unknown = [family for family in named if family not in FAMILIES]
        if unknown:
            yield FieldError(
                f"colors.{word}",
                f"{unknown[0]!r} is not a color family; allowed are {', '.join(FAMILIES)}",
            )

    def families(self, colors: Iterable[str]) -> tuple[str, ...]:
        """The families named in the texts, each once, in the order of `FAMILIES`.

        Words that name no color count for nothing, and only whole words count: Redwood is not red.
        """
        named = {family for text in colors for family in self._named(_folded(text))}
        return tuple(family for family in FAMILIES if family in named)

    def _named(self, text: str) -> Iterator[str]:
        if _WITHOUT_BLANKS.search(text):
            for part, named in self.parts.items():
                if part in text:
                    yield from named
        words = re.findall(r"[^\W\d_]+", text)
        position = 0
        while position < len(words):
            length, named = self._longest(words[position : position + _LONGEST])
            yield from named
            position += length

    def _longest(self, words: list[str]) -> tuple[int, tuple[str, ...]]:
        """How many of the words name a color together, and its families."""
        for length in range(len(words), 0, -1):
            named = self.words.get(" ".join(words[:length]))
            if named is not None:
                return length, named
        stem = next((named for stem, named in self.stems.items() if words[0].startswith(stem)), ())
        return 1, stem or self.words.get(_SHADE.sub("", words[0], count=1), ())


def families(colors: Iterable[str]) -> tuple[str, ...]:
    """The color families named in the texts by the built-in words.

    >>> families(["Burgundy/Black", "off-white", "dunkelblau"])
    ('red', 'blue', 'black', 'white')
    """
    return BUILT_IN_WORDS.families(colors)


def family_of(word: str) -> str:
    """The family that a word names in any language, or the word itself in lower case.

    Only words for a family as a whole count: "grey", "rot" and "rouge" are gray and red, and "navy"
    stays what it is, so that a filter on it does not find every blue.

    >>> family_of("Rouge"), family_of("grey"), family_of("navy")
    ('red', 'gray', 'navy')
    """
    folded = _folded(word)
    if folded in FAMILIES:
        return folded
    names, stems = _FAMILY_NAMES
    family = names.get(folded) or names.get(folded.removesuffix("色"))
    by_stem = next((name for stem, name in stems.items() if folded.startswith(stem)), None)
    return family or by_stem or word.strip().casefold()


def _family_names() -> tuple[dict[str, str], dict[str, str]]:
    """Each language's own word for a family, which is the first of its list; and such stems."""
    names = {"grey": "gray", "multicolour": "multicolor"}
    stems: dict[str, str] = {}
    for lists in word_lists("colors").values():
        for family, words in lists.items():
            if "+" not in family:
                word = _folded(words[0])
                table = stems if word.endswith("*") else names
                table.setdefault(word.rstrip("*"), family)
    return names, stems


def _folded(text: str) -> str:
    """A word without case and accents; kana keep their marks, which make other sounds."""
    parts = unicodedata.normalize("NFKD", text.casefold().strip())
    plain = "".join(c for c in parts if not "\u0300" <= c <= "\u036f")
    return unicodedata.normalize("NFC", plain)


def _built_in() -> ColorWords:
    words: dict[str, tuple[str, ...]] = {}
    stems: dict[str, tuple[str, ...]] = {}
    parts: dict[str, tuple[str, ...]] = {}
    for lists in word_lists("colors").values():
        for family, names in lists.items():
            for name in names:
                word = _folded(name)
                if word.endswith("*"):
                    table, word = stems, word.rstrip("*")
                else:
                    table = parts if _WITHOUT_BLANKS.search(word) else words
                table.setdefault(word, tuple(family.split("+")))
    return ColorWords(words, stems, parts)


BUILT_IN_WORDS = _built_in()
_FAMILY_NAMES = _family_names()
