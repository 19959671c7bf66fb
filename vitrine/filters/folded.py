"""The forms in which texts of filters and of products are compared."""

from __future__ import annotations

import re

from vitrine.fields.schema import Field, FieldType
from vitrine.folding import fold

__all__ = ["folded_value", "folded_words", "is_folded", "words"]

_BETWEEN_LEVELS = re.compile("[/>»]")
"""As catalogues write paths (`vitrine.fields.scalars.parse_paths`)."""


def words(text: str) -> tuple[str, ...]:
    """The words of a text as TEXT conditions compare them: casefolded runs of letters, digits and
    underscores."""
    return tuple(re.findall(r"\w+", text.casefold()))


def is_folded(field: Field) -> bool:
    """Whether values of the field are equal when their folded forms are: all texts but ids."""
    return field.type in (FieldType.KEYWORD, FieldType.COLOR, FieldType.PATH) and field.name != "id"


def folded_value(field: Field, text: str) -> str:
    """The form in which values of a KEYWORD, COLOR or PATH field are compared.

    >>> folded_value(Field("category", FieldType.PATH), "Clothing > Robes d'Été")
    "clothing/robes d'ete"
    """
    if field.type is not FieldType.PATH:
        return fold(text)
    levels = (fold(level) for level in _BETWEEN_LEVELS.split(text))
    return "/".join(level for level in levels if level)


def folded_words(text: str) -> tuple[str, ...]:
    """The words of a text in the form in which TEXT conditions compare them."""
    return tuple(re.findall(r"\w+", fold(text)))
