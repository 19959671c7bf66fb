"""Messages of pydantic as an operator or a caller reads them."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import TypeAdapter, ValidationError

from vitrine.validation import plain_words


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (int, "high", "must be an integer"),
        (float, "high", "must be a number"),
        (bool, "perhaps", "must be a boolean: true or false"),
        (list[int], {}, "must be a list"),
        (dict[str, int], [], "must be an object"),
        (str, 3, "must be text"),
        (Annotated[int, Le(5)], 6, "must be at most 5"),
        (Annotated[float, Ge(5)], 4, "must be at least 5"),
        (Annotated[list[int], MinLen(1)], [], "must have at least 1 item, not 0"),
        (Annotated[str, MaxLen(1)], "ab", "must have at most 1 character"),
    ],
)
def test_messages_say_what_must_hold(kind: Any, value: object, words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(kind).validate_python(value)
    assert plain_words(refused.value.errors()[0]["msg"]) == words
