"""Negations in a query: "without", "not", "no" and a leading minus, also over "or" and "in"."""

from __future__ import annotations

from vitrine.fields.schema import Schema
from vitrine.understanding.amounts import opening_at
from vitrine.understanding.colors import color_at
from vitrine.understanding.draft import Draft
from vitrine.understanding.exclusions import ExcludableValues, Exclusion
from vitrine.understanding.grammar import Grammar
from vitrine.understanding.known_values import KnownValues
from vitrine.understanding.result import Applied
from vitrine.words import Analyzer, Vocabulary

__all__ = ["NegationReader"]

MOST_WORDS = 3
"""Words of one thing that is not wanted, where no field knows it ("long puff sleeves")."""


class NegationReader:
    """Takes negations out of the words of one query."""

    def __init__(
        self,
        draft: Draft,
        *,
        grammar: Grammar,
        schema: Schema,
        known: KnownValues,
        analyzer: Analyzer,
        vocabulary: Vocabulary,
    ) -> None:
        self._draft = draft
        self._lexemes = draft.lexemes
        self._grammar = grammar
        self._values = ExcludableValues(
            draft, grammar=grammar, schema=schema, known=known, analyzer=analyzer
        )
        self._known = known
        self._analyzer = analyzer
        self._vocabulary = vocabulary

    def read(self, *, filtered: frozenset[str]) -> list[str]:
        """Take all negations; returns the texts to push away from.

        `filtered` are fields with a filter of the client's.
        """
        negatives: list[str] = []
        index = 0
        while index < len(self._lexemes):
            length = self._negator(index)
            items = self._items(index, index + length) if length else []
            named = [item for item in items if self._name_as_one(index, item)]
            excluded = [item for item in items if not (item in named or self._is_lacked(item))]
            if excluded:
                self._apply(index, items[-1].end, excluded, filtered)
                negatives += [self._text(item) for item in excluded if item.field is None]
            index = items[-1].end if items else index + 1
        return negatives

    def _is_lacked(self, item: Exclusion) -> bool:
        """Whether what says so in the catalogue is what is wanted: "food without grain" asks for
        "Grain Free Food", which leaving out "grain" would hide."""
        return item.field is None and any(
            self._analyzer.term(lexeme.folded) in self._known.lacked
            for lexeme in self._lexemes[item.start : item.end]
        )

    def _name_as_one(self, negator: int, item: Exclusion) -> bool:
        """Put the catalogue's own word in place of the negation, where it has one: "ohne Gluten" is
        "glutenfrei" in languages that write compounds as one word."""
        if item.field is not None or item.end - item.start > 1:
            return False
        if not self._analyzer.language.compounds:
            return False
        word = self._lexemes[item.start].folded
        for name in (word + free for free in sorted(self._grammar.free)):
            if self._vocabulary.term_count(self._analyzer.term(name)):
                self._draft.correct(item.start, name)
                for place in range(negator, item.start):
                    self._draft.drop(place)
                return True
        return False

    def _text(self, item: Exclusion) -> str:
        typed = self._draft.typed(item.start, item.end)
        if not any(index in self._draft.corrected for index in range(item.start, item.end)):
            return typed
        return " ".join(lexeme.folded for lexeme in self._lexemes[item.start : item.end])

    def _negator(self, index: int) -> int:
        """How many tokens the negator at a place takes, 0 where there is none."""
        lexeme = self._lexemes[index]
        if not self._draft.free(index):
            return 0
        if lexeme.kind == "dash":
            return int(self._is_minus(index))
        phrase = self._grammar.negators.at(self._lexemes, index)
        if phrase is None or not self._draft.free(index, index + phrase[0]):
            return 0
        compared = self._grammar.comparisons.at(self._lexemes, index)
        after = index + phrase[0]
        if compared is not None and compared[0] > phrase[0] and not self._values.is_named(after):
            return 0  # "not more than 3 pockets", but not "not Under Canvas"
        tied_before = index > 0 and lexeme.glued and self._lexemes[index - 1].kind == "dash"
        tied_after = after < len(self._lexemes) and (
            self._lexemes[after].glued and self._lexemes[after].kind in ("dash", "other")
        )
        return 0 if tied_before or tied_after else phrase[0]

    def _is_minus(self, index: int) -> bool:
        """Whether a dash is a minus: it stands before a word, without a blank, and after a
        blank."""
        if index + 1 >= len(self._lexemes) or (index > 0 and self._lexemes[index].glued):
            return False
        following = self._lexemes[index + 1]
        return following.kind == "word" and following.glued

    def _items(self, negator: int, start: int) -> list[Exclusion]:
        """The things that are not wanted, from the token after the negator."""
        item = self._item(negator, self._skip(start))
        items: list[Exclusion] = []
        while item is not None:
            items.append(item)
            item = self._further(negator, item)
        return items

    def _further(self, negator: int, item: Exclusion) -> Exclusion | None:
        """The next thing that the negation reaches: over "or" any, over "and" and a comma one of
        the same kind."""
        if self._lexemes[negator].kind == "dash" or item.end >= len(self._lexemes):
            return None
        phrase = self._grammar.alternatives.at(self._lexemes, item.end)
        behind = item.end + (phrase[0] if phrase else 1)
        if self._grammar.negators.at(self._lexemes, behind) is not None:
            return None  # "without a hood and without pockets": one of its own
        if phrase is not None:
            return self._item(negator, self._skip(item.end + phrase[0]), item.field)
        joint = self._lexemes[item.end].folded
        if joint == "," or joint in self._grammar.additions:
            following = self._item(negator, self._skip(item.end + 1), item.field)
            if following is None or following.field != item.field:
                return None
            return following if item.field is not None or joint != "," else None
        return None

    def _skip(self, index: int) -> int:
        """The token behind articles, prepositions and a further "nor" ("que no sea ni negra")."""
        while self._draft.free(index) and (
            self._lexemes[index].folded in self._grammar.skipped
            or self._grammar.alternatives.at(self._lexemes, index) is not None
        ):
            index += 1
        return index

    def _item(self, negator: int, index: int, field: str | None = None) -> Exclusion | None:
        """What is not wanted from a token on; `field` is that of the thing before it."""
        if not self._draft.free(index):
            return self._values.at(index, field) if self._values.is_named(index) else None
        if not self._is_word(index):
            return self._number(negator, index, field)
        known = self._values.at(index, field)
        if known is None:
            stops = self._lexemes[index].folded in self._grammar.stops
            if stops or opening_at(self._lexemes, index, self._grammar):  # "not between 20 and 40"
                return None
            return self._unknown_item(negator, index)
        follows_words = self._draft.words_before(negator)
        if known.field == "color" and follows_words and self._is_plain(known.end):
            return Exclusion(
                index, self._end_of_words(negator, known.end)
            )  # "without black stripes"
        if known.field == "category" and follows_words and self._is_part(negator, known):
            return Exclusion(index, known.end)  # "bed without mattress"
        return known

    def _number(self, negator: int, index: int, field: str | None) -> Exclusion | None:
        """A number that is not wanted: a value by itself ("not 38"), or a name that stands alone
        ("orwell without 1984"); none where the negation numbers ("no 5") or compares."""
        value, word = self._values.at(index, field), self._lexemes[negator].folded
        if value is not None and value.end > index + 1:  # "not 3/4"
            return value
        if word in self._grammar.sizes:
            return None
        end = index + 1
        alone = end == len(self._lexemes) or self._lexemes[end].kind == "other"
        joined = self._grammar.alternatives.at(self._lexemes, end) is not None
        if value is not None and value.field is not None and (alone or joined):
            return value
        named = alone and self._lexemes[index].kind == "number"
        if not named or word in self._grammar.comparisons.words:
            return None
        return value or Exclusion(index, end)

    def _is_part(self, negator: int, item: Exclusion) -> bool:
        """Whether a category is called like a part of what is wanted ("bed without mattress"), and
        does not lie within one that is ("femme sans robes")."""
        if not any(
            each.folded in self._grammar.lacking for each in self._lexemes[negator : item.start]
        ):
            return False
        named = (self._values.at(place, "category") for place in range(negator))
        parents = tuple(f"{value}/" for each in named if each for value in each.values)
        return not all(value.startswith(parents) for value in item.values)

    def _unknown_item(self, negator: int, index: int) -> Exclusion:
        if self._lexemes[index].folded in self._grammar.shades:
            color = color_at(self._lexemes, index + 1, self._grammar)
            if color is not None:  # "not light blue"
                return Exclusion(index, index + 1 + color[0])
        end = self._end_of_hyphens(index)
        if self._lexemes[negator].kind == "dash":
            return Exclusion(index, end)
        return Exclusion(index, self._end_of_words(negator, end))

    def _end_of_hyphens(self, index: int) -> int:
        """The token behind a word and those that hyphens tie to it ("garde-boue")."""
        end = index + 1
        while (
            self._draft.free(end, end + 2)
            and self._lexemes[end].kind == "dash"
            and self._lexemes[end].glued
            and self._lexemes[end + 1].glued
            and self._is_word(end + 1)
        ):
            end += 2
        return end

    def _end_of_words(self, negator: int, index: int) -> int:
        """Where a thing of several words ends that has begun before `index`.

        With nothing wanted before the negation, what names a thing of the shop is wanted after it
        ("no logo hoodie").
        """
        first, alone = index, not self._draft.words_before(negator)
        while self._is_plain(index) and index - first < MOST_WORDS - 1:
            term = self._analyzer.term(self._lexemes[index].folded)
            if alone and self._vocabulary.is_subject(term):
                break
            index += 1
        return index

    def _is_plain(self, index: int) -> bool:
        """Whether a word stands there that is neither grammar nor a known value."""
        return (
            self._draft.free(index)
            and self._is_word(index)
            and self._lexemes[index].folded not in self._grammar.stops
            and self._lexemes[index].folded not in self._grammar.additions
            and self._grammar.alternatives.at(self._lexemes, index) is None
            and self._grammar.negators.at(self._lexemes, index) is None
            and color_at(self._lexemes, index, self._grammar) is None
            and self._known.at(self._lexemes, index, self._analyzer) is None
        )

    def _is_word(self, index: int) -> bool:
        return self._lexemes[index].kind == "word"

    def _apply(
        self, negator: int, end: int, items: list[Exclusion], filtered: frozenset[str]
    ) -> None:
        text = self._draft.typed(negator, end)
        by_field: dict[str, list[str]] = {}
        for item in items:
            if item.field is not None and item.field not in filtered:
                by_field.setdefault(item.field, []).extend(item.values)
        texts = any(item.field is None for item in items)
        if by_field:
            applied = Applied(text, "negation", "filter", {"not": _any_of(by_field)})
        else:
            applied = Applied(text, "negation", "negative" if texts else "ignored", {})
        self._draft.take(negator, end, applied)


def _any_of(values: dict[str, list[str]]) -> dict[str, object]:
    fields = {
        field: listed[0] if len(listed) == 1 else list(dict.fromkeys(listed))
        for field, listed in values.items()
    }
    return dict(fields) if len(fields) == 1 else {"or": [{f: v} for f, v in fields.items()]}
