"""CLIP's own kind of tokenizer, with a byte-pair vocabulary learned from the captions."""

import json
from collections.abc import Iterable

from tokenizers import Tokenizer, trainers
from tokenizers.pre_tokenizers import ByteLevel
from transformers.models.clip.tokenization_clip import CLIPTokenizer

__all__ = ["LONGEST", "train_tokenizer"]

LONGEST = 48
"""Tokens of one text, its two marks included; what is longer is cut."""

_START, _END = "<|startoftext|>", "<|endoftext|>"


def train_tokenizer(captions: Iterable[str], *, merges: int) -> CLIPTokenizer:
    """Returns a CLIP tokenizer with at most `merges` merges learned from the captions.

    Lower case, white space cleaned up, every byte in the vocabulary with and without `</w>`: no
    text is unknown. The ids of the two marks are the highest, as CLIP's are; text towers find the
    end by that.
    """
    byte_symbols = _byte_symbols()
    learner: Tokenizer = CLIPTokenizer().backend_tokenizer
    trainer = trainers.BpeTrainer(
        vocab_size=merges + 2 * len(byte_symbols),
        initial_alphabet=byte_symbols,
        end_of_word_suffix="</w>",
        min_frequency=5,
        show_progress=False,
        special_tokens=[],
    )
    learner.train_from_iterator(captions, trainer)
    pairs = _merges(learner)[:merges]
    words = [
        *byte_symbols,
        *(symbol + "</w>" for symbol in byte_symbols),
        *("".join(pair) for pair in pairs),
        _START,
        _END,
    ]
    vocabulary = {word: index for index, word in enumerate(dict.fromkeys(words))}
    return CLIPTokenizer(vocab=vocabulary, merges=pairs, model_max_length=LONGEST)


def _byte_symbols() -> list[str]:
    return sorted(ByteLevel.alphabet())


def _merges(learner: Tokenizer) -> list[tuple[str, str]]:
    merges = json.loads(learner.to_str())["model"]["merges"]
    return [(left, right) for left, right in merges]
