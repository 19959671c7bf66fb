"""The last lessons of the dual encoder: its eyes stay as they are, the words learn to meet what they see.

A frozen tower's features are computed once, so that a step costs only the text side and sees many more pairs at a
time (Zhai et al. 2022, locked-image tuning, with the image's projection left free).
"""

import math
import random
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm
from transformers.models.clip.tokenization_clip import CLIPTokenizer
from transformers.models.vision_text_dual_encoder.modeling_vision_text_dual_encoder import VisionTextDualEncoderModel

from demo.training.augmentation import augmented
from demo.training.captions import agreement, caption_for
from demo.training.dual_encoder import IMAGE_SIZE, half_precision
from demo.training.losses import caption_loss, twin_loss
from demo.training.pools import Pool
from demo.training.schedule import Budget
from demo.training.tokens import LONGEST

__all__ = ["READ_DRAWN_PAIRS", "READ_PHOTO_PAIRS", "ReadingLessons"]

PEAK_RATE = 1e-3
LARGEST_SCALE = 50.0
TWIN_WEIGHT, TWIN_TEMPERATURE = 0.2, 0.1
READ_DRAWN_PAIRS, READ_PHOTO_PAIRS = 130, 50
_AT_ONCE = 128


class ReadingLessons:
    """Trains the text tower and both projections of a dual encoder on pools whose features are kept."""

    def __init__(
        self, model: VisionTextDualEncoderModel, tokenizer: CLIPTokenizer, pools: Sequence[tuple[Pool, int]], *, seed: int, budget: Budget
    ) -> None:
        """`pools` come with the pairs each gives to a batch."""
        torch.manual_seed(seed)
        self.model, self.tokenizer, self.budget = model, tokenizer, budget
        self.generator = torch.Generator().manual_seed(seed)
        self.rng = random.Random(seed)
        self.learnt = [value for name, value in model.named_parameters() if not name.startswith("vision_model.")]
        self.optimizer = torch.optim.AdamW(self.learnt, PEAK_RATE, betas=(0.9, 0.98), weight_decay=0.02)
        self.shares = [(pool, pairs, self._features(pool)) for pool, pairs in pools]
        self.step = 0

    def _features(self, pool: Pool) -> Tensor:
        """What the tower sees in every picture of the pool, each cropped and lit at random once: (N, W)."""
        rows = []
        device = self.model.device
        self.model.eval()
        for start in tqdm(range(0, len(pool), _AT_ONCE), desc="features", mininterval=10):
            images = torch.from_numpy(np.array(pool.images[start : start + _AT_ONCE])).to(device)
            pixels = augmented(images, IMAGE_SIZE, self.generator, least=0.8).contiguous(memory_format=torch.channels_last)
            with torch.no_grad(), half_precision(device):
                rows.append(self.model.vision_model(pixel_values=pixels).pooler_output.float())
        self.model.train()
        return torch.cat(rows)

    def train_step(self) -> dict[str, float]:
        """Learns from one batch; returns its losses by name."""
        features, labels = [], []
        for pool, pairs, kept in self.shares:
            first = 2 * torch.randint(len(pool) // 2, (pairs,), generator=self.generator)
            rows = torch.stack((first, first + 1), 1).flatten()
            features.append(kept[rows])
            labels += [pool.labels[row] for row in rows.tolist()]
        captions = [caption_for(label, self.rng) for label in labels]
        tokens = self.tokenizer([c.text for c in captions], padding=True, truncation=True, max_length=LONGEST, return_tensors="pt")
        fits = torch.from_numpy(agreement(captions, labels)).to(self.model.device)
        for group in self.optimizer.param_groups:
            group["lr"] = self.budget.learning_rate(self.step, peak=PEAK_RATE, warm_steps=50)
        with half_precision(self.model.device):
            texts = self.model.get_text_features(input_ids=tokens["input_ids"].to(self.model.device)).pooler_output
        images = nn.functional.normalize(self.model.visual_projection(torch.cat(features)), dim=1)
        texts = nn.functional.normalize(texts.float(), dim=1)
        losses = {
            "captions": caption_loss(texts, images, self.model.logit_scale.exp(), fits),
            "twins": TWIN_WEIGHT * twin_loss(images, temperature=TWIN_TEMPERATURE),
        }
        torch.stack(list(losses.values())).sum().backward()
        nn.utils.clip_grad_norm_(self.learnt, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        with torch.no_grad():
            self.model.logit_scale.clamp_(max=math.log(LARGEST_SCALE))
        self.step += 1
        return {name: loss.item() for name, loss in losses.items()}

    def run(self) -> None:
        """Trains until the budget is spent; the model holds what was learnt."""
        self.budget.restart()
        bar = tqdm(total=100, unit="%", desc="reading", mininterval=10, bar_format="{desc} {n:.1f}% {elapsed}<{remaining} {postfix}")
        while self.budget.progress(self.step) < 1:
            losses = self.train_step()
            if self.step % 10 == 0:
                bar.n = min(100.0, 100 * self.budget.progress(self.step))
                bar.set_postfix({"step": self.step, **{name: f"{value:.3f}" for name, value in losses.items()}})
        bar.close()
