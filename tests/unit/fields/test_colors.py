"""Colors as shops write them become families."""

from __future__ import annotations

import pytest

from vitrine.fields import FAMILIES, families


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Red", "red"),
        ("Navy", "blue"),
        ("NAVY BLUE", "blue"),
        ("off-white", "white"),
        ("Off White", "white"),
        ("offwhite", "white"),
        ("Burgundy/Black", "red black"),
        ("Red, Blue & Green", "red green blue"),
        ("Lavender", "purple"),
        ("light-grey", "gray"),
        ("DarkSlateGray", ""),
        ("dark slate gray", "gray"),
        ("skyblue", "blue"),
        ("Rose Gold", "pink gold"),
        ("Rose", "pink"),
        ("Olive Green", "green"),
        ("Wine Red", "red"),
        ("Blood Orange", "orange"),
        ("Charcoal heather", "gray"),
        ("Teal", "green blue"),
        ("Khaki", "green beige"),
        ("Multi-Color", "multicolor"),
        ("Multicolour", "multicolor"),
        ("assorted", "multicolor"),
        ("Cream", "beige"),
        ("Silver", "silver"),
        ("Redwood", ""),
        ("Tired", ""),
        ("Greenland", ""),
        ("Blackberry", ""),
        ("1", ""),
        ("", ""),
        ("Rot", "red"),
    ],
)
def test_colour_words_name_their_families(written: str, expected: str) -> None:
    assert set(families([written])) == set(expected.split())


def test_families_come_once_and_in_one_order() -> None:
    assert families(["blue", "red"]) == families(["Crimson", "navy", "BLUE"]) == ("red", "blue")


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_its_own_word(family: str) -> None:
    assert families([family]) == (family,)
