"""Texts to token ids as the checkpoint's own tokenizer makes them, by the `tokenizers` library
alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import tokenizers
from numpy.typing import NDArray

from vitrine.embedding.cleaning import Cleaning, clean

__all__ = ["TokenBatch", "Tokenizer", "TokenizerConfig"]


_CACHED = 128
"""Texts whose ids are cached: a query is embedded, and then checked for being cut."""


@dataclass(frozen=True, slots=True)
class TokenizerConfig:
    """How token ids become rows of equal length.

    `length` is the most tokens the model reads (77 for CLIP). `pad_to_length` is for models that
    were trained on rows of that very length (SigLIP); others get rows as long as the longest text.
    `masked` says whether the model takes an attention mask. `pad_first` puts the padding before the
    text. `clean` is what happens to a text before, `zeroed` a token whose place gets 0.
    """

    length: int
    pad_id: int
    pad_to_length: bool
    pad_first: bool
    masked: bool
    clean: Cleaning = "none"
    zeroed: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class TokenBatch:
    """Rows of token ids and their mask (1 for a token, 0 for padding), both (n, length) int64."""

    ids: NDArray[np.int64]
    mask: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)


class Tokenizer:
    """A tokenizer and its rules; safe to use from several threads."""

    def __init__(self, tokenizer_json: str, config: TokenizerConfig) -> None:
        self.config = config
        self._tokenizer = tokenizers.Tokenizer.from_str(tokenizer_json)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(config.length)
        self._read = lru_cache(_CACHED)(self._encoded)

    def encode(self, texts: Sequence[str]) -> TokenBatch:
        """Rows of one length.

        A text of more tokens than the model reads is cut, its end mark kept.
        """
        rows = self.rows(texts)
        length = self.config.length if self.config.pad_to_length else max(map(len, rows), default=1)
        ids = np.full((len(rows), length), self.config.pad_id, np.int64)
        mask = np.zeros((len(rows), length), np.int64)
        for row, (into, seen) in zip(rows, zip(ids, mask, strict=True), strict=True):
            place = (
                slice(length - len(row), length) if self.config.pad_first else slice(0, len(row))
            )
            into[place] = row
            seen[place] = 1
        return TokenBatch(ids, mask)

    def rows(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text, cut but not padded.

        One by one: a text takes ten microseconds, less than waking the library's threads for it.
        """
        rows = [self._read(text)[0] for text in texts]
        if self.config.zeroed is None:
            return rows
        return [[0 if id_ == self.config.zeroed else id_ for id_ in row] for row in rows]

    def truncates(self, text: str) -> bool:
        """Whether the model would read only the beginning of the text."""
        return self._read(text)[1]

    def _encoded(self, text: str) -> tuple[list[int], bool]:
        """The ids of a text, and whether it was cut."""
        encoding = self._tokenizer.encode(clean(text, self.config.clean))
        return encoding.ids, bool(encoding.overflowing)

    def to_json(self) -> str:
        """The tokenizer as tokenizer.json holds it, with these rules' truncation."""
        return str(self._tokenizer.to_str())
