"""Both sides of BM25 give what the formula says, the same everywhere."""

from __future__ import annotations

import random
from math import log

import numpy as np
import pytest

from tests.unit.words.catalogue import ENGLISH, titled, vocabulary_of, words_of
from vitrine.products import Product
from vitrine.words import Analyzer, Vocabulary, query_words, term_id


def _value(product: Product, term: str) -> float:
    words = words_of(product)
    return dict(zip(words.term_ids.tolist(), words.values.tolist(), strict=True)).get(
        term_id(term), 0.0
    )


def test_a_value_is_the_saturated_weighted_frequency_over_the_fields():
    product = Product(
        id="1",
        title="Wool Hat",
        category=("Hats",),
        description="A hat of wool, warm wool.",
    )
    title = 4 / (0.25 + 0.75 * 2 / 5)
    category = 2 / (0.25 + 0.75 * 1 / 5)
    prose = 0.5
    for term, frequency in (("hat", title + category + prose), ("wool", title + 2 * prose)):
        assert _value(product, term) == pytest.approx(frequency / (1.2 + frequency))


def test_a_mention_in_short_prose_counts_no_more_than_in_usual_prose():
    short = Product(id="1", title="Coat", description="Easy to dress up.")
    usual = Product(id="2", title="Coat", description="Easy to dress up. " + "word " * 57)
    long = Product(id="3", title="Coat", description="Easy to dress up. " + "word " * 200)
    assert _value(short, "dress") == pytest.approx(_value(usual, "dress"), rel=0.02)
    assert _value(usual, "dress") > _value(long, "dress") > 0


def test_title_counts_more_than_category_and_category_more_than_description():
    title = Product(id="1", title="Hat thing", category=("Other",), description="Some other prose")
    category = Product(id="2", title="Some thing", category=("Hat",), description="Other prose")
    prose = Product(id="3", title="Some thing", category=("Other",), description="Hat and other")
    assert _value(title, "hat") > _value(category, "hat") > _value(prose, "hat") > 0


def test_families_of_a_color_are_words_of_the_product():
    assert _value(Product(id="1", title="Coat", color=("Navy",), colors=("blue",)), "blue") > 0


def test_another_color_in_the_description_is_none_of_the_variant():
    product = Product(
        id="1", title="Tee", color=("Navy",), colors=("blue",), description="In navy, blue, red."
    )
    assert _value(product, "red") == 0
    assert _value(product, "navi") > 0


def test_a_true_flag_is_said_by_its_name():
    yes = Product(id="1", title="Tee", attributes={"eco_collection": True})
    no = Product(id="2", title="Tee", attributes={"eco_collection": False})
    assert _value(yes, "eco") > 0 == _value(no, "eco")


def test_a_products_values_do_not_depend_on_other_products():
    product = titled("Wool hat")[0]
    alone = words_of(product)
    vocabulary_of(titled(*(f"Wool thing {n}" for n in range(50))))
    assert np.array_equal(words_of(product).values, alone.values)


def test_what_is_in_a_category_comes_before_what_only_its_title_names():
    dress = Product(id="1", title="Floral Maxi", category=("Women/Dresses",))
    shoes = Product(id="2", title="Dress Shoes", category=("Shoes",))
    vocabulary = vocabulary_of([dress, shoes])
    dress_words = query_words("dress", vocabulary, ENGLISH)
    assert dress_words.score(words_of(dress)) > dress_words.score(words_of(shoes)) > 0.5
    unknown = query_words("dress zorblax", vocabulary, ENGLISH)
    assert unknown.score(words_of(dress)) < 0.5
    shoe = query_words("dress shoes", vocabulary, ENGLISH)
    assert shoe.score(words_of(shoes)) > shoe.score(words_of(dress))
    assert len(shoe.term_ids) == 3  # both words, and the category of shoes but not that of dresses


def test_names_are_the_words_outside_prose():
    words = words_of(Product(id="1", title="Red hat", description="Soft hat of wool."))
    assert words.names == {"red", "hat"}
    assert words.words == {"red", "hat", "soft", "wool"}


@pytest.mark.parametrize(
    ("code", "title", "subject"),
    [
        ("en", "Atomic Endurance Running Tee (V-neck)", "tee"),
        ("en", "Sprite Stasis Ball 55 cm", "ball"),
        ("en", "Sprite Yoga Strap 6 foot", "strap"),
        ("de", "Rotes Kleid, kurz", "kleid"),
        ("fr", "Robe rouge d'été", "rob"),
        ("es", "Vestido rojo", "vest"),
    ],
)
def test_a_title_says_what_the_product_is(code: str, title: str, subject: str):
    analyzer = Analyzer(code)
    assert words_of(titled(title)[0], analyzer).subjects == {term_id(subject)}


@pytest.mark.parametrize(
    ("title", "subjects"),
    [
        ("iPhone 13 Case", {"iphon", "case"}),
        ("Case for iPhone 13 Pro, 2nd", {"case", "iphon", "pro"}),
        ("Bookcase Green Oakmoor Five Shelves", {"bookcas", "shelf"}),
        ("Green Salt and Pepper Mill", {"mill"}),
        ("Chair with Arms", {"chair"}),
        ("15 inch Sleeve 2 pieces", {"sleev"}),
        ("Kettle 30W White", {"kettl"}),
        ("Tent Oakmoor Green", {"tent"}),
        ("Oakmoor", set()),
    ],
)
def test_numbers_brands_colors_and_stop_words_lie_between_what_a_product_is(
    title: str, subjects: set[str]
):
    product = Product(id="1", title=title, brand="Oakmoor", color=("Green",))
    brand = {term_id("oakmoor")}
    assert words_of(product).subjects == {*map(term_id, subjects)} | brand


def test_a_category_names_what_stands_before_its_linking_words():
    games = Product(id="1", title="Parchís", category=("Ocio/Juegos de mesa",))
    spanish = Analyzer("es")
    assert words_of(games, spanish).subjects == {
        term_id(spanish.term(word)) for word in ("parchis", "ocio", "juegos")
    }


def test_a_query_names_a_thing_or_only_says_how_it_is():
    product = Product(id="1", title="Wool hat", category=("Men/Hats",), color=("Red",))
    vocabulary = vocabulary_of([product])
    assert query_words("red hats for my friend", vocabulary, ENGLISH).subject
    assert query_words("for men", vocabulary, ENGLISH).subject
    assert not query_words("red wool sofa", vocabulary, ENGLISH).subject


def test_term_ids_ascend_and_values_lie_between_0_and_1():
    words = words_of(Product(id="1", title="hat " * 50, description="wool silk hat " * 99))
    assert words.term_ids.dtype == np.uint32
    assert words.values.dtype == np.float32
    assert (np.diff(words.term_ids.astype(np.int64)) > 0).all()
    assert (words.values > 0).all()
    assert (words.values < 1).all()


def test_a_query_scores_as_the_formula_by_hand():
    products = titled("red hat", "blue hat", "red scarf", "green glove")
    query = query_words("red hat", vocabulary_of(products), ENGLISH)
    idf = log(1 + (4 - 2 + 0.5) / (2 + 0.5))
    frequency = 4 / (0.25 + 0.75 * 2 / 5)
    value = frequency / (1.2 + frequency)
    both, hat, red, neither = (query.score(words_of(product)) for product in products)
    assert both == pytest.approx(2 * idf * value / (2 * idf))
    assert hat == pytest.approx(red) == pytest.approx(both / 2)
    assert neither == 0


def test_a_word_that_no_product_has_counts_as_the_others_do_on_average():
    products = titled("red hat", "blue hat", "green glove")
    vocabulary = vocabulary_of(products)
    known = query_words("hat", vocabulary, ENGLISH).score(words_of(products[0]))
    half = query_words("hat zeppelin", vocabulary, ENGLISH)
    assert half.score(words_of(products[0])) == pytest.approx(known / 2)
    assert len(half.term_ids) == 1
    assert query_words("zeppelin", vocabulary, ENGLISH).empty


def test_best_is_more_than_any_product_scores():
    seed = random.randrange(1 << 32)
    rng = random.Random(seed)
    words = ["red", "blue", "hat", "scarf", "glove", "wool", "silk", "crew", "neck"]
    products = titled(*(" ".join(rng.choices(words, k=rng.randint(1, 6))) for _ in range(60)))
    vocabulary = vocabulary_of(products)
    for _ in range(40):
        query = query_words(" ".join(rng.choices(words, k=3)), vocabulary, ENGLISH)
        scores = [query.score(words_of(product)) for product in products]
        assert all(0 <= score < 1 for score in scores), f"seed {seed}"


@pytest.mark.parametrize("typed", ["crew-neck", "crew neck", "crewneck", "Crew Necks"])
def test_a_compound_is_found_however_it_is_written(typed: str):
    for written in ("Crew-neck tee", "Crewneck tee", "Crew neck tee"):
        products = titled(written, "Polo shirt", "Neck warmer", "Crew socks")
        query = query_words(typed, vocabulary_of(products), ENGLISH)
        scores = [query.score(words_of(product)) for product in products]
        assert scores[0] == max(scores) > 1.5 * max(scores[1:]), (typed, written, scores)


@pytest.mark.parametrize(
    ("code", "typed", "title"),
    [
        ("en", "the who", "The Who"),
        ("en", "from here to there", "From Here to There Trail Guide"),
        ("es", "menos es mas", "Juego de mesa Menos es Más"),
        ("fr", "moins une", "Jeu Moins Une"),
    ],
)
def test_stop_words_alone_ask_for_titles_that_have_them_in_a_row(code: str, typed: str, title: str):
    analyzer = Analyzer(code)
    products = titled(title, "Who to be", "La de por", "Record")
    query = query_words(typed, vocabulary_of(products, analyzer), analyzer)
    scores = [query.score(words_of(product, analyzer)) for product in products]
    assert scores[0] > max(scores[1:]) == 0


def test_stop_words_that_no_title_has_in_a_row_ask_for_nothing():
    products = titled("The Who", "Other record")
    assert query_words("who the", vocabulary_of(products), ENGLISH).empty
    query = query_words("the who", vocabulary_of(products), ENGLISH)
    assert query.exact_key in words_of(products[0]).exact_keys
    assert query_words("who", vocabulary_of(products), ENGLISH).empty


def test_a_stored_vocabulary_is_read_as_it_was():
    vocabulary = vocabulary_of(titled("Äpfel rot", "红色 dress", "red dress"))
    read = Vocabulary.from_bytes(vocabulary.to_bytes())
    assert read.words == vocabulary.words
    assert read.name_count("dress") == 2
    assert [read.idf(t) for t in ("dress", "red", "no")] == [
        vocabulary.idf(t) for t in ("dress", "red", "no")
    ]
    assert Vocabulary.from_bytes(Vocabulary.empty().to_bytes()).words == ()


def test_a_damaged_vocabulary_is_told():
    stored = vocabulary_of(titled("red dress")).to_bytes()
    for damaged in (b"", b"no zip", stored[: len(stored) // 2]):
        with pytest.raises(ValueError, match="vocabulary is damaged"):
            Vocabulary.from_bytes(damaged)


def test_a_term_has_one_number_everywhere():
    assert [term_id(t) for t in ("dress", "kleid", "红色")] == [3903081983, 3922494878, 1867070232]
