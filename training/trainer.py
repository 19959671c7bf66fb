"""One training run, whatever is taught: it keeps a slow average of its model, and goes on after
a stop."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from copy import deepcopy
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from tqdm import tqdm

from training.averages import follow
from training.distributed import Processes
from training.schedule import Budget

__all__ = ["Trainer", "adamw"]

_TOLD_EVERY = 20
"""Steps between looks at the losses."""


def adamw(parameters: Iterable[nn.Parameter], rate: float, *, decay: float) -> torch.optim.AdamW:
    """An optimizer that lets matrices decay, and nothing else."""
    every = list(parameters)
    groups = [
        {"params": [p for p in every if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in every if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, rate, betas=(0.9, 0.98), fused=every[0].is_cuda)


class Trainer(ABC):
    """A run.

    `parts` are what is learned beside the model, by the name under which they are saved.
    """

    name: ClassVar[str]
    rate: ClassVar[float]
    """The largest learning rate."""
    warm_steps: ClassVar[int]

    def __init__(
        self,
        model: nn.Module,
        parts: dict[str, nn.Module],
        optimizer: torch.optim.Optimizer,
        *,
        budget: Budget,
        processes: Processes,
    ) -> None:
        self.model, self.average = model, deepcopy(model).requires_grad_(False)
        self.optimizer, self.budget, self.processes = optimizer, budget, processes
        self.step = 0
        self._saved: dict[str, Any] = {
            "model": model,
            "average": self.average,
            **parts,
            "optimizer": optimizer,
        }

    @abstractmethod
    def train_step(self) -> dict[str, Tensor]:
        """Learns from the next batch; returns its losses by name."""

    @abstractmethod
    def save_checkpoint(self, out: Path) -> None:
        """Writes the average as a checkpoint that transformers loads."""

    def descend(self, loss: Tensor, parameters: list[nn.Parameter]) -> None:
        """One step of the optimizer down the loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.budget.learning_rate(
                self.step, peak=self.rate, warm_steps=self.warm_steps
            )
        loss.backward()
        self.processes.average_gradients(parameters)
        nn.utils.clip_grad_norm_(parameters, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        follow(self.average, self.model, self.step)

    def run(self, out: Path, *, save_every: float = 120.0) -> None:
        """Trains until the budget is spent.

        Saves the state and the checkpoint in `out` every `save_every` seconds and at the end.
        """
        self.budget.restart()
        bar = tqdm(
            total=100,
            unit="%",
            desc=self.name,
            mininterval=10,
            bar_format="{desc} {n:.1f}% {elapsed}<{remaining} {postfix}",
        )
        saved = self.budget.seconds
        while not self.processes.first_decides(self.budget.progress(self.step) >= 1):
            losses = self.train_step()
            if self.step % _TOLD_EVERY == 0:
                bar.n = min(100.0, 100 * self.budget.progress(self.step))
                bar.set_postfix(
                    {
                        "step": self.step,
                        **{name: f"{float(value):.3f}" for name, value in losses.items()},
                    }
                )
            if self.budget.seconds - saved > save_every:
                self.save(out)
                saved = self.budget.seconds
        self.save(out)
        bar.close()

    def save(self, out: Path) -> None:
        """Writes the checkpoint, and beside it the state that `load` goes on from."""
        if self.processes.rank:
            return
        self.save_checkpoint(out)
        state = {name: part.state_dict() for name, part in self._saved.items()}
        aside = out / "training.new"
        torch.save({**state, "step": self.step, "spent": self.budget.seconds}, aside)
        aside.replace(out / "training.pt")

    def load(self, out: Path) -> None:
        """Goes on from the state that `save` wrote. OSError where there is none."""
        state = torch.load(
            out / "training.pt",
            map_location=next(self.model.parameters()).device,
            weights_only=False,
        )
        for name, part in self._saved.items():
            part.load_state_dict(state[name])
        self.step, self.budget.spent = state["step"], state["spent"]
