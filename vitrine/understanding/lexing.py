"""A query as tokens: words, numbers and signs, each where it stands in the text."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from vitrine.folding import fold

__all__ = ["Lexeme", "LexemeKind", "lex", "literal_pairs", "name_of"]

LexemeKind: TypeAlias = Literal["word", "number", "currency", "comparison", "dash", "other"]

_LEXEME = re.compile(
    r"(?P<currency>\b(?:us|au|ca|nz|hk|sg|mx|nt|r)\$|[$€£¥₹₽₺₩฿₫₪₴₱₦])"
    r"|(?P<comparison><=|>=|[<>≤≥])"
    r"|(?P<number>\d+(?:[.,'’\u00a0\u202f]\d+)*)(?P<tail>\w*)"
    r"|(?P<word>[^\W_]+(?:['’`´][^\W_]+)*)"
    r"|(?P<dash>[-‐‑‒–—−])"
    r"|(?P<other>\S)",
    re.IGNORECASE,
)

_PAUSES = frozenset(',;:!?"')


@dataclass(frozen=True, slots=True)
class Lexeme:
    """One token: its folded text, and text[start:end] as it was typed.

    `glued` says that no blank is before it.
    """

    kind: LexemeKind
    folded: str
    start: int
    end: int
    glued: bool

    @property
    def is_pause(self) -> bool:
        """Whether it is punctuation that shoppers leave out of names ("Non, je ne regrette")."""
        return self.kind == "other" and self.folded in _PAUSES


def lex(
    text: str, *, elisions: Collection[str] = (), suffixes: Collection[str] = ()
) -> list[Lexeme]:
    """The tokens of a text, in order.

    `elisions` are heads that an apostrophe ties to a word, which become words of their own (d'été).
    `suffixes` are folded words that may stand at a number without a blank (50eur); any other
    letters there make number and letters one word (5xl, 24mb01).
    """
    lexemes: list[Lexeme] = []

    def add(kind: LexemeKind, start: int, end: int) -> None:
        glued = bool(lexemes) and lexemes[-1].end == start
        lexemes.append(Lexeme(kind, fold(text[start:end]), start, end, glued))

    for match in _LEXEME.finditer(text):
        kind = match.lastgroup
        if match["number"]:
            tail = match["tail"]
            if not tail or fold(tail) in suffixes:
                add("number", match.start("number"), match.end("number"))
                if tail:
                    add("word", match.start("tail"), match.end("tail"))
            else:
                add("word", match.start(), match.end())
        elif match["word"]:
            cut = _elision(match["word"], elisions)
            if cut:
                add("word", match.start(), match.start() + cut)
                add("word", match.start() + cut + 1, match.end())
            else:
                add("word", match.start(), match.end())
        else:
            add(kind, match.start(), match.end())  # type: ignore[arg-type]  # the groups' names
    return lexemes


def name_of(lexemes: Iterable[Lexeme]) -> str:
    """The words of a text as names are compared: without punctuation and apostrophes."""
    return " ".join(each.folded.replace("'", "") for each in lexemes if not each.is_pause)


def literal_pairs(
    lexemes: Sequence[Lexeme], index: int, links: Collection[str]
) -> tuple[tuple[str, str], ...]:
    """The word at a place and the one behind it as names are compared: "no man's" is "no mans".

    A number is told with the word before the two or with the one behind them, since "under 30" is a
    price beside anything but the "club" of "Under 30 Club". One of `links`, folded prepositions and
    articles, is told with the word behind it: "not in love" is a name where "not in black" is none.
    """
    before, first, second, after = (
        lexemes[place].folded.replace("'", "") if 0 <= place < len(lexemes) else ""
        for place in range(index - 1, index + 3)
    )
    if second in links and after:
        return ((first, f"{second} {after}"),)
    if lexemes[index + 1].kind != "number":
        return ((first, second),)
    pairs = (
        (f"{before} {first}", second) if before else None,
        (first, f"{second} {after}") if after else None,
    )
    return tuple(pair for pair in pairs if pair is not None)


def _elision(word: str, elisions: Collection[str]) -> int:
    """Where the apostrophe of an elision stands in the word, 0 where there is none."""
    cut = next((index for index, c in enumerate(word) if c in "'’`´"), 0)
    return cut if cut and fold(word[:cut]) in elisions else 0
