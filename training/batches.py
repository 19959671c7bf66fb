"""Batches by their number: which pictures, which captions, what fits.

Any process can make any of them, in any order.
"""

import itertools
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from transformers.models.clip.tokenization_clip import CLIPTokenizer

from training.captions import Caption, caption_codes, caption_for, label_codes
from training.pools import Pool
from training.tokens import LONGEST

__all__ = ["CaptionedPairs", "Pairs", "own_random", "stream", "token_ids"]

_AHEAD = 6
"""Batches that each of the processes which make them for a GPU is ahead."""

Batch = TypeVar("Batch")


def own_random(seed: int, rank: int, number: int) -> random.Random:
    """Returns the source of one batch's randomness: another for every process of the run and
    every batch."""
    return random.Random(f"{seed}/{rank}/{number}")


def stream(batches: "Dataset[Batch]", start: int, device: torch.device) -> Iterator[Batch]:
    """Yields the batches numbered `start`, `start` + 1 and so on without end.

    A GPU learns faster than one process could make them: all cores but two do; a CPU makes its own.
    """
    ahead = (
        {"num_workers": max(1, (os.cpu_count() or 1) - 2), "prefetch_factor": _AHEAD}
        if device.type == "cuda"
        else {}
    )
    return iter(DataLoader(batches, batch_size=None, sampler=itertools.count(start), **ahead))


def token_ids(tokenizer: CLIPTokenizer, captions: Sequence[Caption]) -> Tensor:
    """Returns padded token ids (C, L)."""
    texts = [caption.text for caption in captions]
    ids: Tensor = tokenizer(
        texts, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt"
    )["input_ids"]
    return ids


@dataclass(frozen=True)
class Pairs:
    """One batch of B pictures, those of 2i and 2i + 1 of the same thing, and a caption for each.

    `rows` holds for each pool which of its pictures; `tokens` is (B, L); `caption_codes` and
    `label_codes` are the codes of captions and labels that `agreement` compares; `seed` is the
    number from which the pictures' crops and light follow.
    """

    rows: list[Tensor]
    tokens: Tensor
    caption_codes: Tensor
    label_codes: Tensor
    seed: int


class CaptionedPairs(Dataset[Pairs]):  # type: ignore[misc]  # torch is not followed
    """The batches of a run: random pairs of several pools, so many of each."""

    def __init__(
        self,
        pools: Sequence[tuple[Pool, int]],
        tokenizer: CLIPTokenizer,
        *,
        seed: int,
        rank: int = 0,
    ) -> None:
        self.pools, self.tokenizer, self.seed, self.rank = pools, tokenizer, seed, rank

    def __getitem__(self, number: int) -> Pairs:
        rng = own_random(self.seed, self.rank, number)
        rows, labels = [], []
        for pool, pairs in self.pools:
            firsts = [rng.randrange(len(pool) // 2) for _ in range(pairs)]
            chosen = [2 * first + view for first in firsts for view in (0, 1)]
            rows.append(torch.tensor(chosen))
            labels += [pool.labels[row] for row in chosen]
        captions = [caption_for(label, rng) for label in labels]
        return Pairs(
            rows,
            token_ids(self.tokenizer, captions),
            caption_codes(captions),
            label_codes(labels),
            rng.getrandbits(60),
        )
