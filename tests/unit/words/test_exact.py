"""Exact keys: separators and case do not count."""

from __future__ import annotations

import pytest

from tests.unit.words.catalogue import ENGLISH, titled, vocabulary_of, words_of
from vitrine.products import Product
from vitrine.words import exact_key, exact_keys, query_words
from vitrine.words.exact import code_keys


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
    keys = ("mh01black", "04006381333931", "mh01xsblack", "mh01", "chazhoodie")
    without_zeros = ("mh1black", "mh1xsblack", "mh1")
    assert exact_keys(product) == keys + without_zeros


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("sku 12", "SKU000012"),
        ("31", "0031"),
        ("36000291452", "0036000291452"),
        ("986479c12", "0 986 479 C12"),
    ],
)
def test_a_code_is_found_without_the_zeros_that_fill_it_up(typed: str, code: str):
    assert exact_key(typed) in exact_keys(Product(id="p", title="Hat", codes=(code,)))
    assert exact_key(typed) not in exact_keys(Product(id="p", title=code))


def test_a_text_without_letters_or_of_great_length_equals_nothing():
    assert exact_key("--- !") == ""
    assert exact_key("long " * 100) == ""
    assert exact_keys(titled("long " * 100)[0]) == ("p0",)


def test_a_code_is_found_among_words():
    products = [
        Product(id=f"MH0{n}-Black", title="Hoodie", group_id=f"MH0{n}", category=("Hoodies",))
        for n in range(1, 6)
    ]
    for typed in ("MH03 hoodie", "hoodie mh03", "hoodie MH03-Black"):
        query = query_words(typed, vocabulary_of(products), ENGLISH)
        scores = [query.score(words_of(product)) for product in products]
        assert scores.index(max(scores)) == 2, typed
        assert query.subject


@pytest.mark.parametrize(
    "typed", ["isbn 978-0-14-103614-4", "ISBN: 9780141036144", "978 0 14 103614 4 paperback"]
)
def test_a_trade_number_is_found_among_words(typed: str):
    books = [Product(id=f"b{n}", title="Book", codes=(f"978-0-14-10361{n}-4",)) for n in range(6)]
    query = query_words(typed, vocabulary_of(books), ENGLISH)
    scores = [query.score(words_of(book)) for book in books]
    assert scores[4] > max(scores[:4] + scores[5:])


@pytest.mark.parametrize("code", ["1", "42", "2024", "red", "hoodie"])
def test_a_number_or_a_word_is_no_code_among_words(code: str):
    assert code_keys(Product(id=code, title="Hat")) == ()
