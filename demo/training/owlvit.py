"""Trains the detector on drawn scenes: its eyes learn to find what the dual encoder's words name."""

import random
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset
from tqdm import tqdm
from transformers.models.clip.tokenization_clip import CLIPTokenizer
from transformers.models.owlvit.modeling_owlvit import OwlViTForObjectDetection

from demo.scenes import MOST_PRODUCTS
from demo.training.augmentation import flipped_and_lit
from demo.training.averages import follow
from demo.training.batches import own_random, stream, token_ids
from demo.training.captions import Caption, agreement, asked_codes, caption_for, shown_codes
from demo.training.detection_losses import Targets, assigned, detection_losses
from demo.training.detector import PATCH, predict, save_detector, text_vectors
from demo.training.dual_encoder import half_precision, pick_device
from demo.training.eyes import Teacher
from demo.training.partners import Partners
from demo.training.pools import Pictures
from demo.training.scene_pool import SCENE_SIZE, ScenePool
from demo.training.schedule import Budget
from demo.training.words import Label

__all__ = ["DetectorLessons"]

PEAK_RATE = 1e-3
BATCH = 24
TAUGHT_LAYER, TAUGHT_SHARE = 3, 0.5
"""Which layer learns from the dual encoder's tower, and for which share of the run."""
QUERIES = BATCH * MOST_PRODUCTS
"""Texts that a batch's scenes are asked for, never fewer than it has products."""
GPU_GROUPS = 16
"""Batches from which a GPU learns at once, each with its own texts."""


@dataclass(frozen=True)
class SceneBatch:
    """G groups of BATCH scenes: which of the pool, which are mirrored, (G * QUERIES, L) token ids of the texts that each
    group is asked for, and what is right in all the scenes."""

    rows: Tensor
    mirrored: Tensor
    tokens: Tensor
    targets: Targets
    seed: int


class SceneBatches(Dataset[SceneBatch]):  # type: ignore[misc]  # torch is not followed
    """The batches of a run: random scenes, a caption for each product in them and others that are, mostly, nowhere in the group."""

    def __init__(self, pool: ScenePool, tokenizer: CLIPTokenizer, places: Tensor, *, groups: int, seed: int, rank: int) -> None:
        self.pool, self.tokenizer, self.places = pool, tokenizer, places
        self.groups, self.seed, self.rank = groups, seed, rank

    def __getitem__(self, number: int) -> SceneBatch:
        rng = own_random(self.seed, self.rank, number)
        rows = [rng.randrange(len(self.pool)) for _ in range(self.groups * BATCH)]
        mirrored = [rng.random() < 0.5 for _ in rows]
        captions: list[Caption] = []
        fits = []
        for start in range(0, len(rows), BATCH):
            labels = [thing.label for row in rows[start : start + BATCH] for thing in self.pool.things[row]]
            own = [caption_for(label, rng) for label in labels]
            own += [caption_for(self._any_label(rng), rng) for _ in range(QUERIES - len(labels))]
            fits.append(agreement(asked_codes(own), shown_codes(labels)).T)
            captions += own
        boxes = [self._boxes(row, mirror) for row, mirror in zip(rows, mirrored, strict=True)]
        targets = assigned(boxes, torch.cat(fits), self.places)
        return SceneBatch(torch.tensor(rows), torch.tensor(mirrored), token_ids(self.tokenizer, captions), targets, rng.getrandbits(60))

    def _any_label(self, rng: random.Random) -> Label:
        while not (things := self.pool.things[rng.randrange(len(self.pool))]):
            pass
        return rng.choice(things).label

    def _boxes(self, row: int, mirrored: bool) -> Tensor:
        boxes = torch.tensor([thing.box for thing in self.pool.things[row]], dtype=torch.float32).reshape(-1, 4)
        if mirrored:
            boxes[:, 0] = 1 - boxes[:, 0]
        return boxes


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
        self.tokenizer, self.budget = tokenizer, budget
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
            fused=self.device.type == "cuda",
        )
        side = (torch.arange(SCENE_SIZE // PATCH) + 0.5) * PATCH / SCENE_SIZE
        places = torch.cartesian_prod(side, side).flip(1)
        self.groups = GPU_GROUPS if self.device.type == "cuda" else 1
        self.scenes = SceneBatches(pool, tokenizer, places, groups=self.groups, seed=seed, rank=self.partners.rank)
        self.pictures = Pictures([pool.images], self.device)
        self.batches: Iterator[SceneBatch] | None = None
        self.generator = torch.Generator(self.device)
        self.step = 0

    def train_step(self) -> dict[str, Tensor]:
        """Learns from the next batch; returns its losses by name."""
        if self.batches is None:
            self.batches = stream(self.scenes, self.step, self.device)
        batch = next(self.batches)
        for group in self.optimizer.param_groups:
            group["lr"] = self.budget.learning_rate(self.step, peak=PEAK_RATE, warm_steps=100)
        self.generator.manual_seed(batch.seed)
        pixels = flipped_and_lit(self.pictures.take([batch.rows]).to(self.device), batch.mirrored.to(self.device), self.generator)
        with half_precision(self.device):
            queries = text_vectors(self.model, batch.tokens.to(self.device)).unflatten(0, (self.groups, QUERIES))
            predictions = predict(self.model, pixels, queries.repeat_interleave(BATCH, 0))
            taught = self._taught(pixels, predictions.layers)
        losses = detection_losses(predictions, batch.targets.to(self.device))
        (losses.total + taught).backward()
        self.partners.average_gradients(self.learnt)
        nn.utils.clip_grad_norm_(self.learnt, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        follow(self.average, self.model, self.step)
        names = ("matched_names", "matched_boxes", "dense_names", "dense_boxes")
        return {**{name: getattr(losses, name).detach() for name in names}, "taught": taught.detach()}

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
        save_detector(self.average, self.average.state_dict(), self.tokenizer, out)
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "teacher": self.teacher.reading.state_dict(),
            "optimizer": self.optimizer.state_dict(),
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
        self.step, self.budget.spent = state["step"], state["spent"]
