"""Several processes that train one model, as `torchrun` starts them: each learns from its own
batches, all take the same steps.

On a busy machine processes of one thread each get more done than threads that wait for one another
at every layer.
"""

import os
from collections.abc import Sequence

import torch
from torch import distributed, nn

__all__ = ["Processes"]


class Processes:
    """The processes of this run; alone where torchrun did not start them."""

    def __init__(self) -> None:
        self.count = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0"))
        if self.count > 1:
            distributed.init_process_group("gloo")

    def average_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Replaces every gradient by its mean over the processes.

        One that is missing in some counts as zero there.
        """
        if self.count == 1:
            return
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        gradients = [parameter.grad for parameter in parameters]
        together = torch.cat([gradient.flatten() for gradient in gradients]).cpu()
        distributed.all_reduce(together)
        together /= self.count
        for gradient, mean in zip(
            gradients, together.split([gradient.numel() for gradient in gradients]), strict=True
        ):
            gradient.copy_(mean.view_as(gradient))

    def first_decides(self, answer: bool) -> bool:
        """Returns what the first process answers: clocks differ, and all must stop at the same
        step."""
        if self.count == 1:
            return answer
        decision = torch.tensor(int(answer))
        distributed.broadcast(decision, 0)
        return bool(decision)

    def wait(self) -> None:
        """Waits until every process has come here."""
        if self.count > 1:
            distributed.barrier()
