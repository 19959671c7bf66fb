"""The constants that a catalogue teaches tell what it sells from what it does not."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.relevance.shop import embed_texts, lexicon_of, products, sample_of
from tests.unit.words.catalogue import ENGLISH, SCHEMA
from vitrine.relevance import (
    CLOSE,
    LearningSample,
    QueryRelevance,
    RelevanceConstants,
    Signals,
    learn_relevance,
)
from vitrine.relevance.pseudo_queries import absent_texts, absent_words
from vitrine.words import Analyzer, Postings, Vocabulary, document_words, query_words

PRODUCTS = products()
SAMPLE = sample_of(PRODUCTS)
LEXICON = lexicon_of(PRODUCTS)
CONSTANTS = learn_relevance(SAMPLE, LEXICON, embed_texts=embed_texts)


def _close(text: str, *, preferred: tuple[str, ...] = ()) -> list[str]:
    """Ids of the close products, best first."""
    vector = embed_texts([text])[0]
    words = query_words(text, LEXICON.vocabulary, LEXICON.analyzer, preferred=preferred)
    postings = SAMPLE.postings
    assert SAMPLE.texts is not None
    query = QueryRelevance(
        CONSTANTS,
        vector=vector,
        best_words=float(postings.core_scores(words).max()),
        subject=words.subject,
    )
    relevance = query.relevance(
        Signals(SAMPLE.pictures @ vector, SAMPLE.texts @ vector, postings.scores(words))
    )
    order = np.argsort(-relevance, kind="stable")
    return [PRODUCTS[row].id for row in order.tolist() if relevance[row] >= CLOSE]


@pytest.mark.parametrize(
    ("text", "thing"), [("hat", "hat"), ("dresses", "dress"), ("lamp", "lamp"), ("mugs", "mug")]
)
def test_all_of_a_kind_are_close_and_nothing_else(text: str, thing: str):
    close = _close(text)
    assert {i.split("-")[1] for i in close} == {thing}
    assert len(close) == 24


def test_a_preferred_color_comes_first_and_hides_no_other():
    close = _close("red hat", preferred=("red",))
    assert {i.split("-")[2] for i in close[:6]} == {"red"}
    assert {i for i in close if "-hat-" in i} == {p.id for p in PRODUCTS if "-hat-" in p.id}


def test_a_color_that_no_word_says_is_seen_and_orders_what_words_find():
    untold = [replace(product, color=(), colors=()) for product in PRODUCTS]
    documents = [document_words(product, SCHEMA, ENGLISH) for product in untold]
    vector = embed_texts(["red hat"])[0]
    words = query_words("hat", LEXICON.vocabulary, LEXICON.analyzer)
    postings = Postings.of(documents)
    query = QueryRelevance(
        CONSTANTS, vector=vector, best_words=float(postings.core_scores(words).max()), subject=True
    )
    assert SAMPLE.texts is not None
    signals = Signals(SAMPLE.pictures @ vector, SAMPLE.texts @ vector, postings.scores(words))
    first = np.argsort(-query.relevance(signals), kind="stable")[:6].tolist()
    assert {PRODUCTS[row].id.split("-", 1)[1] for row in first} == {"hat-red"}


@pytest.mark.parametrize(
    "text", ["refrigerator", "car tires", "qwertz", "wooden table", "goes every"]
)
def test_what_the_shop_does_not_sell_is_close_to_nothing(text: str):
    assert _close(text) == []


def test_the_same_catalogue_teaches_the_same():
    again = learn_relevance(sample_of(products()), LEXICON, embed_texts=embed_texts)
    assert again.summary() == CONSTANTS.summary()


def test_another_draw_of_queries_moves_the_cutoff_little():
    other = learn_relevance(SAMPLE, LEXICON, embed_texts=embed_texts, seed=5)
    for mine, its in ((CONSTANTS.words, other.words),):
        assert -mine.intercept / mine.slope == pytest.approx(-its.intercept / its.slope, abs=0.1)


def test_no_signal_counts_against_a_product():
    for model in (CONSTANTS.text, CONSTANTS.image):
        assert min(model.picture, model.picture_z, model.text, model.text_z) >= 0
    assert CONSTANTS.words.slope > 0
    assert CONSTANTS.words.vector >= 0


def test_constants_survive_storing():
    read = RelevanceConstants.from_bytes(CONSTANTS.to_bytes())
    assert CONSTANTS.looks is not None
    assert read.looks == CONSTANTS.looks
    assert read.summary() == CONSTANTS.summary()
    assert np.array_equal(read.background.pictures, CONSTANTS.background.pictures)
    for damaged in (b"", b"no zip", CONSTANTS.to_bytes()[:200]):
        with pytest.raises(ValueError, match="constants are damaged"):
            RelevanceConstants.from_bytes(damaged)


def test_what_helps_words_is_learned_of_pictures_alone_with_text_vectors_as_without():
    looks = CONSTANTS.looks
    assert looks is not None
    assert looks.text == looks.text_z == 0 < looks.picture + looks.picture_z


def test_a_version_without_text_vectors_learns_from_pictures_and_words():
    without = LearningSample(PRODUCTS, SAMPLE.postings, SAMPLE.pictures, None)
    learnt = learn_relevance(without, LEXICON, embed_texts=embed_texts)
    assert learnt.text.text == learnt.text.text_z == 0
    assert learnt.text.picture + learnt.text.picture_z > 0
    assert learnt.looks is None
    assert RelevanceConstants.from_bytes(learnt.to_bytes()).background.texts is None


def test_vectors_that_tell_nothing_are_not_taken_for_close():
    """Every query is compared with the opposite of what its products look like."""
    blind = learn_relevance(SAMPLE, LEXICON, embed_texts=lambda texts: -embed_texts(texts))
    assert "text" in blind.assumed
    query = QueryRelevance(blind, vector=-embed_texts(["refrigerator"])[0])
    assert SAMPLE.texts is not None
    cosines = (rows @ -embed_texts(["refrigerator"])[0] for rows in (SAMPLE.pictures, SAMPLE.texts))
    assert query.relevance(Signals(*cosines)).max() < CLOSE


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_catalogue_too_small_to_teach_says_what_is_assumed(count: int):
    few = PRODUCTS[:count]
    learnt = learn_relevance(sample_of(few), lexicon_of(few), embed_texts=embed_texts)
    assert "words" in learnt.assumed
    assert learnt.summary()["assumed"] == list(learnt.assumed)


def test_constants_are_stale_when_a_fifth_has_changed():
    assert not CONSTANTS.stale(CONSTANTS.products // 5 - 1)
    assert CONSTANTS.stale(CONSTANTS.products // 5 + 1)


def test_an_empty_version_cannot_teach():
    empty = LearningSample([], Postings.of([]), np.zeros((0, 64), np.float32), None)
    with pytest.raises(ValueError, match="teaches nothing"):
        learn_relevance(empty, LEXICON, embed_texts=embed_texts)


def test_goods_of_other_shops_are_those_of_which_no_product_has_a_word():
    _, goods = absent_texts(LEXICON.vocabulary, ENGLISH)
    assert {"freezer", "evening gown", "lawn mower"} <= set(goods)
    shop = lexicon_of([replace(PRODUCTS[0], title="Mower", category=("Cheeses",))])
    assert {"lawn mower", "cheese"}.isdisjoint(absent_texts(shop.vocabulary, ENGLISH)[1])
    empty = Vocabulary.empty()
    assert "nevera" in absent_texts(empty, Analyzer("es"))[1]
    assert absent_texts(empty, Analyzer("fi")) == absent_texts(empty, ENGLISH)


def test_no_text_that_teaches_the_cutoff_is_a_query_that_judges_it():
    file = Path(__file__).parents[3] / "benchmarks" / "judged" / "magento.toml"
    judged = tomllib.loads(file.read_text("utf-8"))["absent"]
    unsellable, goods = absent_texts(Vocabulary.empty(), ENGLISH)
    assert judged.keys().isdisjoint([*unsellable, *goods])


def test_vectors_find_hardly_any_of_the_goods_of_other_shops():
    """A model that sees a hat in all of them, and in nothing that no shop sells."""
    _, goods = absent_texts(LEXICON.vocabulary, ENGLISH)

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        near = np.array([0.8 * (text in goods) for text in texts], np.float32)[:, None]
        rows = embed_texts(texts) + near * embed_texts(["hat"])
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    learned = learn_relevance(SAMPLE, LEXICON, embed_texts=embed)
    assert SAMPLE.texts is not None
    reached = 0
    for vector in embed(goods):
        query = QueryRelevance(learned, vector=vector)
        cosines = Signals(SAMPLE.pictures @ vector, SAMPLE.texts @ vector)
        reached += bool((query.relevance(cosines) >= CLOSE).any())
    assert reached <= 2 < len(goods) / 40


def test_of_another_kind_only_what_shows_it_is_close():
    """A shop without categories for its things, and with one hat whose picture shows a camera."""
    shop = [replace(product, category=("Things/Winter Wear",)) for product in PRODUCTS]
    sample = replace(sample_of(shop), texts=None)
    camera_hat = next(row for row, product in enumerate(shop) if product.title.endswith("Hat"))
    sample.pictures[camera_hat] = embed_texts(["camera hat"])[0]
    lexicon = lexicon_of(shop)
    constants = learn_relevance(sample, lexicon, embed_texts=embed_texts)
    assert RelevanceConstants.from_bytes(constants.to_bytes()).words == constants.words

    def close(text: str) -> list[int]:
        words = query_words(text, lexicon.vocabulary, ENGLISH)
        assert words.other_kind
        vector = embed_texts([text])[0]
        query = QueryRelevance(
            constants,
            vector=vector,
            best_words=float(sample.postings.core_scores(words).max()),
            other_kind=True,
        )
        signals = Signals(sample.pictures @ vector, 0.0, sample.postings.scores(words))
        return np.flatnonzero(query.relevance(signals) >= CLOSE).tolist()

    assert close("camera hat") == [camera_hat]
    assert close("moto hat") == close("tea mug") == close("kitchen scarf") == []


def test_queries_for_what_the_catalogue_lacks_name_none_of_its_things():
    kinds = absent_words(
        LEXICON.vocabulary, LEXICON.analyzer, count=40, rng=np.random.default_rng(0)
    )
    by_kind = [
        [query_words(t, LEXICON.vocabulary, LEXICON.analyzer) for t in kind] for kind in kinds
    ]
    assert not any(query.subject for queries in by_kind for query in queries)
    known = [bool(queries) and all(not query.empty for query in queries) for queries in by_kind]
    assert known == [True] * 4
    things = {text.split()[0] for text in kinds[-1]}
    assert all(LEXICON.vocabulary.is_subject(ENGLISH.term(thing)) for thing in things)
