"""Trains the dual encoder on drawings and photographs: the tower alone first, by naming what it sees, then both towers."""

import math
import random
from collections.abc import Iterable, Iterator
from copy import deepcopy
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm
from transformers.models.clip.tokenization_clip import CLIPTokenizer

from demo.drawing import COLOURS, PATTERNS
from demo.training.augmentation import augmented
from demo.training.averages import follow
from demo.training.batches import CaptionedPairs, Pairs, stream
from demo.training.captions import agreement, caption_for
from demo.training.dual_encoder import IMAGE_SIZE, Embeddings, half_precision, new_dual_encoder, pick_device, save_checkpoint
from demo.training.losses import caption_loss, twin_loss
from demo.training.partners import Partners
from demo.training.pools import Pictures, Pool
from demo.training.schedule import Budget
from demo.training.tokens import learnt_tokenizer
from demo.training.words import ALL_MATERIALS, ALL_SILHOUETTES, KINDS

__all__ = ["ClipLessons", "tokenizer_for"]

PEAK_RATE = 1.5e-3
LARGEST_SCALE = 50.0
DRAWN_PAIRS, PHOTO_PAIRS = 20, 10
GPU_BATCH = 16
"""How many processes' pictures a GPU learns from at once."""
SEEING_SHARE = 0.3
"""The part of the run before captions join: a tower that names nothing yet learns little from them, and they cost a fifth of a step."""
TWIN_WEIGHT, TWIN_TEMPERATURE = 0.3, 0.1
NAMING_WEIGHT = 2.0
_MERGES = 2500
_READING = ("model.text_model.", "model.text_projection.", "model.logit_scale")
_HEADS = (len(KINDS), len(COLOURS), len(PATTERNS), len(ALL_MATERIALS), len(ALL_SILHOUETTES))


def tokenizer_for(pools: Iterable[Pool], seed: int) -> CLIPTokenizer:
    """Returns a tokenizer learnt from captions of the pools' labels."""
    rng = random.Random(seed)
    labels = [label for pool in pools for label in pool.labels[:20000]]
    return learnt_tokenizer((caption_for(label, rng).text for _ in range(4) for label in labels), merges=_MERGES)


class ClipLessons:
    """One training run: the model, its slow average that is kept, and everything needed to go on after a stop."""

    def __init__(
        self, tokenizer: CLIPTokenizer, pools: list[tuple[Pool, int]], *, seed: int, budget: Budget, partners: Partners | None = None
    ) -> None:
        """`pools` come with the pairs each gives to a batch of one process."""
        torch.manual_seed(seed)
        self.tokenizer, self.budget = tokenizer, budget
        self.partners = partners or Partners()
        self.device = pick_device()
        times = GPU_BATCH if self.device.type == "cuda" else 1
        self.pairs = CaptionedPairs([(pool, pairs * times) for pool, pairs in pools], tokenizer, seed=seed, rank=self.partners.rank)
        self.pictures = Pictures([pool.images for pool, _ in pools], self.device)
        self.model = Embeddings(new_dual_encoder(tokenizer)).to(self.device, memory_format=torch.channels_last)
        self.heads = nn.Linear(self.model.model.config.vision_config.hidden_size, sum(_HEADS)).to(self.device)
        self.average = deepcopy(self.model).requires_grad_(False)
        every = [*self.model.parameters(), *self.heads.parameters()]
        matrices = [p for p in every if p.ndim > 1]
        others = [p for p in every if p.ndim < 2]
        self.optimizer = torch.optim.AdamW(
            [{"params": matrices, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}],
            PEAK_RATE,
            betas=(0.9, 0.98),
            fused=self.device.type == "cuda",
        )
        self.step, self.reading = 0, False
        self.batches: Iterator[Pairs] | None = None
        self.generator = torch.Generator(self.device)

    def _parameters(self) -> list[nn.Parameter]:
        """What is learnt now: before captions join, the text side waits as it is."""
        own = (value for name, value in self.model.named_parameters() if self.reading or not name.startswith(_READING))
        return [*own, *self.heads.parameters()]

    def _pixels(self, batch: Pairs) -> Tensor:
        images = self.pictures.take(batch.rows).to(self.device)
        self.generator.manual_seed(batch.seed)
        return augmented(images, IMAGE_SIZE, self.generator).contiguous(memory_format=torch.channels_last)

    def train_step(self) -> dict[str, Tensor]:
        """Learns from the next batch; returns its losses by name."""
        if self.batches is None:
            self.batches = stream(self.pairs, self.step, self.device)
        batch = next(self.batches)
        shown = batch.shown.to(self.device)
        for group in self.optimizer.param_groups:
            group["lr"] = self.budget.learning_rate(self.step, peak=PEAK_RATE, warm_steps=150)
        reads = self._reads()
        with half_precision(self.device):
            images, features = self.model.see(self._pixels(batch))
            named = self.heads(features)
            texts = self.model.read(batch.tokens.to(self.device)) if reads else None
        losses = {
            "twins": TWIN_WEIGHT * twin_loss(images, temperature=TWIN_TEMPERATURE),
            "names": NAMING_WEIGHT * _naming_loss(named.float(), shown),
        }
        if texts is not None:
            fits = agreement(batch.asked.to(self.device), shown)
            losses["captions"] = caption_loss(texts, images, self.model.model.logit_scale.exp(), fits)
        torch.stack(list(losses.values())).sum().backward()
        learnt = self._parameters()
        self.partners.average_gradients(learnt)
        nn.utils.clip_grad_norm_(learnt, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        with torch.no_grad():
            self.model.model.logit_scale.clamp_(max=math.log(LARGEST_SCALE))
        self.step += 1
        follow(self.average, self.model, self.step)
        return {name: loss.detach() for name, loss in losses.items()}

    def _reads(self) -> bool:
        """Whether captions have joined; from then on every parameter is learnt."""
        if not self.reading:
            self.reading = self.partners.first_says(self.budget.progress(self.step) >= SEEING_SHARE)
        return self.reading

    def run(self, out: Path, *, save_every: float = 120.0) -> None:
        """Trains until the budget is spent; saves the state and the checkpoint in `out` every `save_every` seconds and at the end."""
        self.budget.restart()
        bar = tqdm(total=100, unit="%", desc="clip", mininterval=10, bar_format="{desc} {n:.1f}% {elapsed}<{remaining} {postfix}")
        saved = self.budget.seconds
        while not self.partners.first_says(self.budget.progress(self.step) >= 1):
            losses = self.train_step()
            if self.step % 20 == 0:
                bar.n = min(100.0, 100 * self.budget.progress(self.step))
                bar.set_postfix({"step": self.step, **{name: f"{float(value):.3f}" for name, value in losses.items()}})
            if self.budget.seconds - saved > save_every:
                self.save(out)
                saved = self.budget.seconds
        self.save(out)
        bar.close()

    def save(self, out: Path) -> None:
        """Writes the checkpoint, and beside it the state that `load` goes on from."""
        if self.partners.rank:
            return
        save_checkpoint(self.average.model, self.average.model.state_dict(), self.tokenizer, out)
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "heads": self.heads.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "reading": self.reading,
            "spent": self.budget.seconds,
        }
        aside = out / "training.new"
        torch.save(state, aside)
        aside.replace(out / "training.pt")

    def load(self, out: Path) -> None:
        """Goes on from the state that `save` wrote. OSError where there is none."""
        state = torch.load(out / "training.pt", map_location=self.device, weights_only=False)
        for name in ("model", "average", "heads", "optimizer"):
            getattr(self, name).load_state_dict(state[name])
        self.step, self.reading, self.budget.spent = state["step"], state["reading"], state["spent"]


def _naming_loss(named: Tensor, codes: Tensor) -> Tensor:
    """Mean over the attributes of the cross entropy of naming each; unknown ones (-1) are left out."""
    parts = []
    for logits, wanted in zip(named.split(_HEADS, 1), codes.T, strict=True):
        known = (wanted >= 0).sum().clamp(min=1)
        parts.append(functional.cross_entropy(logits, wanted, ignore_index=-1, label_smoothing=0.05, reduction="sum") / known)
    return torch.stack(parts).mean()
