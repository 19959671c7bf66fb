"""Numbers in a query that are no prices though they could be: years, ages, counts and models."""

from __future__ import annotations

from collections.abc import Collection

from vitrine.understanding.amounts import Amount, amount_at
from vitrine.understanding.catalogue_words import CatalogueWords
from vitrine.understanding.colors import color_families
from vitrine.understanding.draft import Draft
from vitrine.understanding.grammar import Grammar
from vitrine.understanding.known_values import KnownValues
from vitrine.understanding.lexing import Lexeme
from vitrine.understanding.phrases import Words

__all__ = ["PriceDoubts"]

LEAST_BARE = 20
"""After "from" and its like a smaller number without a currency is an age or a size ("from 3")."""


class PriceDoubts:
    """Tells of amounts without a currency in one query what they may be instead of prices."""

    def __init__(
        self, draft: Draft, grammar: Grammar, known: KnownValues, words: CatalogueWords
    ) -> None:
        self._draft = draft
        self._grammar = grammar
        self._known = known
        self._words = words
        self._lexemes = draft.lexemes

    def on_comparison(self, words: Words, index: int, amount: Amount, *, weak: bool) -> bool:
        """Whether an amount behind a comparison (`words` at `index`) is no price; after a `weak`
        one small numbers and years are none but in a query for what is cheap."""
        doubtful = amount.looks_like_a_year or amount.value < LEAST_BARE
        doubtful &= all(each.folded not in self._grammar.cheap for each in self._lexemes)
        doubtful |= words in self._grammar.older and (
            words[0] in self._grammar.people or self._follows(index, self._grammar.people)
        )
        if words in self._grammar.around:  # "Tisch rund 120", "unos 42"
            doubtful |= words in self._grammar.weak or any(map(self._words.names, words))
        return (
            (weak and doubtful)
            or (amount.value < LEAST_BARE and self._follows(index, self._grammar.children))
            or self._ends_sizes(words, index)
            or self.names_model(words, index, amount)
            or self._counts(amount, index)
        )

    def _ends_sizes(self, words: Words, index: int) -> bool:
        """Whether a number here may be the last of several sizes: "Größe 38 bis 42"."""
        return (
            index > 1
            and self._lexemes[index - 1].kind == "number"
            and self._lexemes[index - 2].folded in self._grammar.sizes
            and any(words in second.phrases for _, second in self._grammar.ranges)
        )

    def are_unknown(self, *numbers: Lexeme) -> bool:
        """Whether the catalogue has none of these numbers, and none is small or looks like a year:
        "bench 100 to 200"."""
        return all(
            number.kind == "number"
            and not self._words.has(number.folded)
            and (amount := amount_at([number], 0, self._grammar)) is not None
            and amount.value >= LEAST_BARE
            and not amount.looks_like_a_year
            for number in numbers
        )

    def ends_name(self, index: int, amount: Amount) -> bool:
        """Whether a number may belong to the word before it ("golf 7")."""
        if index == 0 or not amount.is_bare or amount.value >= LEAST_BARE:
            return False
        before = self._lexemes[index - 1]
        return before.kind == "word" and not self._words.names_thing(before.folded)

    def names_model(self, words: Words, index: int, amount: Amount) -> bool:
        """Whether the phrase belongs to the name of a model, whose number is beside it ("air max
        90", "iphone 13 mini").

        It may where what is before is nothing that the catalogue sells (as "sneakers" in "sneakers
        max 90"), or where the number is small and not what the query ends with ("fiction max 7").
        """
        if self._words.may_end_model(words, self._lexemes, index):
            return True
        goes_on = amount.end < len(self._lexemes)
        small = amount.value < LEAST_BARE
        return words in self._grammar.models and index > 0 and small and goes_on

    def _counts(self, amount: Amount, index: int) -> bool:
        """Whether a number counts what follows it: a small one ("jacket with at least 3 pockets"),
        one before a word that titles have behind numbers ("piano with at least 49 keys"), or one
        before what may be a unit ("over 450 cc")."""
        after = self._lexemes[amount.end] if amount.end < len(self._lexemes) else None
        if after is None or after.kind != "word":
            return False
        if self._words.is_unit(after.folded):
            return True
        if after.folded in self._grammar.words or color_families(after.folded):
            return False
        if self._draft.words_before(index):
            unit = after.folded in self._known.units or (
                after.folded not in self._grammar.people and self._words.may_be_unit(after.folded)
            )
            return unit or amount.value < LEAST_BARE
        return amount.value < LEAST_BARE and not self._words.names_thing(after.folded)

    def _follows(self, index: int, people: Collection[str]) -> bool:
        """Whether a number here may be the age of such people ("gifts for men over 40")."""
        return index > 0 and self._lexemes[index - 1].folded in people

    def closes(self, index: int) -> bool:
        """Whether nothing follows that the number could count ("2 or more pockets")."""
        if index >= len(self._lexemes):
            return True
        following = self._lexemes[index]
        return following.kind == "other" or following.folded in self._grammar.stops
