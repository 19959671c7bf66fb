"""What is typed is completed by what the catalogue calls its things."""

from __future__ import annotations

import random

import pytest

from vitrine.folding import fold
from vitrine.products import Product
from vitrine.words import Analyzer
from vitrine.words.phrases import PhraseCounts, phrases_from_bytes, phrases_to_bytes
from vitrine.words.suggestions import Suggester

PRODUCTS = [
    Product(
        id=f"{title}-{color}",
        title=title,
        brand=brand,
        category=(category,),
        color=(color,),
        colors=(color.lower(),),
    )
    for title, brand, category in [
        ("Chaz Kangeroo Hoodie", "Luma", "Men/Hoodies & Sweatshirts"),
        ("Teton Pullover Hoodie", "Luma", "Men/Hoodies & Sweatshirts"),
        ("Élan Maxi Dress", "Juniper Lane", "Women/Dresses"),
        ("Orla Wrap Dress", "Juniper Lane", "Women/Dresses"),
        ("Dash Digital Watch", "Luma", "Gear/Watches"),
    ]
    for color in ("Red", "Blue")
]


def _suggester(
    products: list[Product] = PRODUCTS, code: str = "en", understood: tuple[str, ...] = ()
) -> Suggester:
    counts = PhraseCounts(understood)
    counts.add(products)
    return Suggester(counts.phrases(), Analyzer(code))


def _texts(typed: str, **options) -> list[str]:
    return [suggestion.text for suggestion in _suggester().complete(typed, **options)]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("hood", "hoodie"),
        ("Wat", "watch"),
        ("juniper l", "Juniper Lane"),
        ("chaz", "chaz"),
        ("chaz ", "Chaz Kangeroo Hoodie"),
        ("hoodie teton", "hoodie teton"),
        ("elan", "elan"),
        ("red dre", "red dress"),
        ("blu", "blue"),
        ("dresss", "dress"),
        ("hodi", "hoodie"),
        ("kangaroo h", "kangaroo hoodie"),
    ],
)
def test_the_likeliest_completion_comes_first(typed: str, first: str):
    assert fold(_texts(typed)[0]) == fold(first)


def test_a_suggestion_says_what_it_is_and_how_many_products_have_it():
    found = {(s.kind, s.text, s.value, s.count) for s in _suggester().complete("dress")}
    assert ("category", "Dresses", "Women/Dresses", 4) in found
    assert ("title", "Orla Wrap Dress", None, 2) in found


@pytest.mark.parametrize("typed", ["", " ", "-", "zzz", "qwertz", "hoodie zzz"])
def test_what_completes_nothing_suggests_nothing(typed: str):
    assert _texts(typed) == []


def test_there_are_never_more_than_asked_for():
    assert len(_texts("d", limit=3)) == 3


def test_a_brand_or_category_is_not_said_twice_as_words():
    assert [text for text in _texts("juniper lane") if fold(text) == "juniper lane"] == [
        "Juniper Lane"
    ]


def test_phrases_do_not_depend_on_the_order_of_products():
    counts = PhraseCounts()
    counts.add(reversed(PRODUCTS))
    assert counts.phrases() == _suggester()._phrases


def test_every_title_suggested_has_every_word_that_was_typed():
    seed = random.randrange(1 << 32)
    rng = random.Random(seed)
    names = ["red", "wool", "hat", "scarf", "alba", "cove", "mini", "maxi"]
    products = [
        Product(id=str(n), title=" ".join(rng.choices(names, k=rng.randint(1, 4))))
        for n in range(60)
    ]
    suggester = _suggester(products)
    for _ in range(60):
        typed = " ".join(rng.choices(names, k=2))[: rng.randint(1, 9)]
        *whole, begun = typed.split()
        meant = {
            p.title
            for p in products
            if set(whole) <= set(p.title.split())
            and any(word.startswith(begun) for word in p.title.split())
        }
        if typed.endswith(" "):
            continue
        shown = {s.text for s in suggester.complete(typed, limit=200) if s.kind == "title"}
        assert shown == meant, (seed, typed)


def test_phrases_are_read_as_they_were_stored():
    counts = PhraseCounts()
    counts.add(PRODUCTS)
    assert phrases_from_bytes(phrases_to_bytes(counts.phrases())) == counts.phrases()
    for damaged in (b"", b"[[1]]", b"{"):
        with pytest.raises(ValueError, match="stored phrases are damaged"):
            phrases_from_bytes(damaged)


def test_an_empty_catalogue_suggests_nothing():
    assert _suggester([]).complete("dress") == ()


SHOP = [
    Product(id="1", title="Zündkerze 12 mm", brand="Liqui Moly", category=("Motor/Zündkerzen",)),
    Product(id="2", title="Zündkerze 14 mm", category=("Motor/Zündkerzen",)),
    Product(id="3", title="Halogenlampe für G-Klasse", category=("Licht",), color=("Weiß",)),
    Product(id="4", title="Öl", attributes={"author": ("Stephen King",), "size": ("M",)}),
]


def _german(typed: str) -> list[str]:
    return [s.text for s in _suggester(SHOP, "de", ("author", "size")).complete(typed)]


def test_words_are_written_as_the_shop_writes_them():
    assert _german("zu")[0] == "zündkerze"
    assert _german("wei") == ["weiß"]


@pytest.mark.parametrize("typed", ["fu", "für", "1", "m", "moly g"])
def test_stop_words_numbers_and_letters_are_no_suggestions(typed: str):
    assert not {"fur", "für", "12", "14", "m"} & {text.casefold() for text in _german(typed)}


def test_words_are_completed_behind_a_hyphen():
    assert "g-klasse" in _german("g-k")


def test_titles_that_differ_in_numbers_alone_are_one_suggestion():
    assert [t for t in _german("zünd") if t.startswith("Zündkerze ")] == ["Zündkerze 12 mm"]


def test_a_word_of_a_brand_alone_is_no_suggestion():
    assert _german("mol") == ["Liqui Moly"]


def test_values_of_understood_fields_complete_a_query():
    assert _german("kin") == ["Stephen King"]
    assert _suggester(SHOP, "de").complete("kin") == ()


def test_what_is_within_a_compound_finds_it():
    assert _german("lampe")[0] == "halogenlampe"


@pytest.mark.parametrize("typed", ["dress or", "dresses or"])
def test_words_before_the_last_may_be_singular_or_plural(typed: str):
    assert "Orla Wrap Dress" in _texts(typed)


def test_nothing_is_suggested_twice():
    names = ("Vin rouge", "Vin rouge fin")
    products = [Product(id=name, title=name, category=("Vins rouges",)) for name in names]
    texts = [s.text for s in _suggester(products, "fr").complete("vin r")]
    assert texts == ["Vin rouge", "Vin rouge fin", "Vins rouges"]
    assert "hoodie hoodie" not in _texts("hoodie h")


def test_a_color_is_called_as_the_shop_calls_it():
    counts = PhraseCounts((), {"red": "rouge"})
    counts.add([Product(id="1", title="Robe", color=("Bordeaux",), colors=("red",))])
    texts = {s.text for s in Suggester(counts.phrases(), Analyzer("fr")).complete("r")}
    assert texts == {"rouge", "Robe"}
