"""Contrastive losses that know when two pictures of a batch fit the same words."""

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["caption_loss", "twin_loss"]


def caption_loss(texts: Tensor, images: Tensor, scale: Tensor, fits: Tensor) -> Tensor:
    """Returns the symmetric cross entropy of CLIP with every fitting pair as a target.

    texts (C, D) and images (B, D) are unit rows, scale the factor on cosines, fits (C, B) is 1
    where the picture fits the text, 0 where it does not, -1 where nobody knows: such a pair counts
    neither way. The targets of a row share its weight equally (Khosla et al. 2020, supervised
    contrastive learning).
    """
    logits = (scale * texts @ images.T).masked_fill(fits < 0, float("-inf"))
    targets = (fits == 1).float()
    return (_shared_cross_entropy(logits, targets) + _shared_cross_entropy(logits.T, targets.T)) / 2


def _shared_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    known = targets.sum(1) > 0
    chances = functional.log_softmax(logits[known], 1).masked_fill(targets[known] == 0, 0.0)
    return -(chances * targets[known]).sum(1).div(targets[known].sum(1)).mean()


def twin_loss(images: Tensor, *, temperature: float) -> Tensor:
    """Returns the cross entropy of finding row 2i + 1 from row 2i, and back, among all others
    (NT-Xent, Chen et al. 2020)."""
    logits = images @ images.T / temperature
    logits.fill_diagonal_(float("-inf"))
    twins = torch.arange(len(images), device=images.device) ^ 1
    return functional.cross_entropy(logits, twins)
