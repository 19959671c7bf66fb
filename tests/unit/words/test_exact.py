"""Exact keys: separators and case do not count."""

from __future__ import annotations

import pytest

from tests.unit.words.catalogue import titled
from vitrine.products import Product
from vitrine.words import exact_key, exact_keys


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("mh01 black", "MH01-Black"),
        ("MH01_BLACK", "MH01-Black"),
        ("24 mb 02", "24-MB02"),
        ("4 006381 333931", "4006381333931"),
        ("036000291452", "0036000291452"),
        ("chaz  kangeroo hoodie ", "Chaz Kangeroo Hoodie"),
        ("logan heattec tee", "Logan  HeatTec&reg; Tee"),
    ],
)
def test_a_code_is_found_as_it_is_typed(typed: str, code: str):
    assert exact_key(typed) == exact_key(code) != ""


@pytest.mark.parametrize(
    ("typed", "code"), [("MH01", "MH01-Black"), ("1", "01"), ("12", "00000000000012")]
)
def test_another_code_is_not_found(typed: str, code: str):
    assert exact_key(typed) != exact_key(code)


def test_a_product_is_known_by_id_codes_title_and_group():
    product = Product(
        id="MH01-Black",
        title="Chaz Hoodie",
        group_id="MH01",
        codes=("4006381333931", "MH01-XS-Black"),
    )
    keys = ("mh01black", "04006381333931", "mh01xsblack", "chazhoodie", "mh01")
    assert exact_keys(product) == keys


def test_a_text_without_letters_or_of_great_length_equals_nothing():
    assert exact_key("--- !") == ""
    assert exact_key("long " * 100) == ""
    assert exact_keys(titled("long " * 100)[0]) == ("p0",)
