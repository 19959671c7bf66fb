"""A slow average of a model in training, which is what is kept (Polyak averaging)."""

import torch
from torch import nn

__all__ = ["follow"]

_SLOWEST = 0.998
"""How much of the average stays at each step, once there have been many."""


def follow(average: nn.Module, model: nn.Module, step: int) -> None:
    """Moves the average a little towards the model after its `step`-th step, in place.

    Running means and variances too.
    """
    share = 1 - min(_SLOWEST, (1 + step) / (10 + step))
    slow, fresh = average.state_dict(), model.state_dict()
    moving = [name for name, value in slow.items() if value.is_floating_point()]
    with torch.no_grad():
        torch._foreach_lerp_(
            [slow[name] for name in moving], [fresh[name] for name in moving], share
        )  # one kernel instead of hundreds
        for name in slow.keys() - set(moving):
            slow[name].copy_(fresh[name])
