"""Relevance of products: one number, monotone in every signal, explained."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from vitrine.relevance import (
    CLOSE,
    BackgroundSample,
    QueryRelevance,
    RelevanceConstants,
    Signals,
    VectorModel,
    WordsModel,
    drop,
    least_log_odds,
    pushed_log_odds,
    relevance_of,
)

RNG = np.random.default_rng(1)
ROWS = RNG.normal(size=(64, 8)).astype(np.float16)
CONSTANTS = RelevanceConstants(
    text=VectorModel(picture=8.0, picture_z=0.7, text=1.0, text_z=0.5, intercept=-7.0),
    image=VectorModel(picture=3.0, picture_z=1.0, text=0.0, text_z=0.0, intercept=-3.0),
    words=WordsModel(slope=16.0, vector=0.3, intercept=-10.0, floor=0.5, typical=0.85, alone=3.0),
    background=BackgroundSample(ROWS, ROWS[::-1]),
    products=64,
)
VECTOR = np.eye(8, dtype=np.float32)[0]


def _query(**changes) -> QueryRelevance:
    return QueryRelevance(
        CONSTANTS, **({"vector": VECTOR, "best_words": 0.85, "subject": True} | changes)
    )


def test_relevance_never_falls_when_a_signal_rises():
    seed = random.randrange(1 << 32)
    rng = np.random.default_rng(seed)
    query = _query()
    for _ in range(300):
        low = rng.uniform([-1, -1, 0], [1, 1, 1.2])
        low[2] *= rng.random() < 0.7
        high = low + rng.uniform(0, 0.5, 3) * (rng.random(3) < 0.6)
        assert query.relevance(Signals(*high)) >= query.relevance(Signals(*low)), f"seed {seed}"


def test_products_without_a_word_are_ordered_by_one_combination_of_the_cosines():
    query = _query()
    cosines = np.random.default_rng(2).uniform(-1, 1, size=(200, 2))
    relevance = query.relevance(Signals(cosines[:, 0], cosines[:, 1]))
    combined = cosines @ np.array(query.vector_weights)
    order = np.argsort(combined)
    assert (np.diff(relevance[order]) >= 0).all()


def test_without_a_word_a_product_needs_a_picture_of_at_least_this_cosine():
    query = _query()
    for least in (-3.0, 0.0, 1.0):
        cosine = query.least_picture(least, 0.5)
        assert -1 < cosine < 2
        assert query.unmatched_log_odds(cosine + 1e-6, 0.5) > least
        assert query.unmatched_log_odds(cosine - 1e-6, 0.5) < least
    assert (query.least_picture(-1e308, 1), query.least_picture(1e308, 1)) == (-2, 2)


def test_an_exact_hit_is_1_and_nothing_else_is():
    query = _query()
    best = Signals(np.ones(2), np.ones(2), np.full(2, 1.5), np.array([True, False]))
    assert query.relevance(best)[0] == 1
    assert query.relevance(best)[1] < 1
    assert query.relevance(Signals(-1.0, -1.0, 0.0, True)) == 1


def test_a_whole_match_of_words_is_close_whatever_the_picture_looks_like():
    assert _query().relevance(Signals(-0.2, -0.2, 0.85)) >= CLOSE
    assert _query().relevance(Signals(-0.2, -0.2, 0.3)) < CLOSE


def test_half_a_match_is_close_only_where_nothing_matches_better_and_a_thing_is_named():
    half = Signals(-0.2, -0.2, 0.4)
    assert _query(best_words=0.85).relevance(half) < CLOSE
    assert _query(best_words=0.4).relevance(half) >= CLOSE
    assert _query(best_words=0.2, subject=False).relevance(Signals(-0.2, -0.2, 0.2)) < CLOSE


def test_a_product_with_several_forms_of_a_word_makes_none_with_one_less_relevant():
    one = Signals(-0.2, -0.2, 0.7)
    assert _query(best_words=1.6).relevance(one) == _query(best_words=0.9).relevance(one) >= CLOSE
    assert _query(best_words=1.6).relevance(Signals(-0.2, -0.2, 1.6)) > _query().relevance(one)


def test_a_kind_of_which_a_product_says_enough_is_not_lacking():
    product = Signals(0.1, 0.1, 0.85)
    named = _query(best_words=0.85).relevance(product)
    assert _query(best_words=0.85, subject=False, other_kind=True).relevance(product) == named
    half = Signals(0.1, 0.1, 0.2)
    assert _query(best_words=0.2).relevance(half) >= CLOSE
    assert _query(best_words=0.2, subject=False, other_kind=True).relevance(half) < CLOSE


def test_a_weaker_best_match_is_less_relevant():
    strong = _query(best_words=0.85).relevance(Signals(-0.2, -0.2, 0.85))
    weak = _query(best_words=0.4).relevance(Signals(-0.2, -0.2, 0.4))
    assert strong > weak


def test_a_look_alike_without_the_words_needs_more_where_the_words_name_a_thing():
    look_alike = Signals(0.9, 0.9)
    named = _query(best_words=0.85, subject=True).relevance(look_alike)
    half_named = _query(best_words=0.4, subject=True).relevance(look_alike)
    unnamed = _query(best_words=0.85, subject=False).relevance(look_alike)
    assert named < half_named < unnamed
    assert unnamed == _query(best_words=0.0, subject=False).relevance(look_alike)


def test_vectors_help_words_above_the_level_of_the_query_and_never_count_against_them():
    query = _query(subject=False, best_words=0.0)
    odds = [float(query.words_log_odds(0.6, vector)) for vector in (-50.0, -20.0, 20.0, 30.0)]
    assert odds[0] == odds[1] < odds[2] < odds[3]


def test_the_vector_of_a_text_does_not_help_words_that_say_the_same():
    seen = VectorModel(picture=8.0, picture_z=0.7, text=0.0, text_z=0.0, intercept=-7.0)
    query = QueryRelevance(replace(CONSTANTS, looks=seen), vector=VECTOR, best_words=0.85)
    low, high, seen_too = (
        query.explain(Signals(picture, text, 0.7))
        for picture, text in ((2.0, 0.0), (2.0, 0.9), (3.0, 0.9))  # above the background
    )
    assert low.words_log_odds == high.words_log_odds < seen_too.words_log_odds
    assert low.vector_log_odds < high.vector_log_odds


def test_where_a_vague_query_has_no_close_words_one_product_in_ten_is_close_by_its_vectors():
    rows = ROWS / 10
    constants = replace(CONSTANTS, background=BackgroundSample(rows, rows[::-1]))
    signals = Signals(rows.astype(np.float32) @ VECTOR, rows[::-1].astype(np.float32) @ VECTOR)

    def close(*, vague: bool, best_words: float = 0.0, narrows: bool = False) -> int:
        query = QueryRelevance(
            constants, vector=VECTOR, best_words=best_words, vague=vague, narrows=narrows
        )
        return int((query.relevance(signals) >= CLOSE).sum())

    assert close(vague=False) == 0
    assert close(vague=True) == 64 - 64 * 9 // 10
    assert close(vague=True, best_words=0.1) == 64 - 64 * 9 // 10
    assert close(vague=True, best_words=0.85) == 0
    assert close(vague=True, narrows=True) == 64
    assert close(vague=True, best_words=0.85, narrows=True) == close(vague=False, narrows=True) == 0


def test_words_alone_need_no_vector():
    query = _query(vector=None)
    words = query.relevance(Signals(np.zeros(3), 0.0, np.array([0.0, 0.4, 0.85])))
    assert words[0] < words[1] < words[2]
    assert words[0] == 0


def test_a_photo_has_constants_of_its_own():
    photo, text = _query(kind="image"), _query()
    assert photo.vector_weights != text.vector_weights
    assert photo.vector_weights[1] == 0


def test_the_very_picture_is_close_whatever_was_learned():
    strict = replace(CONSTANTS, image=replace(CONSTANTS.image, intercept=-1000.0))
    photo = QueryRelevance(strict, vector=VECTOR, kind="image")
    assert photo.relevance(Signals(1.0)) >= CLOSE
    assert photo.relevance(Signals(0.9)) < CLOSE


def test_the_parts_explain_the_whole():
    query = _query()
    part = query.explain(Signals(0.4, 0.2, 0.7))
    assert part.relevance == float(query.relevance(Signals(0.4, 0.2, 0.7)))
    assert part.vector_log_odds == pytest.approx(float(query.vector_log_odds(0.4, 0.2)) - 3.0)
    odds = np.exp(max(part.vector_log_odds, part.words_log_odds))
    assert part.relevance == pytest.approx(1 / (1 + odds ** (-1 / 3)), abs=1e-6)
    assert query.explain(Signals(0.4, 0.2)).words_log_odds is None


def test_negatives_reorder_and_never_raise():
    log_odds = np.array([least_log_odds(relevance) for relevance in (0.9, 0.8, 0.7)])
    pushed = pushed_log_odds(log_odds, np.array([[1.0, 0.2, 0.0], [0.0, 0.2, 0.0]]))
    assert (pushed <= log_odds).all()
    assert relevance_of(pushed).tolist() == [0.45, 0.648, 0.7]


def test_a_negative_text_drops_what_is_close_to_it():
    assert drop(np.array([[0.9, 0.4], [0.1, 0.1]])).tolist() == [True, False]
