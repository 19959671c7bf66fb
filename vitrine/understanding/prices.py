"""Prices in a query: below, above, between, and what a range of amounts means."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vitrine.understanding.amounts import Amount, amount_at, currency_at
from vitrine.understanding.catalogue_words import CatalogueWords
from vitrine.understanding.draft import Draft
from vitrine.understanding.grammar import Grammar
from vitrine.understanding.known_values import KnownValues
from vitrine.understanding.phrases import Phrases
from vitrine.understanding.price_doubts import PriceDoubts
from vitrine.understanding.result import Applied, Effect

__all__ = ["read_prices"]

_SIGNS = {"<": "lt", "<=": "lte", "≤": "lte", ">": "gt", ">=": "gte", "≥": "gte"}
_OPPOSITES = {"lt": "gte", "lte": "gt", "gt": "lte", "gte": "lt"}
AROUND = 0.25
"""A price around an amount is at most this part of it below or above."""


@dataclass(frozen=True, slots=True)
class _Price:
    """A price found in a query: its bounds by operator, the currencies they may be in, its tokens
    from start to end, and how many tokens before lead to it ("costing")."""

    bounds: dict[str, float]
    currencies: tuple[str, ...]
    start: int
    end: int
    lead: int = 0


def read_prices(
    draft: Draft,
    grammar: Grammar,
    *,
    known: KnownValues,
    words: CatalogueWords,
    filtered: bool,
) -> None:
    """Take the prices of a query out of its words.

    `known` and `words` are the catalogue's values and words, `filtered` says that the client
    filters by price itself. What contradicts an earlier price of the query is left among the words.
    """
    reader = _Reader(draft, grammar, known, words)
    low, high = float("-inf"), float("inf")
    index = 0
    while index < len(draft.lexemes):
        price = reader.at(index)
        if price is None or not draft.free(price.start - price.lead, price.end):
            index += 1
            continue
        bounds = price.bounds
        low = max(low, bounds.get("gt", low), bounds.get("gte", low))
        high = min(high, bounds.get("lt", high), bounds.get("lte", high))
        if low > high:
            return
        text = draft.typed(price.start, price.end)
        effect, filter_ = _effect(price, known.currencies, filtered)
        draft.take(price.start - price.lead, price.end, Applied(text, "price", effect, filter_))
        index = price.end


def _effect(
    price: _Price, currencies: frozenset[str], filtered: bool
) -> tuple[Effect, dict[str, object]]:
    meant = sorted(currencies.intersection(price.currencies))
    if filtered or (price.currencies and currencies and not meant):
        return "ignored", {}
    bounds = {
        operator: int(value) if value.is_integer() else value
        for operator, value in price.bounds.items()
    }
    if price.currencies and len(currencies) > 1:
        return "filter", {"price": bounds, "currency": meant[0] if len(meant) == 1 else meant}
    return "filter", {"price": bounds}


class _Reader:
    def __init__(
        self, draft: Draft, grammar: Grammar, known: KnownValues, words: CatalogueWords
    ) -> None:
        self._draft = draft
        self._words = words
        self._doubts = PriceDoubts(draft, grammar, known, words)
        self._lexemes = draft.lexemes
        self._grammar = grammar

    def at(self, index: int) -> _Price | None:
        """The price that begins at a token, with the words before it that lead to it."""
        price = (
            self._between(index)
            or self._compared(index)
            or self._range(index)
            or self._compared_after(index)
        )
        return None if price is None else self._negated(self._with_lead(price))

    def _amount(self, index: int) -> Amount | None:
        amount = amount_at(self._lexemes, index, self._grammar)
        if amount is None or not amount.is_bare:
            return amount
        said = (each for each in self._lexemes[index : amount.end] if each.kind == "word")
        if any(self._words.names(each.folded) for each in said):
            return None  # "4k" or "five" where the catalogue has it in names
        return amount

    def _between(self, index: int) -> _Price | None:
        for first, second in self._grammar.ranges:
            opening = first.at(self._lexemes, index)
            low = self._amount(index + opening[0]) if opening else None
            joint = self._second(second, low.end) if low else 0
            high = self._amount(low.end + joint) if low and joint else None
            if low and high and not (low.looks_like_a_year and high.looks_like_a_year):
                sized = index > 0 and self._lexemes[index - 1].folded in self._grammar.sizes
                if not (sized and low.is_bare and high.is_bare):
                    return _range(low, high, index)
        return None

    def _second(self, phrases: Phrases, index: int) -> int:
        """How many tokens the second half of "between ... and" takes, or a dash for it."""
        phrase = phrases.at(self._lexemes, index)
        if phrase is not None:
            return phrase[0]
        return int(index < len(self._lexemes) and self._lexemes[index].kind == "dash")

    def _range(self, index: int) -> _Price | None:
        low = self._amount(index)
        joint = self._joint(low.end) if low else 0
        high = self._amount(low.end + joint) if low and joint else None
        if low is None or high is None:
            return None
        if low.is_bare and high.is_bare:
            said = (self._lexemes[index], self._lexemes[low.end + joint])
            unknown = self._lexemes[low.end].kind == "word" and self._doubts.are_unknown(*said)
            if not self._is_named(index) and not (unknown and high.end == len(self._lexemes)):
                return None
        if self._doubts.ends_name(index, low) and self._grammar.comparisons.at(
            self._lexemes, low.end
        ):
            return None  # "filter golf 7 bis 10 euro"
        return _range(low, high, index)

    def _joint(self, index: int) -> int:
        """How many tokens the dash or "to" between two amounts takes, 0 where there is none."""
        if index < len(self._lexemes) and self._lexemes[index].kind == "dash":
            return 1
        phrase = self._grammar.to.at(self._lexemes, index)
        return phrase[0] if phrase else 0

    def _is_named(self, index: int) -> bool:
        return any(
            tuple(lexeme.folded for lexeme in self._lexemes[index - length : index])
            in self._grammar.names
            for length in (1, 2)
            if length <= index
        )

    def _compared(self, index: int) -> _Price | None:
        lexeme = self._lexemes[index]
        words: tuple[str, ...] = ()
        if lexeme.kind == "comparison":
            length, operator, weak = 1, _SIGNS[lexeme.folded], False
        else:
            phrase = self._grammar.comparisons.at(self._lexemes, index)
            if phrase is None:
                return None
            length, operator = phrase
            words = tuple(each.folded for each in self._lexemes[index : index + length])
            weak = words in self._grammar.weak or operator == "around"
        start = index + length
        if start < len(self._lexemes) and self._lexemes[start].folded in self._grammar.articles:
            start, weak = start + 1, True  # "desde los 8 euros"
        amount = self._amount(start)
        if amount is None or self._goes_on(amount):
            return None
        if amount.is_bare and self._doubts.on_comparison(words, index, amount, weak=weak):
            return None
        bounds = {operator: amount.value}
        if operator == "around":
            least, most = amount.value * (1 - AROUND), amount.value * (1 + AROUND)
            bounds = {"gte": round(least, 2), "lte": round(most, 2)}
        again = self._after(self._grammar.comparisons_after, amount)  # "from 10 and up"
        end = amount.end + (again[0] if again and again[1][0] == operator[0] else 0)
        return _Price(bounds, amount.currencies, index, end)

    def _goes_on(self, amount: Amount) -> bool:
        """Whether the amount is the first of two that are no range of prices ("from 20 to 40
        cm")."""
        joint = self._joint(amount.end)
        following = amount.end + joint
        return bool(joint) and (
            following < len(self._lexemes) and self._lexemes[following].kind == "number"
        )

    def _compared_after(self, index: int) -> _Price | None:
        amount = self._amount(index)
        phrase = self._after(self._grammar.comparisons_after, amount)
        if amount is None or phrase is None:
            return None
        end, operator = amount.end + phrase[0], phrase[1]
        words = tuple(lexeme.folded for lexeme in self._lexemes[amount.end : end])
        length, following = currency_at(self._lexemes, end, self._grammar)
        if amount.is_bare and following:  # 30+ dollars
            return _Price({operator: amount.value}, following, index, end + length)
        if amount.is_bare and (words in self._grammar.weak or not self._doubts.closes(end)):
            return None
        if amount.is_bare and self._doubts.names_model(words, index, amount):
            return None
        return _Price({operator: amount.value}, amount.currencies, index, end)

    def _after(self, phrases: Phrases, amount: Amount | None) -> tuple[int, str] | None:
        return phrases.at(self._lexemes, amount.end) if amount else None

    def _negated(self, price: _Price) -> _Price | None:
        """The price with a negation before it: "not cheaper than 50" is 50 at least, and what is
        not within a range is none."""
        start = price.start - price.lead
        negator = self._grammar.negators.ending_at(self._lexemes, start)
        if not negator or not self._draft.free(start - negator, start):
            return price
        if len(price.bounds) > 1:
            return None
        ((operator, value),) = price.bounds.items()
        bounds = {_OPPOSITES[operator]: value}
        return replace(price, bounds=bounds, start=start - negator, lead=0)

    def _with_lead(self, price: _Price) -> _Price:
        colon = int(price.start > 0 and self._lexemes[price.start - 1].folded == ":")
        for length in (3, 2, 1):
            start = price.start - colon - length
            if self._draft.free(start, price.start):
                phrase = self._grammar.lead.at(self._lexemes, start)
                if phrase is not None and phrase[0] == length:
                    return replace(price, lead=length + colon)
        return price


def _range(low: Amount, high: Amount, start: int) -> _Price:
    least, most = sorted((low.value, high.value))
    named = low.currencies or high.currencies
    return _Price({"gte": least, "lte": most}, named, start, high.end)
