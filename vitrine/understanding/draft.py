"""A query while it is being parsed, and what is left of it in the end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from vitrine.understanding.grammar import Grammar
from vitrine.understanding.lexing import Lexeme, literal_pairs, name_of
from vitrine.understanding.result import Applied

__all__ = ["Draft", "leftover_text"]


class Draft:
    """The tokens of a query while it is parsed: which are taken out of its words, what they were
    applied as, and which were corrected (by index)."""

    def __init__(self, text: str, grammar: Grammar, literal: Iterable[str] = ()) -> None:
        self.text = text
        self.lexemes: list[Lexeme] = grammar.lex(text)
        self.corrected: dict[int, str] = {}
        self._taken = [False] * len(self.lexemes)
        self._protected = [False] * len(self.lexemes)
        self._applied: list[tuple[int, Applied]] = []
        for phrase in literal:
            self._protect([lexeme.folded for lexeme in grammar.lex(phrase)])
        for index in range(len(self.lexemes)):
            name = grammar.literal.at(self.lexemes, index)
            if name is not None:
                self._protected[index : index + name[0]] = [True] * name[0]

    def protect_name(self, names: frozenset[str]) -> None:
        """Protect all words where together they are one of these names."""
        if name_of(self.lexemes) in names:
            self._protected = [True] * len(self.lexemes)

    def protect_pairs(self, pairs: frozenset[tuple[str, str]], links: frozenset[str]) -> None:
        """Protect words that stand side by side in a title, with or without its apostrophes."""
        places = [place for place, lexeme in enumerate(self.lexemes) if not lexeme.is_pause]
        said = [self.lexemes[place] for place in places]
        for index, (first, second) in enumerate(pairwise(places)):
            if not pairs.isdisjoint(literal_pairs(said, index, links)):
                self._protected[first] = self._protected[second] = True

    def free(self, start: int, end: int | None = None) -> bool:
        """Whether the tokens from start to end (one where it is left out) are there and neither
        taken nor protected."""
        end = start + 1 if end is None else end
        return (
            0 <= start < end <= len(self.lexemes)
            and not any(self._taken[start:end])
            and not any(self._protected[start:end])
        )

    def typed(self, start: int, end: int) -> str:
        """The text of some tokens as it was typed."""
        return self.text[self.lexemes[start].start : self.lexemes[end - 1].end]

    def correct(self, index: int, word: str) -> None:
        """Read another word where this one stands."""
        self.lexemes[index] = replace(self.lexemes[index], folded=word)
        self.corrected[index] = word

    def take(self, start: int, end: int, applied: Applied) -> None:
        """Take tokens out of the words: they mean `applied`."""
        self._taken[start:end] = [True] * (end - start)
        self._applied.append((start, applied))

    @property
    def applied(self) -> tuple[Applied, ...]:
        """What was applied, in the order of the text."""
        return tuple(part for _, part in sorted(self._applied, key=lambda entry: entry[0]))

    def is_taken(self, index: int) -> bool:
        """Whether the token is taken out."""
        return self._taken[index]

    def is_protected(self, index: int) -> bool:
        """Whether the token is to be left alone."""
        return self._protected[index]

    def drop(self, index: int) -> None:
        """Leave out a token that has no meaning any more."""
        self._taken[index] = True

    def words_before(self, index: int) -> bool:
        """Whether a word is left before the token."""
        return any(
            lexeme.kind == "word" and not taken
            for lexeme, taken in zip(self.lexemes[:index], self._taken, strict=False)
        )

    def _protect(self, phrase: list[str]) -> None:
        folded = [lexeme.folded for lexeme in self.lexemes]
        for start in range(len(folded) - len(phrase) + 1):
            if phrase and folded[start : start + len(phrase)] == phrase:
                self._protected[start : start + len(phrase)] = [True] * len(phrase)


def leftover_text(draft: Draft, grammar: Grammar) -> str:
    """The words that are left, as they were typed or corrected, with single blanks.

    Little words that led to what was taken out go with it ("shoes for", "and").
    """
    _drop_loose(draft, grammar)
    pieces: list[str] = []
    previous = -1
    for index, lexeme in enumerate(draft.lexemes):
        if draft.is_taken(index):
            continue
        text = draft.corrected.get(index, draft.text[lexeme.start : lexeme.end])
        apart = previous < 0 or previous != index - 1
        if apart and lexeme.kind == "other" and any(map(draft.is_taken, range(index))):
            previous = index  # the comma before what was taken out
            continue
        between = "" if apart else draft.text[draft.lexemes[previous].end : lexeme.start]
        pieces.append((" " if apart or between.isspace() else between) + text)
        previous = index
    words = "".join(pieces).strip()
    return words.strip(" ,;:-–—()") if draft.applied else words


def _drop_loose(draft: Draft, grammar: Grammar) -> None:
    taken = [index for index in range(len(draft.lexemes)) if draft.is_taken(index)]
    for index in taken:
        before = index - 1
        while before >= 0 and not draft.is_taken(before) and not draft.is_protected(before):
            if draft.lexemes[before].folded not in grammar.loose_before | {",", ";"}:
                break
            draft.drop(before)
            before -= 1
        after = index + 1
        while after < len(draft.lexemes) and not (
            draft.is_taken(after) or draft.is_protected(after)
        ):
            if draft.lexemes[after].folded not in grammar.loose_after | {",", ";"}:
                break
            draft.drop(after)
            after += 1
