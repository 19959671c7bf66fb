"""The phrases of the languages of a catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from vitrine.understanding.lexing import Lexeme, lex
from vitrine.understanding.phrases import Phrases, Words

__all__ = ["Grammar"]


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
    speak of its price, and `anything` stand for it ("something", "gift"). `before_thing` are
    phrases that name no thing, but how much or what of the one behind them ("pair of").
    `basic_colors` maps a color's plain name to its family, `color_names` a family to its name as
    the first language writes it. `sounds` are letters with those that sound alike, `ordinary` are
    names of things that are no misspellings.
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
    before_thing: Phrases
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
