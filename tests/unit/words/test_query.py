"""What the words of a query ask for, and what they only prefer."""

from __future__ import annotations

import io
import random
from dataclasses import replace

import numpy as np
import pytest

from tests.unit.words.catalogue import ENGLISH, titled, vocabulary_of, words_of
from vitrine.products import Product
from vitrine.words import (
    Analyzer,
    DocumentWords,
    Postings,
    QueryWords,
    Vocabulary,
    is_known,
    query_words,
    term_id,
    unknown_terms,
    unknown_words,
)
from vitrine.words.language import language

PRODUCTS = titled("red hat", "blue hat", "red scarf", "green glove")
VOCABULARY = vocabulary_of(PRODUCTS)
RED_HAT, BLUE_HAT, RED_SCARF, GLOVE = map(words_of, PRODUCTS)


def core_score(query: QueryWords, document: DocumentWords) -> float:
    """The words score of one product by core words."""
    return replace(query, weights=query.core).score(document)


def test_a_preferred_word_raises_and_never_lowers_the_others():
    asked = query_words("hat", VOCABULARY, ENGLISH)
    preferred = query_words("red hat", VOCABULARY, ENGLISH, preferred=("red",))
    assert preferred.score(RED_HAT) > preferred.score(BLUE_HAT)
    assert preferred.score(BLUE_HAT) == pytest.approx(asked.score(BLUE_HAT))
    assert preferred.score(RED_SCARF) < 0.5 * preferred.score(BLUE_HAT)


def test_core_scores_leave_preferences_out():
    query = query_words("red hat", VOCABULARY, ENGLISH, preferred=("red",))
    assert core_score(query, RED_HAT) == pytest.approx(core_score(query, BLUE_HAT))
    assert core_score(query, RED_SCARF) == 0


def test_preferences_alone_are_what_is_asked_for():
    query = query_words("red", VOCABULARY, ENGLISH, preferred=("red",))
    assert core_score(query, RED_SCARF) > 0 == core_score(query, GLOVE)


def test_a_preference_for_an_unknown_thing_finds_nothing():
    query = query_words("red refrigerator", VOCABULARY, ENGLISH, preferred=("red",))
    assert query.empty
    assert query.score(RED_HAT) == 0


def test_the_catalogues_own_name_of_a_color_can_be_added():
    query = query_words("rotes hat", VOCABULARY, ENGLISH, preferred=("rotes",), extra=("red",))
    assert query.score(RED_HAT) > query.score(BLUE_HAT) > 0


def test_postings_score_as_single_documents_do():
    seed = random.randrange(1 << 32)
    rng = random.Random(seed)
    names = ["red", "blue", "hat", "scarf", "glove", "wool", "silk"]
    listed = titled(*(" ".join(rng.choices(names, k=rng.randint(1, 5))) for _ in range(50)))
    documents, vocabulary = [words_of(p) for p in listed], vocabulary_of(listed)
    postings = Postings.of(documents)
    for _ in range(30):
        text = " ".join(rng.choices([*names, "zeppelin"], k=3))
        query = query_words(text, vocabulary, ENGLISH, preferred=("red", "blue"))
        scores = [query.score(document) for document in documents]
        core = [core_score(query, document) for document in documents]
        assert np.allclose(postings.scores(query), scores, rtol=1e-12), f"seed {seed}"
        assert np.allclose(postings.core_scores(query), core, rtol=1e-12), f"seed {seed}"


def test_a_word_of_a_product_written_after_the_counting_counts_as_the_rarest_do():
    newer = words_of(*titled("zorblax hat"))
    terms = unknown_terms(["Zorblax for a red hat"], VOCABULARY, ENGLISH)
    assert terms == {term_id("zorblax")}
    vocabulary = VOCABULARY.with_newer(terms)
    query = query_words("hat by zorblax", vocabulary, ENGLISH)
    assert query_words("hat by zorblax", VOCABULARY, ENGLISH).score(newer) < query.score(newer) <= 1
    assert query.score(newer) == pytest.approx(2 * query.score(RED_HAT))
    assert vocabulary.idf("zorblax") == VOCABULARY.idf("green")
    assert is_known("zorblax", vocabulary, ENGLISH) > is_known("zorblax", VOCABULARY, ENGLISH)


def test_terms_that_no_product_has_leave_a_vocabulary_as_it_is():
    assert not unknown_terms(["red hats", ""], VOCABULARY, ENGLISH)
    vocabulary = VOCABULARY.with_newer([])
    assert vocabulary.term_count("hat") == 2
    assert vocabulary.term_count("zorblax") == 0


def test_a_word_of_letters_and_digits_is_found_where_products_write_it_apart():
    phones = titled("iPhone 13", "iPhone 14")
    query = query_words("iphone13", vocabulary_of(phones), ENGLISH)
    first, second = (query.score(words_of(phone)) for phone in phones)
    assert first > second > 0


def test_a_compound_whose_head_nobody_sells_names_nothing():
    shop = vocabulary_of(titled("Clear Phone", "Phone Case"))
    assert query_words("clear phone", shop, ENGLISH).subject
    assert query_words("phone box", shop, ENGLISH).other_kind
    assert query_words("phone for my friend", shop, ENGLISH).subject


def test_the_halves_of_a_word_count_alike_and_are_no_thing():
    torches = titled("Head Torch", "Snow Boot")
    covers = Product(id="p", title="x", category=("Phones/Covers", "Boots"))
    shop = vocabulary_of([*torches, covers, *titled("Red Boot", "Blue Boot")])
    query = query_words("headphones", shop, ENGLISH)
    assert query.other_kind
    assert query.score(words_of(torches[0])) < 0.5
    snow = query_words("snowboot", shop, ENGLISH)
    assert snow.score(words_of(torches[1])) > 0.8
    assert len(set(snow.core[snow.core > 0])) == 1
    torch = query_words("torchboot", shop, ENGLISH)
    assert core_score(torch, words_of(torches[0])) == 0 < torch.score(words_of(torches[0]))
    for text in ("snow boot", "red boot", "phone", "torchboot"):
        assert query_words(text, shop, ENGLISH).subject


def test_a_part_of_letters_that_is_a_stop_word_is_left_out():
    french = Analyzer("fr")
    cables = titled("Câble 2 m", "Câble 3 m")
    query = query_words("câble 2m", vocabulary_of(cables, french), french)
    first, second = (query.score(words_of(cable, french)) for cable in cables)
    assert first > second > 0


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("wrench 850 watt", "Wrench 850W"),
        ("dtw 285 z", "Wrench DTW285Z"),
        ("galaxy s 24", "Galaxy S24"),
        ("usb c", "Cable USB-C"),
    ],
)
@pytest.mark.parametrize("code", ["en", "fr"])  # a single s or c is a stop word in French
def test_a_number_of_a_model_may_be_typed_apart(typed: str, title: str, code: str):
    analyzer = Analyzer(code)
    products = titled(title, "Cable USB-A 24", "Galaxy A24", "Wrench 285")
    query = query_words(typed, vocabulary_of(products, analyzer), analyzer)
    scores = [query.score(words_of(product, analyzer)) for product in products]
    assert scores[0] > max(scores[1:])


GERMAN = Analyzer("de")
TOOLS = titled(
    "Schutzhelm",
    "Helmut Fahne",
    "Durchmesser",
    "Schwein",
    "Trittleiter",
    "Leiter",
    "Gartentisch",
    "Ölfilter",
    "Genuss",
)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("Helme", ["Schutzhelm"]),
        ("Tisch", ["Gartentisch"]),
        ("Leiter", ["Trittleiter", "Leiter"]),
        ("Messer", []),
        ("Wein", []),
        ("Filter", ["Ölfilter"]),
        ("Nuss", []),
    ],
)
def test_compounds_are_found_by_what_they_end_with(typed: str, expected: list[str]):
    vocabulary = vocabulary_of(TOOLS, GERMAN)
    query = query_words(typed, vocabulary, GERMAN)
    scores = [query.score(words_of(tool, GERMAN)) for tool in TOOLS]
    assert [tool.title for tool, score in zip(TOOLS, scores, strict=True) if score > 0] == expected
    assert query.subject == bool(expected)
    assert is_known(typed.casefold(), vocabulary, GERMAN) == bool(expected)
    assert max(scores) <= 1


def test_a_compound_is_found_by_its_words_in_either_order():
    vocabulary = vocabulary_of(TOOLS, GERMAN)
    for typed in ("Garten Tisch", "Tisch Garten"):
        query = query_words(typed, vocabulary, GERMAN)
        assert query.score(words_of(titled("Gartentisch")[0], GERMAN)) > 0.8
        assert is_known("garten", vocabulary, GERMAN, around=typed.casefold().split())
    assert not is_known("garten", vocabulary, GERMAN)


def test_a_compound_of_another_thing_with_the_same_stem_is_not_found():
    bowls = titled("Obstschale", "Obstschalen", "Wollschal", "Schale")
    query = query_words("Schal", vocabulary_of(bowls, GERMAN), GERMAN)
    assert [query.score(words_of(bowl, GERMAN)) > 0 for bowl in bowls] == [
        False,
        False,
        True,
        False,
    ]


def test_inflected_compounds_are_found_by_the_endings_that_the_catalogue_has():
    tables = titled("Gartentische", "Steine")
    query = query_words("Tisch", vocabulary_of(tables, GERMAN), GERMAN)
    assert query.score(words_of(tables[0], GERMAN)) > 0
    assert query_words("Tisch", vocabulary_of(tables[:1], GERMAN), GERMAN).empty


@pytest.mark.parametrize(("lamps", "found"), [(1, True), (3, False)])
def test_a_compound_with_a_smaller_category_of_its_own_is_another_thing(lamps: int, found: bool):
    standing = Product(id="1", title="Leselampe", category=("Leselampen",))
    longer = Product(id="2", title="Klemmleselampe", category=("Leselampen",))
    others = [Product(id=f"l{n}", title="Lampe") for n in range(lamps)]
    query = query_words("Lampe", vocabulary_of([standing, longer, *others], GERMAN), GERMAN)
    assert (core_score(query, words_of(standing, GERMAN)) > 0) == found
    assert (core_score(query, words_of(longer, GERMAN)) > 0) == found
    assert query.score(words_of(longer, GERMAN)) > 0


def test_compounds_of_a_word_come_behind_it_and_count():
    ladders = titled("Leiter", "Trittleiter", "Leiter aus Holz", "Leiter")
    query = query_words("Leiter", vocabulary_of(ladders, GERMAN), GERMAN)
    word, compound, longer, _ = (words_of(ladder, GERMAN) for ladder in ladders)
    assert query.score(word) > query.score(longer) > query.score(compound)
    assert core_score(query, compound) == query.score(compound) > query.score(word) / 2


def test_compounds_written_apart_are_not_taken_apart():
    query = query_words("helmet", vocabulary_of(titled("Schutzhelmet")), ENGLISH)
    assert query.empty


@pytest.mark.parametrize(
    ("code", "typed", "titles"),
    [
        ("en", "water bottle", ("Steel Bottle", "Glass Bottle", "Bottle", "Water Filter")),
        (
            "en",
            "a bottle for the water",
            ("Steel Bottle", "Glass Bottle", "Bottle", "Water Filter"),
        ),
        ("fr", "bouteille d'eau", ("Bouteille bleue", "Bouteille", "Bouteille", "Filtre eau")),
    ],
)
def test_the_word_that_names_the_thing_weighs_no_less_than_one_that_describes_it(
    code: str, typed: str, titles: tuple[str, ...]
):
    analyzer = Analyzer(code)
    products = titled(*titles)
    query = query_words(typed, vocabulary_of(products, analyzer), analyzer)
    scores = [query.score(words_of(product, analyzer)) for product in products]
    assert min(scores[:3]) >= scores[3] > 0


def test_a_head_that_only_prose_knows_in_another_form_names_nothing():
    shop = [*titled("Coffee"), Product(id="c", title="Capsules", description="Fit all machines")]
    assert not query_words("coffee machine", vocabulary_of(shop), ENGLISH).subject


def test_a_compound_may_hold_linking_words_and_end_before_others():
    french = Analyzer("fr")
    shop = vocabulary_of(titled("Café"), french)
    assert not query_words("moulin à café", shop, french).subject
    assert query_words("café pour mon ami", shop, french).subject
    assert not query_words("coffee table for you", vocabulary_of(titled("Coffee")), ENGLISH).subject


def test_a_thing_that_is_lacking_is_lacking_whomever_it_is_for():
    shop = vocabulary_of([Product(id="1", title="Tee", category=("Men/Tees",))])
    assert query_words("show me hammocks for men", shop, ENGLISH).other_kind
    assert query_words("tees for men", shop, ENGLISH).subject
    assert query_words("for men", shop, ENGLISH).subject
    gift = query_words("gift for a tees lover", shop, ENGLISH, preferred=("gift",), vague=True)
    assert not gift.other_kind


@pytest.mark.parametrize(
    ("code", "typed"),
    [
        ("en", "I would like a vase"),
        ("en", "help me find a vase"),
        ("en", "I am searching for a vase"),
        ("en", "give me a vase made in Italy"),
        ("de", "Ich hätte gern eine Vase"),
        ("de", "gibt es Vasen"),
        ("fr", "j'ai besoin d'un vase"),
        ("fr", "montrez-moi des vases faits en Italie"),
        ("fr", "aidez-moi à trouver un vase"),
        ("es", "me gustaría un vase"),
        ("es", "ayúdame a encontrar un vase"),
    ],
)
def test_how_a_thing_is_asked_for_names_none(code: str, typed: str):
    analyzer = Analyzer(code)
    (vase,) = titled("Vase")
    query = query_words(typed, vocabulary_of([vase], analyzer), analyzer)
    assert query.subject
    assert query.score(words_of(vase, analyzer)) > 0.8


@pytest.mark.parametrize(
    ("code", "typed", "thing", "other"),
    [
        ("en", "ukulele", "Concert Ukulele Spruce Top Natural", "Strap for Ukulele"),
        ("de", "Tasche", "Schwarze Tasche aus weichem Leder", "Gurt für Tasche"),
        ("fr", "ukulélé", "Ukulélé de concert en acajou massif", "Sangle pour ukulélé"),
    ],
)
def test_what_a_title_says_a_thing_is_for_comes_behind_the_thing(
    code: str, typed: str, thing: str, other: str
):
    analyzer = Analyzer(code)
    listed = titled(thing, other)
    query = query_words(typed, vocabulary_of(listed, analyzer), analyzer)
    first, second = (query.score(words_of(product, analyzer)) for product in listed)
    assert first > second > 0


CAMPING = [
    Product(id="1", title="Down Sleeping Bag", category=("Camping/Sleeping Bags",)),
    Product(id="2", title="Chalk Bag", category=("Climbing",), description="Keeps hands dry."),
    Product(id="3", title="Ridge Jacket", category=("Clothing/Jackets & Pants",)),
    Product(id="4", title="Merino T-Shirt", category=("Clothing/Men's T-Shirts",)),
    Product(id="6", title="Hiking Boots", category=("Footwear/Women's Winter Boots",)),
]


@pytest.mark.parametrize(
    ("text", "sold"),
    [
        ("camera bag", False),
        ("sleeping bag", False),
        ("dry bag", True),
        ("cheap bag", True),
        ("insulated bag", True),
        ("crush-proof bag", True),
        ("crush proof bag", False),
        ("orange bag", True),
        ("tartan bag", True),
        ("bag for my camera", True),
        ("bomber jacket", True),
        ("cargo pants", False),
        ("camping t-shirt", True),
        ("wedding boots", True),
    ],
)
def test_a_kind_may_be_lacking_where_its_head_names_no_category(text: str, sold: bool):
    listed = [*CAMPING, Product(id="5", title="Trousers", category=("Clothing/Ski Pants",))]
    if text == "cargo pants":
        listed[2] = replace(listed[2], category=("Clothing/Jackets",))
    query = query_words(text, vocabulary_of(listed), ENGLISH)
    assert (query.subject, query.other_kind) == (sold, not sold)


def test_a_category_names_each_kind_that_it_joins_by_a_word():
    jacket = replace(CAMPING[2], category=("Jackets and Pants",))
    shop = vocabulary_of([*CAMPING[:2], jacket, *CAMPING[3:]])
    assert query_words("bomber jacket", shop, ENGLISH).subject


def test_the_kinds_of_a_category_are_joined_by_the_words_of_its_language():
    assert language("es").parts_of("Faldas y Vestidos, Tops") == ["faldas", "vestidos", "tops"]
    assert language("fr").parts_of("Sacs et valises") == ["sacs", "valises"]
    assert language("en").parts_of("Candy Handbags") == ["candy handbags"]
    assert language("en").parts_of("Bags &amp; Belts") == ["bags", "belts"]
    assert language("en").parts_of("&") == ["&"]


@pytest.mark.parametrize("text", ["cat food", "dog food", "dry food", "cheap dog", "dog bed"])
def test_a_thing_for_another_one_that_is_sold_may_be_lacking(text: str):
    pets = [
        Product(id="1", title="Dry Dog Food", category=("Pets/Dogs",)),
        Product(id="2", title="Tree", category=("Pets/Cats",)),
        Product(id="3", title="Bed", category=("Beds",)),
    ]
    query = query_words(text, vocabulary_of(pets), ENGLISH)
    assert query.other_kind == (text in ("cat food", "dog food"))
    if query.other_kind:
        assert (query.weights == query.core).all()  # a category is no other half of the words


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("boots with crossed laces", False),
        ("boots for crossed laces", False),
        ("boots with wool laces", True),
        ("crossed laces boots", True),
        ("laces with crossed boots", True),
    ],
)
def test_what_describes_a_thing_in_words_that_no_product_has_hides_nothing(text: str, hidden: bool):
    laced = Product(id="1", title="Boots", description="Wool, with laces.")
    plain = replace(laced, id="2", description=None)
    query = query_words(text, vocabulary_of([laced, plain]), ENGLISH)
    assert query.score(words_of(laced)) > query.score(words_of(plain))
    assert (core_score(query, words_of(laced)) > core_score(query, words_of(plain))) == hidden


@pytest.mark.parametrize("text", ["boots for 2 princes", "boots with 300 studs"])
def test_numbers_of_what_no_product_has_hide_nothing(text: str):
    boots = Product(id="1", title="Boots")
    query = query_words(text, vocabulary_of([boots]), ENGLISH)
    assert query.score(words_of(boots)) > 0.8


def test_how_a_thing_is_hides_nothing_where_no_product_says_it():
    boots = titled("Boots", "Cozy Boots")
    query = query_words("lovely boots", vocabulary_of(boots), ENGLISH)
    assert query.score(words_of(boots[0])) > 0.8
    query = query_words("cozy boots", vocabulary_of(boots), ENGLISH)
    assert query.score(words_of(boots[0])) < 0.6


def test_what_lies_below_a_category_has_its_name_where_the_title_says_it():
    pasta = Product(id="1", title="Spaghetti", category=("Food/Pasta",))
    oats = replace(pasta, id="2", title="Breakfast Food")
    assert query_words("dog food", vocabulary_of([pasta]), ENGLISH).other_kind
    assert query_words("dog pasta", vocabulary_of([pasta]), ENGLISH).subject
    assert query_words("dog food", vocabulary_of([pasta, oats]), ENGLISH).subject


def test_a_catalogue_without_categories_is_asked_for_any_kind_of_its_things():
    flat = vocabulary_of([replace(product, category=()) for product in CAMPING])
    assert query_words("camera bag", flat, ENGLISH).subject


def test_a_vocabulary_of_an_earlier_release_knows_no_kinds():
    stored = vocabulary_of(CAMPING).to_bytes()
    with np.load(io.BytesIO(stored)) as packed:
        older = {name: packed[name] for name in packed if name != "kind_counts"}
    rewritten = io.BytesIO()
    np.savez_compressed(rewritten, **older)
    assert not Vocabulary.from_bytes(stored).is_kind("bag")
    assert Vocabulary.from_bytes(rewritten.getvalue()).is_kind("bag")


@pytest.mark.parametrize(
    ("code", "text", "sold"),
    [
        ("fr", "casque de moto", False),
        ("fr", "casque confortable", True),
        ("fr", "casque de qualité", True),
        ("fr", "casque d'été", True),
        ("fr", "casque d'escalade", False),
        ("fr", "radio d'escalade", False),
        ("fr", "casque audio", True),
        ("fr", "casque postal", False),
        ("fr", "radio postale", True),
        ("es", "casque de moto", False),
        ("de", "Moto Casque", True),
        ("it", "casque di moto", True),
    ],
)
def test_only_what_says_the_kind_is_asked_for_and_only_where_a_language_tells_it(
    code: str, text: str, sold: bool
):
    analyzer = Analyzer(code)
    listed = [
        Product(id="1", title="Casque", category=("Audio et son",)),
        Product(id="2", title="Radio", category=("Radio",)),
    ]
    assert query_words(text, vocabulary_of(listed, analyzer), analyzer).subject == sold


def test_words_that_no_product_has_are_named():
    vocabulary = vocabulary_of(CAMPING)
    text = "Camera bag 2 x9 for the camera and a red hammock"
    assert unknown_words(text, vocabulary, ENGLISH, besides=("red",)) == ["camera", "hammock"]
    assert unknown_words("sleepingbag, 红色连衣裙", vocabulary, ENGLISH) == []
