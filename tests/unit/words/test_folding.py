"""What differs only in case, accents, blanks or typography is equal after folding."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vitrine.words import fold


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("Äpfel", "apfel"),
        ("A\u0308pfel", "Äpfel"),
        ("ÉCLAIR", "eclair"),
        ("Straße", "STRASSE"),
        ("Café  Crème", "cafe\u0300 creme".replace("\u0300", "\u0301")),
        ("“red dress”", '"red dress"'),
        ("women’s", "women's"),
        ("T–Shirt", "t-shirt"),
        ("Men&#39;s &gt; Tops", "men's > tops"),
        ("EverCool&amp;trade; Tee", "evercool tee"),
        ("Cocona® Tee &amp; Short", "cocona tee & short"),
        ("ＦＵＬＬ　ｗｉｄｔｈ", "full width"),
        ("soft\u00adware", "software"),
        ("zero\u200bwidth", "zerowidth"),
        ("Smørrebrød", "smorrebrod"),
        ("ﬁne", "fine"),
        ("100×70", "100x70"),
    ],
)
def test_what_a_shopper_takes_for_the_same_folds_to_the_same(written: str, same: str):
    assert fold(written) == fold(same)


@pytest.mark.parametrize(
    ("first", "second"),
    [("が", "か"), ("कि", "का"), ("red", "rod"), ("AT&T", "ATT"), ("C++", "C"), ("5.5", "55")],
)
def test_what_is_another_word_stays_another_word(first: str, second: str):
    assert fold(first) != fold(second)


def test_an_entity_without_its_semicolon_is_text():
    assert fold("rock&reggae") == "rock&reggae"


@settings(deadline=None)
@given(st.text())
@example("&amp;amp;amp;lt;")
@example("ŉ")
@example("İ")
def test_folding_twice_changes_nothing(text: str):
    assert fold(fold(text)) == fold(text)


@settings(deadline=None)
@given(st.text(alphabet=st.characters(codec="latin-1")))
def test_case_does_not_matter(text: str):
    assert fold(text.upper()) == fold(text.upper().lower())
