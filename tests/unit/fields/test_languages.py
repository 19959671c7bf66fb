"""Colors and stock words of the ten languages, as shops write them."""

from __future__ import annotations

import pytest

from vitrine.fields import FAMILIES, families
from vitrine.fields.colors import ColorWords, family_of
from vitrine.fields.stock import parse_stock
from vitrine.fields.words import word_lists

LANGUAGES = {"en", "de", "fr", "es", "it", "nl", "pt", "ru", "zh", "ja"}

COLORS = {
    "de": "Rot red, Weiß white, Dunkelblau blue, hellgrün green, Anthrazit gray, bunt multicolor",
    "fr": "rouge red, blanche white, bleu marine blue, vert foncé green, doré gold, écru beige",
    "es": "rojo red, blanca white, azul marino blue, morado purple, plateado silver, marrón brown",
    "it": "rosso red, bianco white, azzurro blue, viola purple, nero black, panna white",
    "nl": "rood red, wit white, donkerblauw blue, paars purple, grijs gray, meerkleurig multicolor",
    "pt": "vermelho red, branco white, azul-marinho blue, roxo purple, preto black, dourado gold",
    "ru": "красный red, белая white, тёмно-синий blue, фиолетовое purple, чёрные black, серый gray",
    "zh": "红色 red, 白色 white, 深蓝色 blue, 紫色 purple, 黑色 black, 灰 gray",
    "ja": "レッド red, ホワイト white, ネイビー blue, パープル purple, ブラック black, グレー gray",
}
CASES = [
    (language, *pair.rsplit(" ", 1))
    for language, pairs in COLORS.items()
    for pair in pairs.split(", ")
]


BASIC = """
red    red     rot     rouge   rojo     rosso     rood   vermelho  красный      红色  赤
orange orange  orange  orange  naranja  arancione oranje laranja   оранжевый    橙色  オレンジ
yellow yellow  gelb    jaune   amarillo giallo    geel   amarelo   жёлтый       黄色  黄色
green  green   grün    vert    verde    verde     groen  verde     зелёный      绿色  緑
blue   blue    blau    bleu    azul     blu       blauw  azul      синий        蓝色  青
purple purple  lila    violet  morado   viola     paars  roxo      фиолетовый   紫色  パープル
pink   pink    rosa    rose    rosado   rosa      roze   rosa      розовый      粉色  ピンク
brown  brown   braun   marron  marrón   marrone   bruin  marrom    коричневый   棕色  茶色
black  black   schwarz noir    negro    nero      zwart  preto     чёрный       黑色  黒
white  white   weiß    blanc   blanco   bianco    wit    branco    белый        白色  ホワイト
gray   grey    grau    gris    gris     grigio    grijs  cinza     серый        灰色  グレー
beige  beige   beige   beige   beis     beige     beige  bege      бежевый      米色  ベージュ
gold   gold    golden  doré    dorado   oro       goud   dourado   золотой      金色  ゴールド
silver silver  silber  argent  plateado argento   zilver prateado  серебряный   银色  シルバー
multicolor multicolor bunt multicolore multicolor multicolore meerkleurig \
colorido разноцветный 彩色 マルチカラー
"""
"""Each family in the order of en, de, fr, es, it, nl, pt, ru, zh, ja."""

SHADES = """
lie de vin=red; gris chiné=gray; kaki=green beige; vieux rose=pink; tortora=brown gray; visón=brown;
verde militare=green; marengo=gray; cinza mescla=gray; caqui=green beige; слоновая кость=white;
терракотовый=orange; марсала=red; пудровый=pink; 裸色=beige; 酒红=red; 雾霾蓝=blue; 水色=blue;
モカ=brown; 生成り=beige; ワイン=red; ターコイズ=green blue; nachtblau=blue; beere=red; lilla=purple
"""


@pytest.mark.parametrize("row", BASIC.strip().splitlines())
def test_a_family_is_known_and_filtered_by_its_name_in_all_ten_languages(row: str) -> None:
    family, *names = row.split()
    assert len(names) == len(LANGUAGES)
    assert [(name, families([name])) for name in names] == [(name, (family,)) for name in names]
    assert [(name, family_of(name)) for name in names] == [(name, family) for name in names]


@pytest.mark.parametrize("pair", [pair.strip() for pair in SHADES.split(";")])
def test_shades_that_shops_write_are_sorted(pair: str) -> None:
    written, _, expected = pair.partition("=")
    assert set(families([written])) == set(expected.split())


def test_there_are_words_of_ten_languages_for_known_families() -> None:
    for name in ("colors", "stock"):
        assert set(word_lists(name)) == LANGUAGES
    named = {family for lists in word_lists("colors").values() for family in lists}
    assert {part for family in named for part in family.split("+")} == set(FAMILIES)


@pytest.mark.parametrize(("language", "written", "family"), CASES)
def test_a_color_is_known_in_its_language(language: str, written: str, family: str) -> None:
    assert families([written]) == (family,), language


@pytest.mark.parametrize("written", ["бельё", "синтетика", "сертификат", "Rotterdam", "Redwood"])
def test_words_that_only_begin_like_a_color_are_none(written: str) -> None:
    assert families([written]) == ()


@pytest.mark.parametrize(
    ("word", "family"),
    [
        ("grey", "gray"),
        ("ROT", "red"),
        ("rouge", "red"),
        ("красная", "red"),
        ("红色", "red"),
        ("Blau", "blue"),
        ("Navy", "navy"),
        ("bordeaux", "bordeaux"),
        ("crème", "crème"),
        ("Off White", "off white"),
    ],
)
def test_a_filter_takes_a_familys_own_word_for_the_family_and_a_shade_as_written(
    word: str, family: str
) -> None:
    assert family_of(word) == family


def test_own_words_win_over_the_built_in_ones() -> None:
    words = ColorWords.of({"Blushing": ("pink",), "navy": ("black",), "桜": ("pink",)})
    assert words.families(["BLUSHING"]) == ("pink",)
    assert words.families(["Navy"]) == ("black",)
    assert words.families(["桜色"]) == ("pink",)
    assert words.families(["red"]) == ("red",)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_stock_word_of_a_language_is_read(language: str) -> None:
    lists = word_lists("stock")[language]
    assert all(parse_stock(word) is True for word in lists["available"])
    assert all(parse_stock(word.upper()) is False for word in lists["unavailable"])


@pytest.mark.parametrize(
    ("written", "available"),
    [
        ("100.0000", True),
        ("0.0000", False),
        ("'-3", False),
        ("1,200", True),
        ("in\u00a0stock", True),
        ("https://schema.org/BackOrder", True),
        ("OutOfStock", False),
        ("in-stock", True),
    ],
)
def test_counts_and_notations_of_stock_are_read(written: str, available: bool) -> None:
    assert parse_stock(written) is available


def test_an_unknown_stock_word_is_told_with_the_words_that_are_allowed() -> None:
    with pytest.raises(ValueError, match=r"'perhaps' does not say.*sold out"):
        parse_stock("perhaps")
