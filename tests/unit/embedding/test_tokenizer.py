"""Token ids are those of the checkpoint's own tokenizer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoConfig, AutoTokenizer

from tests.checkpoints import clip_tokenizer
from vitrine.embedding.tokenizer_loading import load_tokenizer
from vitrine.errors import ModelUnavailable

pytestmark = pytest.mark.slow  # loads torch

TEXTS = [
    "a red dress",
    "",
    "  Wide   BLANKS\n",
    "ünïcödé 连衣裙 🙂",
    "don't",
    "striped " * 300,
    "<|endoftext|> in the text",
]


def loaded(folder: Path) -> tuple[Any, Any]:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return tokenizer, load_tokenizer(tokenizer, AutoConfig.from_pretrained(folder), "tiny")


@pytest.mark.parametrize("kind", ["clip_folder", "dual_folder", "owlvit_folder"])
def test_rows_are_as_long_as_the_longest_text(kind: str, request: pytest.FixtureRequest) -> None:
    theirs, ours = loaded(request.getfixturevalue(kind))
    for texts in (TEXTS, TEXTS[:1], TEXTS[2:4]):
        expected = theirs(texts, padding=True, truncation=True)
        batch = ours.encode(texts)
        assert batch.ids.tolist() == expected["input_ids"]
        assert batch.mask.tolist() == expected["attention_mask"]


def test_siglip_rows_are_always_of_full_length(siglip_folder: Path) -> None:
    theirs, ours = loaded(siglip_folder)
    assert (
        ours.encode(TEXTS).ids.tolist()
        == theirs(TEXTS, padding="max_length", max_length=16, truncation=True)["input_ids"]
    )
    assert ours.encode(["x"]).ids.shape == (1, 16)


COUNT_THREADS = """
import sys
import psutil
from vitrine.embedding.tokenizer import Tokenizer, TokenizerConfig

rules = TokenizerConfig(77, pad_id=0, pad_to_length=False, pad_first=False, masked=True)
tokenizer = Tokenizer(sys.stdin.read(), rules)
before = psutil.Process().num_threads()
tokenizer.rows(["a red dress"] * 16)
print(psutil.Process().num_threads() - before)
"""


def test_texts_together_start_no_threads_of_the_library(clip_folder: Path) -> None:
    _, ours = loaded(clip_folder)
    command = [sys.executable, "-c", COUNT_THREADS]
    done = subprocess.run(
        command, input=ours.to_json(), capture_output=True, text=True, timeout=240, check=True
    )
    assert int(done.stdout) == 0


def test_truncation_is_told(clip_folder: Path) -> None:
    _, ours = loaded(clip_folder)
    fits = "a " * 75  # with the marks of start and end: 77
    assert not ours.truncates(fits)
    assert ours.truncates(fits + "a")
    assert not ours.truncates("")


def test_what_is_saved_reads_back_the_same(clip_folder: Path) -> None:
    _, ours = loaded(clip_folder)
    again = type(ours)(ours.to_json(), ours.config)
    assert again.encode(TEXTS).ids.tolist() == ours.encode(TEXTS).ids.tolist()


def test_a_tokenizer_that_cannot_be_taken_over_exactly_is_refused(clip_folder: Path) -> None:
    class Odd:
        """Counts from one, whatever it reads."""

        def __init__(self, tokenizer: Any) -> None:
            self._tokenizer = tokenizer

        def __getattr__(self, name: str) -> Any:
            return getattr(self._tokenizer, name)

        def __call__(self, texts: list[str], **_: Any) -> dict[str, Any]:
            return {"input_ids": [[1, 2, 3] for _ in texts]}

    tokenizer = AutoTokenizer.from_pretrained(clip_folder)
    with pytest.raises(ModelUnavailable, match="exactly"):
        load_tokenizer(Odd(tokenizer), AutoConfig.from_pretrained(clip_folder), "tiny")


def test_the_tests_own_tokenizer_is_the_same_in_every_process() -> None:
    """Or the processes of a run would not find each other's exports; its trainer draws lots."""
    first, *others = [clip_tokenizer().get_vocab() for _ in range(5)]
    assert all(other == first for other in others)
