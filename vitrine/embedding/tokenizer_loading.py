"""A transformers tokenizer as a `Tokenizer`: converted where it is slow, checked for equal ids."""

from __future__ import annotations

from typing import Any

from vitrine.embedding.cleaning import clean
from vitrine.embedding.tokenizer import Tokenizer, TokenizerConfig
from vitrine.errors import ModelUnavailable

__all__ = ["load_tokenizer", "take_over_tokenizer"]

_FIXED_LENGTH = frozenset(
    ("siglip", "siglip2")
)  # trained on rows of full length without a mask (SigLIP, section 3)
_PROBES = (
    "a red dress",
    "A photo of a T-Shirt, size XL!",
    "ein schönes grünes Kleid für 49,90 €",
    "连衣裙 / красное платье / फूल",
    "two  blanks\tand a\nline",
    "12345 it's o'clock <b>&amp;</b> 🙂",
    "word " * 600,
)


def load_tokenizer(original: Any, config: Any, name: str) -> Tokenizer:
    """The tokenizer of a loaded checkpoint.

    `ModelUnavailable` when it cannot be taken over exactly.

    `original` and `config` are what transformers loaded from it.
    """
    text = getattr(config, "text_config", config)
    fixed = config.model_type in _FIXED_LENGTH
    rules = TokenizerConfig(
        length=min(int(original.model_max_length), _positions(text)),
        pad_id=int(original.pad_token_id or 0),
        pad_to_length=fixed,
        pad_first=original.padding_side == "left",
        masked=not fixed,
    )
    return take_over_tokenizer(original, rules, name)


def take_over_tokenizer(original: Any, rules: TokenizerConfig, name: str) -> Tokenizer:
    """A transformers tokenizer under these rules.

    `ModelUnavailable` when its ids, or its padding where that is its own, cannot be had exactly.
    """
    tokenizer = Tokenizer(_backend(original, name).to_str(), rules)
    _check_same(original, tokenizer, name)
    return tokenizer


def _positions(text_config: Any) -> int:
    """How many tokens the text tower has positions for.

    RoBERTa's family starts counting after the padding index.
    """
    positions = int(getattr(text_config, "max_position_embeddings", 10**9))
    shifted = "roberta" in str(getattr(text_config, "model_type", ""))
    return positions - int(text_config.pad_token_id) - 1 if shifted else positions


def _backend(tokenizer: Any, name: str) -> Any:
    if getattr(tokenizer, "backend_tokenizer", None) is not None:
        return tokenizer.backend_tokenizer
    from transformers.convert_slow_tokenizer import convert_slow_tokenizer

    try:
        return convert_slow_tokenizer(tokenizer)
    except Exception as error:  # the converter raises whatever an unknown tokenizer provokes in it
        raise ModelUnavailable(
            f"the tokenizer of {name} cannot be converted: {error}; use a checkpoint with a "
            "tokenizer.json"
        ) from error


def _check_same(original: Any, tokenizer: Tokenizer, name: str) -> None:
    config = tokenizer.config
    expected = original(
        [clean(probe, config.clean) for probe in _PROBES],
        padding="max_length" if config.pad_to_length else True,
        truncation=True,
        max_length=config.length,
    )
    rows, own_padding = expected["input_ids"], config.pad_id == (original.pad_token_id or 0)
    if config.zeroed is not None:
        rows = [[0 if id_ == config.zeroed else id_ for id_ in row] for row in rows]
    if own_padding:
        same = tokenizer.encode(_PROBES).ids.tolist() == rows
    else:
        pairs = zip(tokenizer.rows(_PROBES), rows, strict=True)
        same = all(ids == row[: len(ids)] for ids, row in pairs)
    if not same:
        raise ModelUnavailable(
            f"the tokenizer of {name} cannot be taken over exactly; "
            "use a checkpoint with a tokenizer.json"
        )
