"""Reads queries: what is grammar is taken out and applied, what is misspelt corrected."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from vitrine.fields.schema import Schema
from vitrine.understanding.catalogue_words import CatalogueWords
from vitrine.understanding.colors import color_at, color_families
from vitrine.understanding.draft import Draft, leftover_text
from vitrine.understanding.grammar import Grammar
from vitrine.understanding.grammar_spelling import GrammarSpelling
from vitrine.understanding.known_values import KnownValues
from vitrine.understanding.measures import compared_measures
from vitrine.understanding.named_values import NamedValueReader, read_stock
from vitrine.understanding.negation import NegationReader
from vitrine.understanding.phrases import Phrases
from vitrine.understanding.prices import read_prices
from vitrine.understanding.result import Correction, Understanding
from vitrine.understanding.spelling import Spelling
from vitrine.words import Analyzer, Vocabulary, is_known, neighbors

__all__ = ["QueryReader"]


class QueryReader:
    """Reads the queries of one version; safe to use from several threads.

    `grammar` is that of the catalogue's languages, `known` its values, `understood` the keyword
    fields whose values may be filtered by when their name is said ("size M"), with their labels.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        grammar: Grammar,
        analyzer: Analyzer,
        vocabulary: Vocabulary,
        known: KnownValues,
        understood: Mapping[str, str | None] = MappingProxyType({}),
    ) -> None:
        self._schema = schema
        in_categories = _terms_of(known, ("category",))
        units = {word for word in known.units if analyzer.term(word) not in in_categories}
        self._grammar = replace(
            grammar,
            units=grammar.units | units,
            currencies=_currencies(grammar, known.currencies),
            negators=Phrases(
                entry
                for entry in grammar.negators.entries
                if " ".join(entry[0]) not in known.literal_names  # the novel "Nada"
            ),
            value_names={name: grammar.names_of(name, label) for name, label in understood.items()},
        )
        self._analyzer = analyzer
        self._vocabulary = vocabulary
        self._known = known
        self._words = CatalogueWords(vocabulary, analyzer, self._grammar)
        self._value_terms = _terms_of(known, understood)
        self._ordinary_terms = frozenset(map(analyzer.term, grammar.ordinary))
        self._grammar_spelling = GrammarSpelling(self._grammar)
        self._spelling = Spelling(vocabulary, grammar.sounds)
        self._color_terms = frozenset(
            analyzer.term(word) for color in known.colors for word in color.split()
        )

    def read(
        self,
        text: str,
        *,
        literal: Iterable[str] = (),
        filtered: Collection[str] = (),
        vocabulary: Vocabulary | None = None,
    ) -> Understanding:
        """Understand a query; it never fails, what is not understood stays among the words.

        `literal` are parts of the text that are to be left as words. `filtered` are the fields that
        the client filters by itself: its filter wins. `vocabulary` is the version's own with terms
        of products written since: no word of theirs is corrected.
        """
        fields = frozenset(filtered)
        draft = Draft(text, self._grammar, literal)
        draft.protect_name(self._known.literal_names)
        draft.protect_pairs(self._known.literal_pairs, self._grammar.skipped)
        corrections = self._correct(draft, vocabulary or self._vocabulary)
        self._take_filters(draft, fields)
        negatives = self._take_negations(draft, fields)
        preferred, extra = self._preferences(draft)
        named = any(self._names_value(draft, index) for index in range(len(draft.lexemes)))
        filtering = bool(negatives) or any(part.effect == "filter" for part in draft.applied)
        return Understanding(
            "" if filtering and self._is_vague(draft) else leftover_text(draft, self._grammar),
            draft.applied,
            corrections,
            tuple(negatives),
            frozenset(preferred),
            tuple(extra),
            named,
            self._asks_for_anything(draft),
        )

    def _take_filters(self, draft: Draft, filtered: frozenset[str]) -> None:
        """Take prices, stock and values by name out of the words."""
        if "price" in self._schema:
            read_prices(
                draft,
                self._grammar,
                known=self._known,
                words=self._words,
                filtered="price" in filtered,
            )
        if "in_stock" in self._schema:
            read_stock(draft, self._grammar, filtered="in_stock" in filtered)
        values = NamedValueReader(
            draft, grammar=self._grammar, known=self._known, analyzer=self._analyzer
        )
        values.read(filtered=filtered)

    def _take_negations(self, draft: Draft, filtered: frozenset[str]) -> list[str]:
        """Take negations out of the words; returns the texts to push away from."""
        negation = NegationReader(
            draft,
            grammar=self._grammar,
            schema=self._schema,
            known=self._known,
            analyzer=self._analyzer,
            vocabulary=self._vocabulary,
        )
        return negation.read(filtered=filtered)

    def _preferences(self, draft: Draft) -> tuple[set[str], list[str]]:
        """Words that raise and do not hide among those that are left (colors, brands, measures that
        are compared, and what says nothing of the thing: "cheap", "pair of"), and the catalogue's
        own names of colors."""
        preferred = compared_measures(draft, self._grammar, self._words) | self._before_thing(draft)
        extra: dict[str, None] = {}
        index = 0
        while index < len(draft.lexemes):
            length = 1
            if not draft.is_taken(index):
                color = self._color_at(draft, index)
                brand = None if color else self._brand_at(draft, index)
                length = color[0] if color else brand or 1
                words = [lexeme.folded for lexeme in draft.lexemes[index : index + length]]
                if brand or (color and all(map(self._is_known_color, words))):
                    preferred.update(words)
                elif words[0] in self._grammar.vague and not self._vocabulary.name_count(words[0]):
                    preferred.add(words[0])
                if color and not self._is_said_so(words):
                    extra.update(dict.fromkeys(color[1]))
            index += length
        return preferred, list(extra)

    def _before_thing(self, draft: Draft) -> set[str]:
        """The first words of phrases that name no thing: "pair" in "pair of socks"."""
        lexemes, phrases = draft.lexemes, self._grammar.before_thing
        return {
            lexemes[index].folded
            for index in range(len(lexemes))
            if phrases.at(lexemes, index) and not draft.is_taken(index)
        }

    def _color_at(self, draft: Draft, index: int) -> tuple[int, tuple[str, ...]] | None:
        """The color that is said at a place: of two words only where both are plainly colors."""
        color = color_at(draft.lexemes, index, self._grammar)
        words = [lexeme.folded for lexeme in draft.lexemes[index : index + 2]]
        if color is None or color[0] < 2 or all(map(self._is_known_color, words)):
            return color
        return color_at(draft.lexemes[: index + 1], index, self._grammar)

    def _brand_at(self, draft: Draft, index: int) -> int | None:
        phrase = self._known.at(draft.lexemes, index, self._analyzer)
        if phrase is None or any(value.field != "brand" for value in phrase[1]):
            return None
        return phrase[0]

    def _names_value(self, draft: Draft, index: int) -> bool:
        """Whether a word there belongs to a value of a field that is understood: an author."""
        term = self._analyzer.term(draft.lexemes[index].folded)
        return not draft.is_taken(index) and term in self._value_terms

    def _is_known_color(self, word: str) -> bool:
        """Whether a color is plainly one: "coffee" in "coffee machine" is none where nothing is
        of that color, nor is the French "chair" where chairs are sold."""
        term = self._analyzer.term(word)
        return (
            word in self._grammar.basic_colors
            or term in self._color_terms
            or (self._words.has(word) and not self._vocabulary.is_subject(term))
        )

    def _is_said_so(self, words: list[str]) -> bool:
        """Whether products say the color so: "blanche" is no color of a shop that writes "blanc",
        though "baskets blanches" are a thing of it."""
        if all(word in self._grammar.basic_colors for word in words):
            return all(self._analyzer.term(word) in self._color_terms for word in words)
        return any(map(self._words.has, words))

    def _asks_for_anything(self, draft: Draft) -> bool:
        """Whether a word that is left asks for anything, as "something" and "gift" do where the
        catalogue calls nothing so; a "gift card" and a "carte cadeau" are things."""
        heads_first, begins = self._analyzer.language.head == "first", True
        for index, lexeme in enumerate(draft.lexemes):
            word = lexeme.folded
            if draft.is_taken(index):
                continue
            stop = self._analyzer.is_stop_word(word)
            if word in self._grammar.anything and not self._vocabulary.name_count(word):
                names = begins if heads_first else self._ends_name(draft, index + 1)
                if stop or names:
                    return True
            begins &= stop or word in self._grammar.vague
        return False

    def _ends_name(self, draft: Draft, index: int) -> bool:
        """Whether no word that could name a thing stands at a place."""
        if index >= len(draft.lexemes) or draft.is_taken(index):
            return True
        word = draft.lexemes[index].folded
        return word in self._grammar.vague or self._analyzer.is_stop_word(word)

    def _is_vague(self, draft: Draft) -> bool:
        """Whether what is left says nothing of what is looked for: "gift for her" beside a price,
        where the catalogue calls nothing a gift."""
        left = (lexeme for i, lexeme in enumerate(draft.lexemes) if not draft.is_taken(i))
        return all(
            lexeme.kind == "word"
            and not self._vocabulary.name_count(lexeme.folded)
            and (lexeme.folded in self._grammar.vague or self._analyzer.is_stop_word(lexeme.folded))
            for lexeme in left
        )

    def _correct(self, draft: Draft, vocabulary: Vocabulary) -> tuple[Correction, ...]:
        """Correct the words that neither the catalogue has nor the grammar."""
        corrections: dict[Correction, None] = {}
        words = [index for index, lexeme in enumerate(draft.lexemes) if lexeme.kind == "word"]
        said = [draft.lexemes[index].folded for index in words]
        for position, (index, word) in enumerate(zip(words, said, strict=True)):
            if draft.is_protected(index) or self._is_grammar(word):
                continue
            if is_known(word, vocabulary, self._analyzer, around=neighbors(said, position)):
                continue
            replacement = self._spelling.correct(word) or self._grammar_spelling.correct(
                draft.lexemes, index
            )
            if replacement is not None:
                corrections[Correction(draft.typed(index, index + 1), replacement)] = None
                draft.correct(index, replacement)
        return tuple(corrections)

    def _is_grammar(self, word: str) -> bool:
        return (
            word in self._grammar.words
            or word in self._grammar.vague
            or word in self._grammar.people
            or word in self._analyzer.language.qualities
            or self._analyzer.is_listed(word)
            or self._analyzer.term(word) in self._ordinary_terms
            or bool(color_families(word))
        )


def _currencies(grammar: Grammar, of_prices: frozenset[str]) -> Phrases:
    """The phrases for currencies, without those that are units where no price is in them: "20
    pounds" of a dumbbell."""
    return Phrases(
        (words, codes)
        for words, codes in grammar.currencies.entries
        if grammar.units.isdisjoint(words) or not of_prices.isdisjoint(codes.split())
    )


def _terms_of(known: KnownValues, fields: Collection[str]) -> frozenset[str]:
    """The terms of the values of some fields, without numbers and letters ("M", "14")."""
    return frozenset(
        term
        for terms, values in known.by_terms.items()
        if any(value.field in fields for value in values)
        for term in terms
        if term.isalpha() and len(term) > 2
    )
