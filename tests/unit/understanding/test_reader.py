"""What is understood is told, taken out of the words, and can be refused."""

from __future__ import annotations

import pytest

from tests.unit.understanding.shops import (
    SCHEMA,
    UNDERSTOOD,
    products_of,
    reader_of,
    reader_over,
)
from vitrine.errors import InvalidInput
from vitrine.fields.schema import Field, FieldType, Schema
from vitrine.products import Product
from vitrine.understanding import (
    Applied,
    Correction,
    KnownValues,
    QueryReader,
    Understanding,
    grammar,
    learn_known_values,
)
from vitrine.words import Analyzer, Vocabulary, VocabularyCounts, document_words


def _read(text: str, code: str = "en", **options) -> Understanding:
    return reader_of(code).read(text, **options)


def test_the_answer_says_what_was_taken_out():
    assert _read("red dress under 50") == Understanding(
        "red dress",
        (Applied("under 50", "price", "filter", {"price": {"lt": 50}}),),
        preferred=frozenset({"red"}),
    )


@pytest.mark.parametrize(
    ("code", "text", "words"),
    [
        ("en", "red dress, under 50", "red dress"),
        ("en", "shoes for under 50 and not black", "shoes"),
        ("en", "dress (not red)", "dress"),
        ("en", "under 50 not black", ""),
        ("en", "blue T-shirt under 50", "blue T-shirt"),
        ("en", "Women's dresses in stock under $50", "Women's dresses"),
        ("de", "rote Kleider, die unter 50 Euro kosten", "rote Kleider"),
        ("de", "rote Kleider ab 30 Euro aufwärts", "rote Kleider"),
        ("de", "Kleider, die nicht schwarz sind", "Kleider"),
        ("fr", "robe d'été à moins de 50 €", "robe d'été"),
        ("es", "vestido rojo por menos de 50", "vestido rojo"),
    ],
)
def test_words_are_what_is_left(code: str, text: str, words: str):
    assert _read(text, code).words == words


def test_a_part_can_be_kept_as_words():
    read = _read("red dress under 50 not black", literal=["Under 50"])
    assert read.words == "red dress under 50"
    assert [part.text for part in read.applied] == ["not black"]


def test_a_filter_of_the_client_wins():
    read = _read("red dress under 50 not black", filtered=["price", "color"])
    assert read.words == "red dress"
    assert [(part.kind, part.effect) for part in read.applied] == [
        ("price", "ignored"),
        ("negation", "ignored"),
    ]
    assert read.filters == ()


def test_a_price_in_another_currency_filters_nothing():
    read = _read("dress under 50 €")
    assert [(part.text, part.effect) for part in read.applied] == [("under 50 €", "ignored")]
    assert read.words == "dress"


@pytest.mark.parametrize(
    ("code", "text", "bound", "words"),
    [
        ("en", "under 30 mop", 30, "mop"),
        ("en", "under $30 huf", 30, "huf"),
        ("en", "under $30 usd dress", 30, "dress"),
        ("fr", "moins de 50 mur", 50, "mur"),
        ("es", "menos de 20 ron", 20, "ron"),
    ],
)
def test_a_word_behind_an_amount_is_a_currency_where_it_can_be(
    code: str, text: str, bound: int, words: str
):
    read = reader_of(code).read(text)
    assert read.filters == ({"price": {"lt": bound}},)
    assert read.words == words


def test_prices_in_several_currencies_are_told_apart():
    products = [*products_of("en"), *products_of("de")]
    analyzer = Analyzer("en")
    known = learn_known_values(products, SCHEMA, analyzer=analyzer, grammar=grammar("en"))
    reader = QueryReader(
        SCHEMA, grammar=grammar("en"), analyzer=analyzer, vocabulary=Vocabulary.empty(), known=known
    )
    assert reader.read("dress under 50 €").filters == ({"price": {"lt": 50}, "currency": "EUR"},)
    assert reader.read("dress under 50").filters == ({"price": {"lt": 50}},)


@pytest.mark.parametrize(
    ("code", "currency", "text"),
    [
        ("en", "CAD", "dress under 50 dollars"),
        ("en", "CAD", "dress under 50 canadian dollars"),
        ("en", "AUD", "dress under $50 AUD"),
        ("de", "CHF", "dress unter 50 fr"),
        ("de", "CHF", "dress unter Fr. 50.-"),
        ("fr", "CHF", "dress moins de 50 francs suisses"),
        ("fr", "CHF", "dress moins de 50 frs"),
        ("fr", "CAD", "dress moins de 50 $ CA"),
        ("fr", "CAD", "dress moins de 50 piastres"),
        ("es", "USD", "dress menos de 50 dólares americanos"),
    ],
)
def test_a_currency_may_be_several_words(code: str, currency: str, text: str):
    shop = [Product(id="a", title="Dress", price=20.0, currency=currency)]
    read = reader_over(shop, code).read(text)
    assert (read.words, read.filters) == ("dress", ({"price": {"lt": 50}},))


def test_prices_that_exclude_each_other_do_not_hide_everything():
    assert _read("dress under 20 over 50").filters == ({"price": {"lt": 20}},)


def test_fields_that_the_catalogue_lacks_are_not_understood():
    schema = Schema(tuple(f for f in SCHEMA if f.name in ("id", "title")))
    reader = QueryReader(
        schema,
        grammar=grammar("en"),
        analyzer=Analyzer("en"),
        vocabulary=Vocabulary.empty(),
        known=KnownValues.empty(),
    )
    read = reader.read("dress under 50 in stock not black")
    assert read.filters == ()
    assert read.negatives == ("black",)
    assert read.words == "dress under 50 in stock"


@pytest.mark.parametrize(
    ("text", "words", "corrected"),
    [
        ("red drss", "red dress", [("drss", "dress")]),
        ("hodie", "hoodie", [("hodie", "hoodie")]),
        ("Snekers", "sneakers", [("Snekers", "sneakers")]),
        ("jakcet in blak", "jacket in black", [("jakcet", "jacket"), ("blak", "black")]),
        ("sweatshitrs", "sweatshirts", [("sweatshitrs", "sweatshirts")]),
    ],
)
def test_misspelt_words_are_corrected(text: str, words: str, corrected: list[tuple[str, str]]):
    read = _read(text)
    assert read.words == words
    assert [(c.original, c.replacement) for c in read.corrected] == corrected


@pytest.mark.parametrize(
    "text",
    [
        "dress",
        "dresses",
        "bga",
        "24-MB01",
        "h00die",
        "refrigerator",
        "tshirt",
        "hoodie zip",
        "grey",
        "block",
        "write",
        "back",
        "clean",
    ],
)
def test_what_is_known_short_or_holds_digits_is_not_corrected(text: str):
    assert _read(text).corrected == ()


@pytest.mark.parametrize(
    ("code", "word", "title"),
    [
        ("en", "coats", "Cat"),
        ("es", "toalla", "Talla"),
        ("de", "Schaufeln", "Schaufel-Kran"),
        ("fr", "manteau", "Marteau"),
    ],
)
def test_an_ordinary_thing_is_no_misspelling_of_another(code: str, word: str, title: str):
    assert reader_over([Product(id="1", title=title)], code).read(word).corrected == ()


def test_words_of_the_language_are_no_misspellings():
    shop = [Product(id="1", title="Brille klein")]
    assert reader_over(shop, "de").read("Kleid").corrected == ()


@pytest.mark.parametrize("text", ["gift under 20", "something for her under 20", "under 20"])
def test_beside_a_filter_words_that_say_nothing_look_for_anything(text: str):
    assert _read(text).words == ""


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("something warm", "something"),
        ("gift for a boy", "gift"),
        ("red gift", "gift"),
        ("anything", "anything"),
    ],
)
def test_a_query_for_anything_is_vague_and_its_words_stay(text: str, word: str):
    read = _read(text)
    assert read.vague
    assert read.words == text
    assert word in read.preferred


@pytest.mark.parametrize(
    ("code", "text", "preferred"),
    [
        ("en", "a pair of socks", {"pair"}),
        ("en", "a photo of a mug", {"photo"}),
        ("en", "mug set", set()),
        ("de", "Set aus Tassen", {"set"}),
        ("fr", "paire d'oreillers", {"paire"}),
        ("es", "lote de tazas", {"lote"}),
    ],
)
def test_what_stands_before_a_thing_and_names_none_hides_nothing(
    code: str, text: str, preferred: set[str]
):
    assert _read(text, code).preferred == preferred


@pytest.mark.parametrize(
    ("code", "text", "vague"),
    [
        ("es", "unos regalos originales", True),
        ("fr", "cadeau naissance", True),
        ("fr", "carte cadeau", False),
        ("en", "gift card", False),
    ],
)
def test_a_gift_that_names_the_thing_may_be_anything(code: str, text: str, vague: bool):
    assert _read(text, code).vague == vague


@pytest.mark.parametrize("text", ["warm dress", "gift card", "cheap refrigerator", "best laptop"])
def test_a_query_for_a_thing_is_not_vague(text: str):
    assert not _read(text).vague


def test_a_word_that_the_catalogue_has_as_a_name_is_not_vague():
    shop = [Product(id="1", title="Gift Card")]
    assert not reader_over(shop, "en").read("gift for a boy").vague


def test_vague_words_stay_where_the_catalogue_has_them_or_nothing_filters():
    assert _read("gift for her").words == "gift for her"
    shop = [Product(id="1", title="Gift Card", price=10)]
    assert reader_over(shop, "en").read("gift under 20").words == "gift"


def test_a_misspelt_color_is_excluded_as_the_color():
    read = _read("hoodie not blck")
    assert read.filters == ({"not": {"color": "black"}},)
    assert read.corrected == (Correction("blck", "black"),)


def test_colors_of_another_language_bring_the_catalogues_own_name():
    read = _read("rotes kleid", "de")
    assert read.words == "rotes kleid"
    assert read.preferred == {"rotes"}
    assert read.extra == ("red",)


def test_brands_are_preferred():
    assert _read("juniper lane dress").preferred == {"juniper", "lane"}


def test_several_languages_are_read_together():
    both = grammar("en", "es")
    products, analyzer = products_of("en"), Analyzer("en")
    counts = VocabularyCounts()
    counts.add(document_words(product, SCHEMA, analyzer) for product in products)
    reader = QueryReader(
        SCHEMA,
        grammar=both,
        analyzer=analyzer,
        vocabulary=counts.vocabulary(),
        known=learn_known_values(products, SCHEMA, analyzer=analyzer, grammar=both),
    )
    for text in ("dress under 50", "dress por menos de 50"):
        assert reader.read(text).filters == ({"price": {"lt": 50}},)


def test_known_values_are_read_as_they_were_stored():
    products, analyzer = products_of("en"), Analyzer("en")
    known = learn_known_values(
        products, SCHEMA, analyzer=analyzer, grammar=grammar("en"), understood=UNDERSTOOD
    )
    read = KnownValues.from_bytes(known.to_bytes())
    assert dict(read.by_terms) == dict(known.by_terms)
    assert read.colors == known.colors
    assert read.literal_pairs == known.literal_pairs
    for damaged in (b"", b"{}", b'{"values": 3}', b"\xff"):
        with pytest.raises(ValueError, match="stored values are damaged"):
            KnownValues.from_bytes(damaged)


def test_signs_are_read_in_every_language():
    products, analyzer = products_of("en"), Analyzer("ja")
    known = learn_known_values(products, SCHEMA, analyzer=analyzer, grammar=grammar())
    reader = QueryReader(
        SCHEMA, grammar=grammar(), analyzer=analyzer, vocabulary=Vocabulary.empty(), known=known
    )
    assert reader.read("ドレス < 50").filters == ({"price": {"lt": 50}},)
    assert reader.read("ドレス $20-$40").filters == ({"price": {"gte": 20, "lte": 40}},)
    assert reader.read("dress -logo").negatives == ("logo",)


def test_a_word_of_grammar_is_no_color_of_another_language():
    assert _read("red or blue dress").preferred == {"red", "blue"}


def test_a_language_without_a_file_is_told():
    with pytest.raises(InvalidInput, match="'fi' has no grammar; there is one for de, en, es, fr"):
        grammar("fi")


@pytest.mark.parametrize(
    "text", ["", " ", "-", "not", "without", "under", "<", "$", "- -", "50", "no,", "™"]
)
def test_fragments_are_words(text: str):
    read = _read(text)
    assert read.applied == ()
    assert read.words == text.strip()


def test_a_title_is_a_title_without_its_apostrophes_too():
    reader = reader_over([*products_of("en"), Product(id="sky", title="No Man's Sky")], "en")
    for typed in ("no man's sky", "no mans sky"):
        assert reader.read(typed).negatives == (), typed
    assert _read("no mans sky").negatives == ("mans sky",)


def test_a_title_is_a_title_without_its_punctuation_too():
    song = Product(id="s", title="Non, je ne regrette rien")
    assert reader_over([song], "fr").read("non je ne regrette rien").applied == ()


def test_a_word_of_the_catalogue_before_a_bare_number_is_no_price():
    reader = reader_over([Product(id="t", title="Tisch rund 90 cm"), *products_of("de")], "de")
    assert reader.read("tisch rund 120").applied == ()
    assert reader.read("tisch rund 120 euro").filters == ({"price": {"gte": 90, "lte": 150}},)
    prose = reader_over([Product(id="t", title="Tisch", description="Rund um schön.")], "de")
    assert prose.read("tisch rund 120").filters == ({"price": {"gte": 90, "lte": 150}},)


def test_a_preposition_of_a_title_does_not_make_a_title_of_a_negation():
    song = Product(id="s", title="Nicht von dieser Welt")
    reader = reader_over([*products_of("de"), song], "de")
    assert reader.read("nicht von dieser welt").applied == ()
    assert reader.read("jacke nicht von adler").filters == ({"not": {"brand": "Adler"}},)


@pytest.mark.parametrize("size", ["42,5", "3/4", "3-6M", "500ml"])
def test_a_value_may_be_a_number_of_several_parts(size: str):
    shop = [Product(id="a", title="Stiefel", attributes={"size": (size,)})]
    reader = reader_over(shop, "de")
    assert reader.read(f"stiefel größe {size}").filters == ({"size": size},)
    assert reader.read(f"stiefel nicht größe {size}").filters == ({"not": {"size": size}},)


def test_a_value_of_several_numbers_is_excluded_without_its_field():
    violin = Product(id="a", title="Violine", attributes={"size": ("3/4",)})
    read = reader_over([violin], "de").read("violine nicht 3/4")
    assert read.filters == ({"not": {"size": "3/4"}},)


@pytest.mark.parametrize(
    ("field", "label", "text"),
    [
        ("groesse", None, "stiefel größe 38"),
        ("groesse", None, "stiefel gr. 38"),
        ("shoe_size", "Größe", "stiefel groesse 38"),
        ("shoe_size", None, "stiefel shoe size 38"),
        ("weite", "Weite G", "stiefel weite g 38"),
    ],
)
def test_a_field_is_named_by_its_name_or_its_label(field: str, label: str | None, text: str):
    schema = Schema((*SCHEMA, Field(field, FieldType.KEYWORD)))
    shop = [Product(id="a", title="Stiefel", attributes={field: ("38",)})]
    read = reader_over(shop, "de", schema=schema, understood={field: label}).read(text)
    assert (read.words, read.filters) == ("stiefel", ({field: "38"},))


def test_a_number_of_a_title_is_a_price_beside_other_words():
    assert _read("under 30 club mug").filters == ()
    assert _read("dress under 30").filters == ({"price": {"lt": 30}},)


def test_what_is_a_color_in_another_language_is_a_thing_where_it_is_sold():
    chair = Product(id="c", title="Dining Chair", color=("Beige",), colors=("beige",))
    read = reader_over([chair], "en").read("beige chair")
    assert read.preferred == {"beige"}
    assert read.extra == ()


def test_a_form_of_a_color_that_stands_elsewhere_brings_the_catalogues_own_name():
    shoes = Product(id="s", title="Baskets blanches")
    shirt = Product(id="c", title="Chemise", color=("Blanc",), colors=("white",))
    assert reader_over([shoes, shirt], "fr").read("chemise blanche").extra == ("white",)


def test_what_titles_have_behind_numbers_counts():
    titles = ["Notebook 240 leaves", "Sketchbook 80 leaves", "Phone 15 Case", "Phone 13 Case"]
    reader = reader_over([Product(id=t, title=t, category=("Cases",)) for t in titles], "en")
    assert reader.read("notebook over 200 leaves").filters == ()
    patterns = [Product(id=f"{n}", title=f"Pattern 6 to {n}") for n in (12, 14)]
    assert reader_over(patterns, "en").read("pattern from 20 to 40").filters == (
        {"price": {"gte": 20, "lte": 40}},
    )
    assert reader.read("under 20 case").filters == ({"price": {"lt": 20}},)


def test_what_says_nothing_of_the_thing_raises_and_hides_nothing():
    assert _read("cheap dress").preferred == {"cheap"}
    for text, code, words in (
        ("dress sale", "en", {"sale"}),
        ("dress near me pls", "en", {"near", "pls"}),
        ("vestidos en oferta", "es", {"oferta"}),
        ("kleid im angebot", "de", {"angebot"}),
        ("robe en promo", "fr", {"promo"}),
    ):
        assert _read(text, code).preferred == words
    assert _read("geschenk kleid", "de").preferred == {"geschenk"}
    named = reader_over([Product(id="1", title="Gift Card")], "en")
    assert named.read("gift card").preferred == frozenset()


def test_a_value_of_an_understood_field_or_a_part_of_it_names_what_is_looked_for():
    products = [Product(id="1", title="Vase", attributes={"pattern": ("Blue Willow",)})]
    reader = reader_over(products, "en")
    assert reader.read("willow").named
    assert not reader.read("vase").named


def test_a_name_that_is_a_shade_too_is_excluded_as_the_name():
    wine = Product(id="1", title="Wine", color=("Red",), colors=("red",), brand="Bordeaux")
    assert reader_over([wine], "fr").read("wine mais pas de bordeaux").filters == (
        {"not": {"brand": "Bordeaux"}},
    )


def test_of_several_things_that_are_not_wanted_the_further_ones_are_of_the_same_field():
    stones = [
        Product(id=stone, title="Ring", color=(stone,), attributes={"pattern": (stone,)})
        for stone in ("Pearl", "Turquoise")
    ]
    read = reader_over(stones, "en").read("ring without pearl or turquoise")
    assert read.filters == ({"not": {"pattern": ["Pearl", "Turquoise"]}},)


def test_what_titles_say_a_thing_is_without_is_not_pushed_away():
    titles = ["Grain Free Dog Food", "Grain-Free Cat Food", "Bread with No Nuts", "Nuts", "Nut Bar"]
    reader = reader_over([Product(id=title, title=title) for title in titles], "en")
    read = reader.read("dog food without grain")
    assert (read.words, read.negatives) == ("dog food without grain", ())
    assert reader.read("dog food without soy or grain").negatives == ("soy",)
    assert reader.read("bread without nuts").negatives == ("nuts",)


def test_what_a_thing_is_without_is_the_word_that_the_catalogue_has_for_it():
    titles = ["Glutenfreie Nudeln", "Bier", "Gluten Mehl"]
    reader = reader_over([Product(id=title, title=title) for title in titles], "de")
    assert reader.read("nudeln ohne gluten").words == "nudeln glutenfrei"
    assert reader.read("nudeln ohne gluten").negatives == ()
    assert reader.read("bier ohne alkohol").negatives == ("alkohol",)


def test_pounds_are_a_weight_where_no_price_is_in_them():
    weights = Product(id="w", title="Dumbbell", price=30, currency="GBP")
    read = reader_over([weights], "en").read("dumbbell under 20 pounds")
    assert read.filters == ({"price": {"lt": 20}},)
    assert _read("dumbbell under 20 pounds").words == "dumbbell under 20 pounds"


def test_thousands_that_the_catalogue_has_as_a_word_are_one():
    screens = reader_over([Product(id="s", title="Screen 4K", price=900)], "en")
    assert screens.read("screen under 4k").filters == ()
    assert screens.read("screen under 2k").filters == ({"price": {"lt": 2000}},)
    perfumes = reader_over([Product(id="p", title="Perfume Five", price=9)], "en")
    assert perfumes.read("perfume under five").filters == ()
    assert perfumes.read("perfume under five dollars").filters == ({"price": {"lt": 5}},)


def test_a_number_before_what_titles_count_is_no_price():
    pianos = [Product(id=f"{n}", title=f"Piano {n} Keys", category=("Keys",)) for n in (49, 61, 88)]
    assert reader_over(pianos, "en").read("piano with at least 50 keys").filters == ()


@pytest.mark.parametrize("code", ["CAD", "USD", "AUD"])
def test_a_word_for_several_currencies_is_the_one_of_the_catalogue(code: str):
    shop = reader_over([Product(id="1", title="Dress", price=30, currency=code)], "en")
    assert shop.read("dress under 50 dollars").filters == ({"price": {"lt": 50}},)


@pytest.mark.parametrize("title", ["Sold Out", "Under 30", "Size M Is Not Fat", "Out of Stock!"])
def test_a_whole_title_is_a_title(title: str):
    reader = reader_over([*products_of("en"), Product(id="t", title=title)], "en")
    assert reader.read(title.lower()).applied == ()
    assert reader.read("dress sold out").filters == ({"in_stock": False},)
    assert reader.read("dress under 30").filters == ({"price": {"lt": 30}},)


def test_a_negator_that_is_a_name_of_the_catalogue_is_none():
    phone = Product(id="p", title="Phone 2a", brand="Nothing")
    assert reader_over([phone], "en").read("nothing phone").negatives == ()
    assert _read("nothing red").filters == ({"not": {"color": "red"}},)


def test_a_negator_at_the_end_of_a_title_is_a_part_of_it():
    book = Product(id="b", title="Sin ti no soy nada")
    read = reader_over([book], "es").read("sin ti no soy nada tapa dura")
    assert (read.negatives, read.words) == ((), "sin ti no soy nada tapa dura")


@pytest.mark.parametrize("brand", ["Under Canvas", "Black & Decker", "House of Fraser", "Red Wing"])
def test_a_brand_of_which_a_part_is_grammar_or_a_color_is_excluded_as_a_brand(brand: str):
    saw = Product(id="1", title="Saw", brand=brand, color=("Black", "Red"), colors=("black", "red"))
    reader = reader_over([saw], "en")
    for typed in (brand.lower(), brand.lower().replace("&", "and")):
        assert reader.read(f"saw not {typed}").filters == ({"not": {"brand": brand}},)
    assert reader.read("saw not black or red").filters == ({"not": {"color": ["black", "red"]}},)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", "bag over 5 m"),
        ("en", "bag over 10"),
        ("en", "bag longer than 2 m"),
        ("en", "bag at least 10 m long"),
        ("en", "bag 40 l or larger"),
        ("en", "bag wider than 140"),
        ("en", "bag no hood max 90 cm"),
        ("en", "bag 40-60cm"),
        ("de", "Tasche länger als 5 m"),
        ("de", "Tasche zwischen 40 und 60 cm"),
        ("fr", "sac plus grand que 40 cm"),
        ("fr", "sac de plus de 2 litres"),
        ("es", "bolso más largo de 2 m"),
        ("es", "bolso de 10 kg o más"),
    ],
)
def test_measures_that_are_compared_raise_and_hide_nothing(code: str, text: str):
    read, analyzer = _read(text, code), Analyzer(code)
    remaining = [t.word for t in analyzer.tokens(read.words) if not t.stop]
    assert read.filters == ()
    thing = text.split(maxsplit=1)[0].casefold()
    assert [word for word in remaining if word not in read.preferred] == [thing]


@pytest.mark.parametrize(
    ("code", "text"),
    [("en", "bag 40 l"), ("en", "phone 15 max 256 gb"), ("es", "mesa redonda de 120 cm")],
)
def test_a_measure_alone_is_asked_for(code: str, text: str):
    assert _read(text, code).preferred == set()
