"""Captions are true of their pictures, and the tokenizer reads every text."""

import random
import re

import pytest

from demo.drawing import random_item
from training.captions import (
    agreement,
    caption_codes,
    caption_for,
    held_out_wordings,
    label_codes,
)
from training.tokens import LONGEST, train_tokenizer
from training.words import KINDS, PHOTO, Label, kinds_within, label_of, words

pytestmark = pytest.mark.slow  # loads torch


@pytest.fixture
def rng() -> random.Random:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    return random.Random(seed)


def some_labels(rng: random.Random, count: int) -> list[Label]:
    photos = [kind for kind in KINDS if kind.startswith(PHOTO)]
    drawn = [label_of(random_item(rng)) for _ in range(count)]
    return drawn + [
        Label.of_words(rng.choice(photos), rng.choice(("red", "black", None)), None, None, None)
        for _ in range(count)
    ]


def test_a_caption_is_true_of_the_picture_it_was_made_for(rng: random.Random) -> None:
    labels = some_labels(rng, 300)
    captions = [caption_for(label, rng) for label in labels]
    assert (agreement(caption_codes(captions), label_codes(labels)).diagonal() == 1).all()


def test_agreement_says_the_same_as_a_reading_of_every_pair(rng: random.Random) -> None:
    labels = some_labels(rng, 20)
    captions = [caption_for(label, rng) for label in labels]
    table = agreement(caption_codes(captions), label_codes(labels))
    for row, caption in enumerate(captions):
        for column, label in enumerate(labels):
            facts = [caption.kinds[label.kind]]
            for name in ("color", "pattern", "material", "silhouette"):
                required, shown = getattr(caption, name), getattr(label, name)
                facts.append(1 if required in (-1, shown) else -1 if shown == -1 else 0)
            assert table[row, column] == (0 if 0 in facts else -1 if -1 in facts else 1)


def test_a_photograph_of_shoes_may_show_boots_and_surely_shows_footwear() -> None:
    shoes = KINDS.index(PHOTO + "shoes")
    assert kinds_within(frozenset({"boot"}))[shoes] == -1
    assert kinds_within(frozenset({"boot", "heel", "sandal", "sneaker"}))[shoes] == 1
    assert kinds_within(frozenset({"mug"}))[shoes] == 0


def test_the_measured_wordings_are_never_trained_on(rng: random.Random) -> None:
    def plain(text: str) -> str:
        return " ".join(re.findall(r"[a-z0-9-]+", text.lower()))

    held_out = {plain(wording.text) for wording in held_out_wordings()}
    assert len(held_out) >= 30
    assert not held_out & {plain(caption_for(label, rng).text) for label in some_labels(rng, 3000)}


def test_every_word_of_the_vocabulary_has_a_name_and_a_use() -> None:
    known = words()
    assert all(naming.names and naming.uses for naming in known.categories.values())
    assert all(group.categories <= set(known.categories) for group in known.groups)


@pytest.mark.parametrize(
    "text",
    [
        *("a red dress", "", "ΚΟΚΚΙΝΟ φόρεμα", "赤いドレス"),
        *("👗" * 50, "a  RED\n dress", "x" * 10_000),
    ],
)
def test_any_text_becomes_tokens_that_end_with_the_highest_id(text: str) -> None:
    tokenizer = train_tokenizer(["a red dress", "a blue mug to drink from"] * 10, merges=40)
    ids = tokenizer(text, truncation=True)["input_ids"]
    assert len(ids) <= LONGEST
    assert ids[0] == tokenizer.bos_token_id
    assert ids[-1] == tokenizer.eos_token_id == max(ids) == len(tokenizer) - 1
    assert ids.count(tokenizer.eos_token_id) == 1


def test_case_and_white_space_do_not_matter_to_the_tokenizer() -> None:
    tokenizer = train_tokenizer(["a red dress"] * 10, merges=40)
    assert tokenizer("A  RED\n dress")["input_ids"] == tokenizer("a red dress")["input_ids"]
    assert tokenizer.decode(
        tokenizer("a red dress")["input_ids"], skip_special_tokens=True
    ).split() == ["a", "red", "dress"]
