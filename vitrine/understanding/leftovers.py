"""What is left of a query when its grammar is taken out."""

from __future__ import annotations

from vitrine.understanding.draft import Draft
from vitrine.understanding.grammar import Grammar

__all__ = ["leftover_text"]


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
