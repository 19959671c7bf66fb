"""The last part of the dual encoder's training: the image tower is frozen, the text side learns to
meet it.

A frozen tower's features are computed once, so that a step costs only the text side and sees many
more pairs at a time (Zhai et al. 2022, locked-image tuning, with the image's projection left free).
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm
from transformers.models.clip.tokenization_clip import CLIPTokenizer
from transformers.models.vision_text_dual_encoder.modeling_vision_text_dual_encoder import (
    VisionTextDualEncoderModel,
)

from training.augmentation import augmented
from training.batches import CaptionedPairs, Pairs, stream
from training.captions import agreement
from training.dual_encoder import IMAGE_SIZE, half_precision
from training.losses import caption_loss, twin_loss
from training.pools import Pool
from training.schedule import Budget

__all__ = ["FINETUNE_DRAWN_PAIRS", "FINETUNE_PHOTO_PAIRS", "TextFinetuner"]

PEAK_RATE = 1e-3
LARGEST_SCALE = 50.0
TWIN_WEIGHT, TWIN_TEMPERATURE = 0.2, 0.1
FINETUNE_DRAWN_PAIRS, FINETUNE_PHOTO_PAIRS = 130, 50
_AT_ONCE = 512


class TextFinetuner:
    """Trains the text tower and both projections of a dual encoder on pools whose
    features are kept."""

    def __init__(
        self,
        model: VisionTextDualEncoderModel,
        tokenizer: CLIPTokenizer,
        pools: Sequence[tuple[Pool, int]],
        *,
        seed: int,
        budget: Budget,
    ) -> None:
        """`pools` come with the pairs each gives to a batch."""
        torch.manual_seed(seed)
        self.model, self.budget = model, budget
        self.generator = torch.Generator(model.device).manual_seed(seed)
        self.trained = [
            value
            for name, value in model.named_parameters()
            if not name.startswith("vision_model.")
        ]
        self.optimizer = torch.optim.AdamW(
            self.trained, PEAK_RATE, betas=(0.9, 0.98), weight_decay=0.02
        )
        self.features = [self._features(pool) for pool, _ in pools]
        self.batches: Iterator[Pairs] = stream(
            CaptionedPairs(pools, tokenizer, seed=seed), 0, model.device
        )
        self.step = 0

    def _features(self, pool: Pool) -> Tensor:
        """What the tower sees in every picture of the pool, each cropped and lit at random once:
        (N, W)."""
        rows = []
        device = self.model.device
        self.model.eval()
        for start in tqdm(range(0, len(pool), _AT_ONCE), desc="features", mininterval=10):
            images = torch.from_numpy(np.array(pool.images[start : start + _AT_ONCE])).to(device)
            pixels = augmented(images, IMAGE_SIZE, self.generator, least=0.8).contiguous(
                memory_format=torch.channels_last
            )
            with torch.no_grad(), half_precision(device):
                rows.append(self.model.vision_model(pixel_values=pixels).pooler_output.float())
        self.model.train()
        return torch.cat(rows)

    def train_step(self) -> dict[str, Tensor]:
        """Learns from one batch; returns its losses by name."""
        batch, device = next(self.batches), self.model.device
        features = [
            features_of_pool[rows.to(device)]
            for features_of_pool, rows in zip(self.features, batch.rows, strict=True)
        ]
        fits = agreement(batch.caption_codes.to(device), batch.label_codes.to(device))
        for group in self.optimizer.param_groups:
            group["lr"] = self.budget.learning_rate(self.step, peak=PEAK_RATE, warm_steps=50)
        with half_precision(device):
            texts = self.model.get_text_features(input_ids=batch.tokens.to(device)).pooler_output
        images = nn.functional.normalize(self.model.visual_projection(torch.cat(features)), dim=1)
        texts = nn.functional.normalize(texts.float(), dim=1)
        losses = {
            "captions": caption_loss(texts, images, self.model.logit_scale.exp(), fits),
            "twins": TWIN_WEIGHT * twin_loss(images, temperature=TWIN_TEMPERATURE),
        }
        torch.stack(list(losses.values())).sum().backward()
        nn.utils.clip_grad_norm_(self.trained, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        with torch.no_grad():
            self.model.logit_scale.clamp_(max=math.log(LARGEST_SCALE))
        self.step += 1
        return {name: loss.detach() for name, loss in losses.items()}

    def run(self) -> None:
        """Trains until the budget is spent; the model holds what was learned."""
        self.budget.restart()
        bar = tqdm(
            total=100,
            unit="%",
            desc="text finetuning",
            mininterval=10,
            bar_format="{desc} {n:.1f}% {elapsed}<{remaining} {postfix}",
        )
        while self.budget.progress(self.step) < 1:
            losses = self.train_step()
            if self.step % 10 == 0:
                bar.n = min(100.0, 100 * self.budget.progress(self.step))
                bar.set_postfix(
                    {
                        "step": self.step,
                        **{name: f"{float(value):.3f}" for name, value in losses.items()},
                    }
                )
        bar.close()
