"""Corrections are the nearest words of the catalogue, found as comparing with each of them
finds."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from vitrine.fields.schema import BUILT_IN_FIELDS, Field, Schema
from vitrine.products import Product
from vitrine.understanding import grammar
from vitrine.understanding.spelling import Spelling
from vitrine.words import Analyzer, Vocabulary, VocabularyCounts, document_words

SCHEMA = Schema(tuple(Field(name, kind) for name, kind in BUILT_IN_FIELDS.items()))


def _vocabulary(titles: list[str], prose: str = "") -> Vocabulary:
    counts = VocabularyCounts()
    counts.add(
        document_words(Product(id=str(n), title=t, description=prose), SCHEMA, Analyzer("en"))
        for n, t in enumerate(titles)
    )
    return counts.vocabulary()


def _by_comparing_with_all(vocabulary: Vocabulary, word: str) -> set[str]:
    edits = 1 if len(word) <= 7 else 2
    distances = {
        other: OSA.distance(word, other)
        for other, names in zip(vocabulary.words, vocabulary.name_counts.tolist(), strict=True)
        if names and len(other) >= 3 and _may_be_meant(word, other)
    }
    least = min(distances.values(), default=edits + 1)
    return {w for w, d in distances.items() if d == least} if least <= edits else set()


def _may_be_meant(typed: str, word: str) -> bool:
    """The first letter is right, or swapped with the second; of four letters none is another."""
    swapped = typed[1] + typed[0] + typed[2:]
    is_swapped = word[:2] == swapped[:2] and (
        OSA.distance(swapped, word) < OSA.distance(typed, word)
    )
    changed = sum(a != b for a, b in zip(typed, word, strict=False))
    another_letter = len(typed) == len(word) == 4 and changed == 1
    return (word[0] == typed[0] or is_swapped) and not another_letter


def test_the_sieve_loses_no_near_word():
    seed = random.randrange(1 << 32)
    rng = random.Random(seed)
    words = ["".join(rng.choices("abcdeéñшß", k=rng.randint(3, 11))) for _ in range(400)]
    vocabulary = _vocabulary(words)
    spelling = Spelling(vocabulary)
    for word in vocabulary.words:
        if len(word) < 4:
            continue
        place = rng.randrange(len(word))
        typed = word[:place] + rng.choice(["", "q", word[place] + "a"]) + word[place + 1 :]
        if len(typed) >= 4:
            nearest = _by_comparing_with_all(vocabulary, typed)
            corrected = spelling.correct(typed)
            assert corrected in nearest or (corrected is None and not nearest), (seed, typed)


def test_of_equally_near_words_the_commonest_comes_first():
    spelling = Spelling(_vocabulary(["carts", "cards", "cards"]))
    assert spelling.correct("carzs") == "cards"


def test_the_same_first_letter_comes_before_the_commonest():
    spelling = Spelling(_vocabulary(["sock", "lock", "lock"]))
    assert spelling.correct("sockk") == "sock"
    assert Spelling(_vocabulary(["dress", "press", "press"])).correct("drss") == "dress"


def test_words_of_prose_alone_are_not_corrected_to():
    assert Spelling(_vocabulary(["Sofa"], prose="Soft velvet")).correct("velvt") is None


def test_a_catalogue_without_words_corrects_nothing():
    assert Spelling(Vocabulary.empty()).correct("dress") is None


@settings(deadline=None)
@given(st.text(max_size=12))
def test_any_text_is_corrected_or_not(text: str):
    assert Spelling(_vocabulary(["red dress"])).correct(text) in (None, "dress", "red")


def test_two_letters_that_another_word_begins_with_are_not_taken_for_swapped_ones():
    assert Spelling(_vocabulary(["camión amarillo"])).correct("martillo") is None


SHOP = ["arden home lamp", "yoga strap", "roller", "dress", "duffle watch", "sofa", "candle"]


@pytest.mark.parametrize("word", ["garden", "hose", "stroller", "rope", "handle", "lofa", "gress"])
def test_things_that_the_shop_lacks_are_not_taken_for_others(word: str):
    assert Spelling(_vocabulary(SHOP)).correct(word) is None


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("yoag", "yoga"),
        ("drss", "dress"),
        ("dresss", "dress"),
        ("ydoga", "yoga"),
        ("oyga", "yoga"),
        ("duffel", "duffle"),
        ("wacth", "watch"),
        ("sfa", None),
        ("soffa", "sofa"),
    ],
)
def test_letters_left_out_added_or_swapped_are_slips(typed: str, meant: str | None):
    assert Spelling(_vocabulary(SHOP)).correct(typed) == meant


def test_a_word_that_sounds_alike_is_meant_whatever_its_letters():
    titles = ["Anillo circonita", "Vela", "Chaqueta"]
    spelling = Spelling(_vocabulary(titles), grammar("es").sounds)
    assert [spelling.correct(word) for word in ("zirconita", "aniyo")] == ["circonita", "anillo"]
    assert spelling.correct("bela") is None  # of four letters another word is likelier
    assert Spelling(_vocabulary(titles)).correct("zirconita") is None
