"""Trains the dual encoder on drawings and photographs: the tower alone first, by naming what it
sees, then both towers."""

import math
import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.models.clip.tokenization_clip import CLIPTokenizer

from demo.drawing import COLORS, PATTERNS
from training.augmentation import augmented
from training.batches import CaptionedPairs, Pairs, stream
from training.captions import agreement, caption_for
from training.distributed import Processes
from training.dual_encoder import (
    IMAGE_SIZE,
    Embeddings,
    half_precision,
    new_dual_encoder,
    pick_device,
    save_checkpoint,
)
from training.losses import caption_loss, twin_loss
from training.pools import Pictures, Pool
from training.schedule import Budget
from training.tokens import train_tokenizer
from training.trainer import Trainer, adamw
from training.words import ALL_MATERIALS, ALL_SILHOUETTES, KINDS

__all__ = ["ClipTrainer", "tokenizer_for"]

LARGEST_SCALE = 50.0
DRAWN_PAIRS, PHOTO_PAIRS = 20, 10
GPU_BATCH = 16
"""How many processes' pictures a GPU learns from at once."""
SEEING_SHARE = 0.3
"""The part of the run before captions join: a tower that names nothing yet learns little from
them, and they cost a fifth of a step."""
TWIN_WEIGHT, TWIN_TEMPERATURE = 0.3, 0.1
NAMING_WEIGHT = 2.0
_MERGES = 2500
_TEXT_SIDE = ("model.text_model.", "model.text_projection.", "model.logit_scale")
_HEADS = (len(KINDS), len(COLORS), len(PATTERNS), len(ALL_MATERIALS), len(ALL_SILHOUETTES))


def tokenizer_for(pools: Iterable[Pool], seed: int) -> CLIPTokenizer:
    """Returns a tokenizer learned from captions of the pools' labels."""
    rng = random.Random(seed)
    labels = [label for pool in pools for label in pool.labels[:20000]]
    return train_tokenizer(
        (caption_for(label, rng).text for _ in range(4) for label in labels), merges=_MERGES
    )


class ClipTrainer(Trainer):
    """One training run of the dual encoder."""

    name, rate, warm_steps = "clip", 1.5e-3, 150

    def __init__(
        self,
        tokenizer: CLIPTokenizer,
        pools: list[tuple[Pool, int]],
        *,
        seed: int,
        budget: Budget,
        processes: Processes | None = None,
    ) -> None:
        """`pools` come with the pairs each gives to a batch of one process."""
        torch.manual_seed(seed)
        self.tokenizer, self.device = tokenizer, pick_device()
        dual_encoder = Embeddings(new_dual_encoder(tokenizer)).to(
            self.device, memory_format=torch.channels_last
        )
        self.heads = nn.Linear(dual_encoder.model.config.vision_config.hidden_size, sum(_HEADS)).to(
            self.device
        )
        optimizer = adamw(
            [*dual_encoder.parameters(), *self.heads.parameters()], self.rate, decay=0.05
        )
        super().__init__(
            dual_encoder,
            {"heads": self.heads},
            optimizer,
            budget=budget,
            processes=processes or Processes(),
        )
        times = GPU_BATCH if self.device.type == "cuda" else 1
        self.pairs = CaptionedPairs(
            [(pool, pairs * times) for pool, pairs in pools],
            tokenizer,
            seed=seed,
            rank=self.processes.rank,
        )
        self.pictures = Pictures([pool.images for pool, _ in pools], self.device)
        self.text_joined = False
        self.batches: Iterator[Pairs] | None = None
        self.generator = torch.Generator(self.device)

    def _parameters(self) -> list[nn.Parameter]:
        """What is learned now: before captions join, the text side waits as it is."""
        own = (
            value
            for name, value in self.model.named_parameters()
            if self.text_joined or not name.startswith(_TEXT_SIDE)
        )
        return [*own, *self.heads.parameters()]

    def _pixels(self, batch: Pairs) -> Tensor:
        images = self.pictures.take(batch.rows).to(self.device)
        self.generator.manual_seed(batch.seed)
        return augmented(images, IMAGE_SIZE, self.generator).contiguous(
            memory_format=torch.channels_last
        )

    def train_step(self) -> dict[str, Tensor]:
        """Learns from the next batch; returns its losses by name."""
        if self.batches is None:
            self.batches = stream(self.pairs, self.step, self.device)
        batch = next(self.batches)
        shown = batch.label_codes.to(self.device)
        reads = self._reads()
        with half_precision(self.device):
            images, features = self.model.encode_images(self._pixels(batch))
            named = self.heads(features)
            texts = self.model.encode_texts(batch.tokens.to(self.device)) if reads else None
        losses = {
            "twins": TWIN_WEIGHT * twin_loss(images, temperature=TWIN_TEMPERATURE),
            "names": NAMING_WEIGHT * _naming_loss(named.float(), shown),
        }
        if texts is not None:
            fits = agreement(batch.caption_codes.to(self.device), shown)
            losses["captions"] = caption_loss(
                texts, images, self.model.model.logit_scale.exp(), fits
            )
        self.descend(torch.stack(list(losses.values())).sum(), self._parameters())
        with torch.no_grad():
            for pair in (self.model, self.average):
                pair.model.logit_scale.clamp_(max=math.log(LARGEST_SCALE))
        return {name: loss.detach() for name, loss in losses.items()}

    def _reads(self) -> bool:
        """Whether captions have joined; from then on every parameter is learned."""
        if not self.text_joined:
            self.text_joined = self.processes.first_decides(
                self.budget.progress(self.step) >= SEEING_SHARE
            )
        return self.text_joined

    def save_checkpoint(self, out: Path) -> None:
        """Writes the average and the tokenizer."""
        save_checkpoint(self.average.model, self.average.model.state_dict(), self.tokenizer, out)


def _naming_loss(named: Tensor, codes: Tensor) -> Tensor:
    """Mean over the attributes of the cross entropy of naming each.

    Unknown ones (-1) are left out.
    """
    parts = []
    for logits, target in zip(named.split(_HEADS, 1), codes.T, strict=True):
        known = (target >= 0).sum().clamp(min=1)
        parts.append(
            functional.cross_entropy(
                logits, target, ignore_index=-1, label_smoothing=0.05, reduction="sum"
            )
            / known
        )
    return torch.stack(parts).mean()
