"""Base64 as people and browsers send it."""

import base64

import pytest

from vitrine.images.base64_text import decode_base64

DATA = bytes(range(256))
PLAIN = base64.b64encode(DATA).decode()


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PLAIN.rstrip("="),
        base64.urlsafe_b64encode(DATA).decode(),
        base64.encodebytes(DATA).decode(),
        f"data:image/png;base64,{PLAIN}",
    ],
)
def test_every_usual_form_gives_the_same_bytes(text: str):
    assert decode_base64(text) == DATA


@pytest.mark.parametrize(
    ("text", "message"),
    [("!!!", "is not base64"), ("a", "is not base64"), ("data:image/png,abc", ";base64,")],
)
def test_anything_else_is_refused_in_words(text: str, message: str):
    with pytest.raises(ValueError, match=message):
        decode_base64(text)
