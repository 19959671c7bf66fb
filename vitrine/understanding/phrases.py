"""Phrases with meanings, looked for in a query."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

from vitrine.understanding.lexing import Lexeme

__all__ = ["Phrases", "Words"]

Words = tuple[str, ...]


class Phrases:
    """Phrases with what they mean, found at a place of a query, the longest first; `longest` is how
    many words that one has."""

    def __init__(self, meanings: Iterable[tuple[Words, str]]) -> None:
        self._by_first: dict[str, list[tuple[Words, str]]] = {}
        for words, meaning in meanings:
            if words:
                self._by_first.setdefault(words[0], []).append((words, meaning))
        for listed in self._by_first.values():
            listed.sort(key=lambda entry: -len(entry[0]))
        self.longest = max((len(words) for words, _ in self.entries), default=0)

    @property
    def entries(self) -> tuple[tuple[Words, str], ...]:
        """All phrases with their meanings."""
        return tuple(entry for listed in self._by_first.values() for entry in listed)

    def at(self, lexemes: Sequence[Lexeme], index: int) -> tuple[int, str] | None:
        """How many tokens the longest phrase takes that begins here, and its meaning."""
        if index >= len(lexemes):
            return None
        for words, meaning in self._by_first.get(lexemes[index].folded, ()):
            if index + len(words) <= len(lexemes) and all(
                lexemes[index + offset].folded == word for offset, word in enumerate(words)
            ):
                return len(words), meaning
        return None

    def ending_at(self, lexemes: Sequence[Lexeme], end: int) -> int:
        """How many tokens the longest phrase takes that ends before this one, 0 where none does."""
        for start in range(max(end - self.longest, 0), end):
            said = tuple(lexeme.folded for lexeme in lexemes[start:end])
            if any(words == said for words, _ in self._by_first.get(said[0], ())):
                return end - start
        return 0

    @cached_property
    def first_words(self) -> frozenset[str]:
        """The words that phrases begin with."""
        return frozenset(self._by_first)

    @cached_property
    def phrases(self) -> frozenset[Words]:
        """All phrases."""
        return frozenset(words for words, _ in self.entries)

    @cached_property
    def words(self) -> frozenset[str]:
        """All words of all phrases."""
        return frozenset(word for words in self.phrases for word in words)
