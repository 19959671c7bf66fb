"""Trains the detector on drawn scenes: its eyes learn to find what the dual encoder's words name."""

import random
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm
from transformers.models.clip.tokenization_clip import CLIPTokenizer
from transformers.models.owlvit.modeling_owlvit import OwlViTForObjectDetection

from demo.training.augmentation import flipped_and_lit
from demo.training.captions import Caption, agreement, caption_for
from demo.training.detection_losses import Targets, detection_losses
from demo.training.detector import PATCH, predict, save_detector, text_vectors
from demo.training.dual_encoder import half_precision, pick_device
from demo.training.eyes import Teacher
from demo.training.partners import Partners
from demo.training.scene_pool import SCENE_SIZE, ScenePool
from demo.training.schedule import Budget
from demo.training.words import Label

__all__ = ["DetectorLessons"]

PEAK_RATE = 1e-3
BATCH = 24
TAUGHT_LAYER, TAUGHT_SHARE = 3, 0.5
"""Which layer learns from the dual encoder's tower, and for which share of the run."""
OTHER_QUERIES = 24
"""Captions of products that are, mostly, nowhere in the batch."""


@dataclass(frozen=True)
class SceneBatch:
    """Pictures (B, 3, S, S), the texts that are asked for in all of them, and what is right in each."""

    pixels: Tensor
    texts: list[str]
    targets: list[Targets]


class DetectorLessons:
    """One training run: the detector, its slow average that is kept, and everything needed to go on after a stop."""

    def __init__(  # noqa: PLR0913  # what a run is made of
        self,
        model: OwlViTForObjectDetection,
        tokenizer: CLIPTokenizer,
        teacher: Teacher,
        pool: ScenePool,
        *,
        seed: int,
        budget: Budget,
        partners: Partners | None = None,
    ) -> None:
        self.tokenizer, self.pool, self.budget = tokenizer, pool, budget
        self.partners = partners or Partners()
        self.device = pick_device()
        self.model, self.teacher = model.to(self.device).train(), teacher.to(self.device)
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(not name.startswith(("owlvit.text_", "owlvit.visual_projection", "owlvit.logit_scale")))
        self.learnt = [parameter for parameter in (*model.parameters(), *teacher.learnt()) if parameter.requires_grad]
        self.average = deepcopy(model).requires_grad_(False)
        self.optimizer = torch.optim.AdamW(
            [
                {"params": [p for p in self.learnt if p.ndim > 1], "weight_decay": 0.02},
                {"params": [p for p in self.learnt if p.ndim < 2], "weight_decay": 0.0},
            ],
            PEAK_RATE,
            betas=(0.9, 0.98),
        )
        side = (torch.arange(SCENE_SIZE // PATCH) + 0.5) * PATCH / SCENE_SIZE
        self.places = torch.cartesian_prod(side, side).flip(1).to(self.device)
        self.step = 0
        self.generator = torch.Generator()
        self.rng = random.Random()
        self._go_own_way(seed)

    def _go_own_way(self, seed: int) -> None:
        """Each process sees other scenes and words."""
        own = seed + 1_000_003 * self.partners.rank
        self.generator.manual_seed(own)
        self.rng.seed(own)
        torch.manual_seed(own)

    def batch(self) -> SceneBatch:
        """Returns the next scenes, half of them mirrored, with a caption for each product and some for others."""
        rows = torch.randint(len(self.pool), (BATCH,), generator=self.generator).tolist()
        mirrored = torch.rand(BATCH, generator=self.generator) < 0.5
        things = [self.pool.things[row] for row in rows]
        labels = [thing.label for scene in things for thing in scene]
        captions = [caption_for(label, self.rng) for label in labels]
        captions += [caption_for(self.rng.choice(self.rng.choice(self.pool.things)).label, self.rng) for _ in range(OTHER_QUERIES)]
        images = torch.from_numpy(np.stack([self.pool.images[row] for row in rows])).to(self.device)
        targets = []
        for scene, mirror in zip(things, mirrored.tolist(), strict=True):
            boxes = torch.tensor([thing.box for thing in scene], dtype=torch.float32).reshape(-1, 4)
            if mirror:
                boxes[:, 0] = 1 - boxes[:, 0]
            targets.append(Targets(boxes.to(self.device), self._fits(captions, [thing.label for thing in scene])))
        return SceneBatch(flipped_and_lit(images, mirrored, self.generator), [caption.text for caption in captions], targets)

    def _fits(self, captions: list[Caption], labels: list[Label]) -> Tensor:
        if not labels:
            return torch.zeros(len(captions), 0, dtype=torch.int8, device=self.device)
        return torch.from_numpy(agreement(captions, labels)).to(self.device)

    def train_step(self) -> dict[str, float]:
        """Learns from one batch; returns its losses by name."""
        batch = self.batch()
        for group in self.optimizer.param_groups:
            group["lr"] = self.budget.learning_rate(self.step, peak=PEAK_RATE, warm_steps=100)
        queries = text_vectors(self.model, self.tokenizer, batch.texts)
        with half_precision(self.device):
            predictions = predict(self.model, batch.pixels, queries)
            taught = self._taught(batch.pixels, predictions.layers)
        losses = detection_losses(predictions, batch.targets, self.places)
        (losses.total + taught).backward()
        self.partners.average_gradients(self.learnt)
        nn.utils.clip_grad_norm_(self.learnt, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        share = 1 - min(0.998, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for slow, fast in zip(self.average.parameters(), self.model.parameters(), strict=True):
                slow.lerp_(fast, share)
        names = ("matched_names", "matched_boxes", "dense_names", "dense_boxes")
        return {**{name: float(getattr(losses, name).detach()) for name in names}, "taught": float(taught.detach())}

    def _taught(self, pixels: Tensor, layers: tuple[Tensor, ...]) -> Tensor:
        """The teacher's loss, which fades and ends with its share of the run."""
        left = 1 - self.budget.progress(self.step) / TAUGHT_SHARE
        if left <= 0:
            return torch.zeros((), device=self.device)
        return 4 * left * self.teacher.loss(pixels, layers[TAUGHT_LAYER][:, 1:])

    def run(self, out: Path, *, save_every: float = 120.0) -> None:
        """Trains until the budget is spent; saves the state and the checkpoint in `out` every `save_every` seconds and at the end."""
        self.budget.restart()
        bar = tqdm(total=100, unit="%", desc="owlvit", mininterval=10, bar_format="{desc} {n:.1f}% {elapsed}<{remaining} {postfix}")
        saved = self.budget.seconds
        while not self.partners.first_says(self.budget.progress(self.step) >= 1):
            losses = self.train_step()
            if self.step % 20 == 0:
                bar.n = min(100.0, 100 * self.budget.progress(self.step))
                bar.set_postfix({"step": self.step, **{name: f"{value:.3f}" for name, value in losses.items()}})
            if self.budget.seconds - saved > save_every:
                self.save(out)
                saved = self.budget.seconds
        self.save(out)
        bar.close()

    def save(self, out: Path) -> None:
        """Writes the checkpoint, and beside it the state that `load` goes on from."""
        if self.partners.rank:
            return
        save_detector(self.average, self.average.state_dict(), self.tokenizer, out)
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "teacher": self.teacher.reading.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "rng": self.rng.getstate(),
            "torch": torch.get_rng_state(),
            "step": self.step,
            "spent": self.budget.seconds,
        }
        aside = out / "training.new"
        torch.save(state, aside)
        aside.replace(out / "training.pt")

    def load(self, out: Path) -> None:
        """Goes on from the state that `save` wrote. OSError where there is none."""
        state = torch.load(out / "training.pt", map_location=self.device, weights_only=False)
        for name in ("model", "average", "optimizer"):
            getattr(self, name).load_state_dict(state[name])
        self.teacher.reading.load_state_dict(state["teacher"])
        self.generator.set_state(state["generator"].cpu())
        self.rng.setstate(state["rng"])
        torch.set_rng_state(state["torch"].cpu())
        self.step, self.budget.spent = state["step"], state["spent"]
        if self.partners.rank:  # the state is the first process's; the others must not repeat its scenes
            self._go_own_way(self.step)
