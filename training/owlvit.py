"""Trains the detector on drawn scenes: its image tower learns to find what the text tower of the
dual encoder names."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import Dataset
from transformers.models.clip.tokenization_clip import CLIPTokenizer
from transformers.models.owlvit.modeling_owlvit import OwlViTForObjectDetection

from training.augmentation import flipped_and_lit
from training.batches import own_random, stream, token_ids
from training.captions import Caption, agreement, caption_codes, caption_for, label_codes
from training.detection_losses import Targets, assigned, detection_losses
from training.detector import PATCH, predict, save_detector, text_vectors
from training.distributed import Processes
from training.dual_encoder import half_precision, pick_device
from training.pools import Pictures
from training.scene_pool import SCENE_SIZE, ScenePool
from training.scenes import MOST_PRODUCTS
from training.schedule import Budget
from training.trainer import Trainer, adamw
from training.vit_init import Teacher
from training.words import Label

__all__ = ["DetectorTrainer"]

BATCH = 24
TAUGHT_LAYER, TAUGHT_SHARE = 3, 0.5
"""Which layer learns from the dual encoder's tower, and for which share of the run."""
QUERIES = BATCH * MOST_PRODUCTS
"""Texts that a batch's scenes are asked for, never fewer than it has products."""
GPU_GROUPS = 16
"""Batches from which a GPU learns at once, each with its own texts."""


@dataclass(frozen=True)
class SceneBatch:
    """G groups of BATCH scenes: which of the pool, which are mirrored, (G * QUERIES, L) token ids
    of the texts that each group is asked for, and what is right in all the scenes."""

    rows: Tensor
    mirrored: Tensor
    tokens: Tensor
    targets: Targets
    seed: int


class SceneBatches(Dataset[SceneBatch]):  # type: ignore[misc]  # torch is not followed
    """The batches of a run: random scenes, a caption for each product in them and others that
    are, mostly, nowhere in the group."""

    def __init__(
        self,
        pool: ScenePool,
        tokenizer: CLIPTokenizer,
        places: Tensor,
        *,
        groups: int,
        seed: int,
        rank: int,
    ) -> None:
        self.pool, self.tokenizer, self.places = pool, tokenizer, places
        self.groups, self.seed, self.rank = groups, seed, rank

    def __getitem__(self, number: int) -> SceneBatch:
        rng = own_random(self.seed, self.rank, number)
        rows = [rng.randrange(len(self.pool)) for _ in range(self.groups * BATCH)]
        mirrored = [rng.random() < 0.5 for _ in rows]
        captions: list[Caption] = []
        fits = []
        for start in range(0, len(rows), BATCH):
            labels = [
                thing.label
                for row in rows[start : start + BATCH]
                for thing in self.pool.things[row]
            ]
            own = [caption_for(label, rng) for label in labels]
            own += [caption_for(self._any_label(rng), rng) for _ in range(QUERIES - len(labels))]
            fits.append(agreement(caption_codes(own), label_codes(labels)).T)
            captions += own
        boxes = [self._boxes(row, mirror) for row, mirror in zip(rows, mirrored, strict=True)]
        targets = assigned(boxes, torch.cat(fits), self.places)
        return SceneBatch(
            torch.tensor(rows),
            torch.tensor(mirrored),
            token_ids(self.tokenizer, captions),
            targets,
            rng.getrandbits(60),
        )

    def _any_label(self, rng: random.Random) -> Label:
        while not (things := self.pool.things[rng.randrange(len(self.pool))]):
            pass
        return rng.choice(things).label

    def _boxes(self, row: int, mirrored: bool) -> Tensor:
        boxes = torch.tensor(
            [thing.box for thing in self.pool.things[row]], dtype=torch.float32
        ).reshape(-1, 4)
        if mirrored:
            boxes[:, 0] = 1 - boxes[:, 0]
        return boxes


class DetectorTrainer(Trainer):
    """One training run of the detector."""

    name, rate, warm_steps = "owlvit", 1e-3, 100

    def __init__(  # noqa: PLR0913  # what a run is made of
        self,
        model: OwlViTForObjectDetection,
        tokenizer: CLIPTokenizer,
        teacher: Teacher,
        pool: ScenePool,
        *,
        seed: int,
        budget: Budget,
        processes: Processes | None = None,
    ) -> None:
        self.tokenizer, self.device = tokenizer, pick_device()
        self.teacher = teacher.to(self.device)
        detector = model.to(self.device).train()
        for name, parameter in detector.named_parameters():
            parameter.requires_grad_(
                not name.startswith(
                    ("owlvit.text_", "owlvit.visual_projection", "owlvit.logit_scale")
                )
            )
        self.trained = [
            parameter
            for parameter in (*detector.parameters(), *teacher.trained())
            if parameter.requires_grad
        ]
        optimizer = adamw(self.trained, self.rate, decay=0.02)
        super().__init__(
            detector,
            {"teacher": teacher.projection},
            optimizer,
            budget=budget,
            processes=processes or Processes(),
        )
        side = (torch.arange(SCENE_SIZE // PATCH) + 0.5) * PATCH / SCENE_SIZE
        places = torch.cartesian_prod(side, side).flip(1)
        self.groups = GPU_GROUPS if self.device.type == "cuda" else 1
        self.scenes = SceneBatches(
            pool, tokenizer, places, groups=self.groups, seed=seed, rank=self.processes.rank
        )
        self.pictures = Pictures([pool.images], self.device)
        self.batches: Iterator[SceneBatch] | None = None
        self.generator = torch.Generator(self.device)

    def train_step(self) -> dict[str, Tensor]:
        """Learns from the next batch; returns its losses by name."""
        if self.batches is None:
            self.batches = stream(self.scenes, self.step, self.device)
        batch = next(self.batches)
        self.generator.manual_seed(batch.seed)
        pixels = flipped_and_lit(
            self.pictures.take([batch.rows]).to(self.device),
            batch.mirrored.to(self.device),
            self.generator,
        )
        with half_precision(self.device):
            queries = text_vectors(self.model, batch.tokens.to(self.device)).unflatten(
                0, (self.groups, QUERIES)
            )
            predictions = predict(self.model, pixels, queries.repeat_interleave(BATCH, 0))
            taught = self._taught(pixels, predictions.layers)
        losses = detection_losses(predictions, batch.targets.to(self.device))
        self.descend(losses.total + taught, self.trained)
        names = ("matched_names", "matched_boxes", "dense_names", "dense_boxes")
        return {
            **{name: getattr(losses, name).detach() for name in names},
            "taught": taught.detach(),
        }

    def _taught(self, pixels: Tensor, layers: tuple[Tensor, ...]) -> Tensor:
        """The teacher's loss, which fades and ends with its share of the run."""
        left = 1 - self.budget.progress(self.step) / TAUGHT_SHARE
        if left <= 0:
            return torch.zeros((), device=self.device)
        return 4 * left * self.teacher.loss(pixels, layers[TAUGHT_LAYER][:, 1:])

    def save_checkpoint(self, out: Path) -> None:
        """Writes the average and the tokenizer."""
        save_detector(self.average, self.average.state_dict(), self.tokenizer, out)
