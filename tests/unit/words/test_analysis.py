"""Words of texts: tokens, stems and stop words by language."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from vitrine.errors import InvalidInput
from vitrine.words import Analyzer, analyzer_of


def _terms(code: str, text: str) -> list[str]:
    return [token.term for token in Analyzer(code).tokens(text) if not token.stop]


@pytest.mark.parametrize(
    ("code", "one", "other"),
    [
        ("en", "dress", "dresses"),
        ("en", "jacket", "jackets"),
        ("en", "women", "woman's"),
        ("en", "scarf", "scarves"),
        ("en", "knife", "knives"),
        ("en", "watch", "Watches"),
        ("en", "kids", "kid's"),
        ("en", "oneill", "O’Neill"),
        ("fr", "brets", "Bret's"),
        ("de", "Liter", "l"),
        ("de", "Öl", "Öle"),
        ("en", "watts", "W"),
        ("fr", "kilos", "kg"),
        ("es", "gramos", "g"),
        ("de", "Kleid", "Kleider"),
        ("de", "Jacke", "Jacken"),
        ("de", "Äpfel", "apfel"),
        ("de", "Kamera", "Kameras"),
        ("de", "Akku", "Akkus"),
        ("de", "Laptop", "Laptops"),
        ("de", "Preis", "Preise"),
        ("de", "Puppenhaus", "Puppenhäuser"),
        ("de", "Weinglas", "Weingläser"),
        ("de", "Fotoalbum", "Fotoalben"),
        ("de", "Wollschal", "Wollschals"),
        ("de", "Vorspeise", "Vorspeisen"),
        ("de", "Aktionspreis", "Aktionspreise"),
        ("en", "lens", "lenses"),
        ("en", "bra", "bras"),
        ("en", "suite", "suites"),
        ("en", "Running Tight", "running tights"),
        ("fr", "petit", "petits"),
        ("fr", "oreiller", "oreillers"),
        ("fr", "anglais", "anglaises"),
        ("es", "uva", "uvas"),
        ("es", "collar", "collares"),
        ("es", "laptop", "laptops"),
        ("es", "gorra", "gorras"),
        ("es", "lente", "lentes"),
        ("es", "inglés", "inglesas"),
        ("fr", "chaussure", "chaussures"),
        ("fr", "manteau", "manteaux"),
        ("fr", "été", "l'été"),
        ("fr", "vélo", "vélos"),
        ("fr", "pneu", "pneus"),
        ("fr", "jeu", "jeux"),
        ("es", "lápiz", "lápices"),
        ("es", "camiseta", "camisetas"),
        ("es", "pantalón", "pantalones"),
        ("ru", "платье", "платья"),
        ("it", "scarpa", "scarpe"),
    ],
)
def test_singular_and_plural_are_one_term(code: str, one: str, other: str):
    assert _terms(code, one) == _terms(code, other)


@pytest.mark.parametrize(
    ("code", "one", "other"),
    [
        ("es", "gorra", "gorro"),
        ("es", "anillos de plata", "anillos de plato"),
        ("es", "cámaras", "cama"),
        ("es", "forro polar", "forro polo"),
        ("en", "boxing", "box"),
        ("en", "leggings", "legs"),
        ("de", "Schal", "Schale"),
        ("de", "Schals", "Schalen"),
        ("de", "Fotodrucker", "Fotodruck"),
        ("de", "Buchsen", "Bücher"),
        ("de", "Pumps", "Pumpe"),
        ("de", "Watte", "Watt"),
        ("fr", "oreilles", "oreillers"),
        ("fr", "imprimantes", "imprimées"),
        ("fr", "crémant", "crème"),
        ("fr", "selles", "sel"),
    ],
)
def test_different_things_are_different_terms(code: str, one: str, other: str):
    assert _terms(code, one) != _terms(code, other)


@pytest.mark.parametrize(
    ("code", "text", "terms"),
    [
        ("en", "a dress for the summer", ["dress", "summer"]),
        ("en", "what's the dress where’s everything", ["dress"]),
        ("en", "watering cans", ["watering"]),
        ("de", "ein Kleid für den Sommer", ["kleid", "somm"]),
        ("de", "ein Kleid fuer den Sommer", ["kleid", "somm"]),
        ("fr", "une robe pour l'été", ["rob", "ete"]),
        ("es", "un vestido para el verano", ["vest", "veran"]),
    ],
)
def test_stop_words_say_nothing(code: str, text: str, terms: list[str]):
    assert _terms(code, text) == terms


@pytest.mark.parametrize("word", ["back", "full", "bottom", "big", "front", "off", "over", "up"])
def test_what_shops_sell_by_is_no_stop_word(word: str):
    assert not Analyzer("en").is_stop_word(word)


def test_a_watch_is_no_stop_word_in_french():
    assert not Analyzer("fr").is_stop_word("montre")


def test_words_with_digits_are_never_stemmed():
    assert _terms("en", "mh01s 501s") == ["mh01s", "501s"]


def test_a_hyphen_joins_words_and_a_blank_does_not():
    joined = [token.joined for token in Analyzer("en").tokens("crew-neck tee w/hood")]
    assert joined == [False, True, False, False, True]


def test_positions_are_those_of_the_folded_text():
    tokens = Analyzer("fr").tokens("Robe d'Été  rouge")
    assert ["robe d'ete rouge"[t.start : t.end] for t in tokens] == ["robe", "ete", "rouge"]


def test_scripts_without_blanks_are_pairs_of_characters():
    assert _terms("en", "红色连衣裙 dress") == ["红色", "色连", "连衣", "衣裙", "dress"]


def test_words_of_a_language_without_a_stemmer_are_terms_as_they_are():
    assert _terms("ja", "Tシャツ shirts") == ["t", "シャ", "ャツ", "shirts"]


def test_what_is_no_language_code_is_told():
    with pytest.raises(InvalidInput, match="'english' is not a two-letter code"):
        Analyzer("english")


def test_several_threads_get_the_same_stems():
    words = [f"{stem}ing" for stem in ("walk", "runn", "jump", "swimm", "train") * 40]
    alone = [Analyzer("en").term(word) for word in words]
    shared = Analyzer("en")
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(shared.term, words)) == alone


def test_readers_of_a_language_share_what_its_analyzer_keeps():
    assert analyzer_of("de") is analyzer_of("de")
    assert analyzer_of("de").language.code == "de"
    assert analyzer_of("en") is not analyzer_of("de")
