"""A query that cannot be answered is refused before anything is searched."""

from __future__ import annotations

import pytest

from vitrine.errors import InvalidQuery
from vitrine.queries import SearchQuery, WeightedText


@pytest.mark.parametrize(("text", "literal"), [("dress \ud800", ()), ("dress", ("\udfff",))])
def test_half_of_a_surrogate_pair_is_no_text(text: str, literal: tuple[str, ...]):
    with pytest.raises(InvalidQuery, match="text: holds half of a surrogate pair"):
        SearchQuery(texts=(WeightedText(text),), literal=literal)
