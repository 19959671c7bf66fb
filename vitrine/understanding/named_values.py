"""Stock and values whose field is named in a query: "in stock", "size M or L", "not size M"."""

from __future__ import annotations

from collections.abc import Collection

from vitrine.understanding.draft import Draft
from vitrine.understanding.grammar import Grammar
from vitrine.understanding.known_values import KnownValues
from vitrine.understanding.result import Applied
from vitrine.words import Analyzer

__all__ = ["NamedValueReader", "read_stock"]


def read_stock(draft: Draft, grammar: Grammar, *, filtered: bool) -> None:
    """Take what is said of the stock; `filtered` says that the client filters by it itself."""
    for index in range(len(draft.lexemes)):
        phrase = grammar.stock.at(draft.lexemes, index)
        if phrase is None or not draft.free(index, index + phrase[0]):
            continue
        end = index + phrase[0]
        start = _with_negator(draft, grammar, index)
        text = draft.typed(start, end)
        stock = {"in_stock": (phrase[1] == "true") == (start == index)}
        applied = (
            Applied(text, "stock", "ignored", {})
            if filtered
            else Applied(text, "stock", "filter", stock)
        )
        draft.take(start, end, applied)


class NamedValueReader:
    """Takes values of fields that are `understood` and named."""

    def __init__(
        self,
        draft: Draft,
        *,
        grammar: Grammar,
        known: KnownValues,
        analyzer: Analyzer,
    ) -> None:
        self._draft = draft
        self._grammar = grammar
        self._known = known
        self._analyzer = analyzer

    def read(self, *, filtered: Collection[str]) -> None:
        """Take the values; `filtered` are the fields with a filter of the client's."""
        draft = self._draft
        for index in range(len(draft.lexemes)):
            for field, names in self._grammar.value_names.items():
                phrase = names.at(draft.lexemes, index)
                if phrase is None or self._grammar.comparisons.ending_at(draft.lexemes, index):
                    continue
                values, end = self._values_at(self._behind(index + phrase[0]), field)
                if not values or not draft.free(index, end):
                    continue
                meant = {field: values[0] if len(values) == 1 else values}
                start = _with_negator(draft, self._grammar, index)
                text = draft.typed(start, end)
                applied = Applied(text, "value", "filter", meant)
                if start < index:
                    applied = Applied(text, "negation", "filter", {"not": meant})
                if field in filtered:
                    applied = Applied(text, applied.kind, "ignored", {})
                draft.take(start, end, applied)

    def _behind(self, index: int) -> int:
        """The token behind a colon or a hyphen: "size: M", "size-M"."""
        sign = self._draft.lexemes[index : index + 1]
        return index + any(each.folded in ":=" or each.kind == "dash" for each in sign)

    def _values_at(self, start: int, field: str) -> tuple[list[str], int]:
        """The values of a field that are named from a token on, joined by "or", a slash or a comma,
        and the token behind them.

        Empty where a range begins ("size 38-40", "size 38 or more"): which values lie within it is
        not known.
        """
        values: list[str] = []
        position = end = start
        while True:
            value = self._value_at(position, field)
            if value is None:
                return values, end
            values += value[1]
            end = position + value[0]
            if self._begins_range(end, field):
                return [], end
            joint = self._grammar.alternatives.at(self._draft.lexemes, end)
            sign = any(each.folded in "/," for each in self._draft.lexemes[end : end + 1])
            position = end + (joint[0] if joint else 1)
            if not (joint or sign):
                return values, end

    def _value_at(self, index: int, field: str) -> tuple[int, tuple[str, ...]] | None:
        """How many tokens a value of the field takes there, and which values it may be."""
        known = self._known.at(self._draft.lexemes, index, self._analyzer)
        meant = (value.values for value in known[1] if value.field == field) if known else ()
        values = next(iter(meant), None)
        return None if known is None or values is None else (known[0], values)

    def _begins_range(self, end: int, field: str) -> bool:
        """Whether what is behind a value tells of others: "38-40", "38 to 40", "M to L", "38 or
        more", "M or larger"."""
        lexemes = self._draft.lexemes
        for phrases in (self._grammar.to, *(second for _, second in self._grammar.ranges)):
            until = phrases.at(lexemes, end)
            last = end + until[0] + 1 if until else 0
            if not (until and self._draft.free(end, last)):
                continue
            if lexemes[last - 1].kind == "number" or self._value_at(last - 1, field):
                return True
        if any(each.kind == "dash" and each.glued for each in lexemes[end : end + 1]):
            return True
        joint = self._grammar.alternatives.at(lexemes, end)
        further = lexemes[end + joint[0] : end + joint[0] + 1] if joint else []
        compared = self._grammar.comparisons_after.at(lexemes, end)
        if compared is not None and self._draft.free(end, end + compared[0]):
            return True  # else it is of a price: "size M and less than 50"
        return any(each.folded in self._grammar.stops for each in further)


def _with_negator(draft: Draft, grammar: Grammar, index: int) -> int:
    """Where the negator begins that ends before the token, the token itself without one."""
    negator = grammar.negators.ending_at(draft.lexemes, index)
    return index - negator if negator and draft.free(index - negator, index) else index
