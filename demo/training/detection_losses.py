"""Losses of a detector that asks for words: one token speaks for each product, and all tokens on it learn what it is."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn import functional

__all__ = ["DetectionLosses", "Predictions", "Targets", "corners", "detection_losses", "generalised_iou"]

_FOCUS, _BALANCE = 2.0, 0.25
_NAMING_SCALE = 15.0


@dataclass(frozen=True)
class Predictions:
    """Of a batch: `logits` (B, T, Q), `boxes` (B, T, 4) as centre and size, the cosines (B, T, Q) behind the logits, and the
    vision transformer's layers, each (B, 1 + T, W)."""

    logits: Tensor
    boxes: Tensor
    cosines: Tensor
    layers: tuple[Tensor, ...] = ()


@dataclass(frozen=True)
class Targets:
    """Of one picture: `boxes` (N, 4) as centre and size, and `fits` (Q, N), 1, 0 or -1 (unknown) for each query and product."""

    boxes: Tensor
    fits: Tensor


@dataclass(frozen=True)
class DetectionLosses:
    """Means over the batch: naming by the token that was matched, its box, and both again for all tokens on a product."""

    matched_names: Tensor
    matched_boxes: Tensor
    dense_names: Tensor
    dense_boxes: Tensor

    @property
    def total(self) -> Tensor:
        """The weighted sum that is minimised."""
        return 2.0 * self.matched_names + self.matched_boxes + 0.5 * self.dense_names + 0.5 * self.dense_boxes


def corners(boxes: Tensor) -> Tensor:
    """Returns (..., 4) boxes of centre and size as left, top, right, bottom."""
    centre, half = boxes[..., :2], boxes[..., 2:] / 2
    return torch.cat((centre - half, centre + half), -1)


def generalised_iou(first: Tensor, second: Tensor) -> Tensor:
    """Returns the generalised IoU of boxes given by corners, broadcast over their leading axes (Rezatofighi et al. 2019)."""
    inner = (torch.minimum(first[..., 2:], second[..., 2:]) - torch.maximum(first[..., :2], second[..., :2])).clamp(min=0).prod(-1)
    outer = (torch.maximum(first[..., 2:], second[..., 2:]) - torch.minimum(first[..., :2], second[..., :2])).prod(-1)
    areas = (first[..., 2:] - first[..., :2]).prod(-1) + (second[..., 2:] - second[..., :2]).prod(-1)
    union = (areas - inner).clamp(min=1e-7)
    return inner / union - (outer - union) / outer.clamp(min=1e-7)


def detection_losses(predictions: Predictions, targets: Sequence[Targets], places: Tensor) -> DetectionLosses:
    """Returns the losses; `places` (T, 2) are the centres of the tokens' patches, as shares of the picture."""
    parts = [_one_picture(predictions, row, target, places) for row, target in enumerate(targets)]
    names, boxes, dense_names, dense_boxes = (torch.stack(column) for column in zip(*parts, strict=True))
    products = max(1, sum(len(target.boxes) for target in targets))
    return DetectionLosses(names.sum() / products, boxes.sum() / products, dense_names.mean(), dense_boxes.mean())


def _one_picture(predictions: Predictions, row: int, target: Targets, places: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    logits, boxes, cosines = predictions.logits[row], predictions.boxes[row], predictions.cosines[row]
    wanted = torch.zeros_like(logits)
    if not len(target.boxes):
        nothing = boxes.sum() * 0
        return _focal(logits, wanted).sum(), nothing, nothing, nothing
    tokens, products = _matched(target.boxes, places)
    wanted[tokens] = target.fits.T[products].float()
    names = _focal(logits, wanted).sum()
    inside, owner = _inside(target.boxes, places)
    dense_names = _naming(cosines[inside], target.fits.T[owner[inside]])
    dense_boxes = _box_loss(boxes[inside], target.boxes[owner[inside]]).mean() if inside.any() else boxes.sum() * 0
    return names, _box_loss(boxes[tokens], target.boxes[products]).sum(), dense_names, dense_boxes


def _box_loss(boxes: Tensor, wanted: Tensor) -> Tensor:
    """Per box 5 L1 + 2 (1 - generalised IoU), DETR's weights (Carion et al. 2020)."""
    return 5 * (boxes - wanted).abs().sum(-1) + 2 * (1 - generalised_iou(corners(boxes), corners(wanted)))


def _focal(logits: Tensor, wanted: Tensor) -> Tensor:
    """Focal binary cross entropy per logit (Lin et al. 2017); where `wanted` is -1, nothing."""
    chance = logits.sigmoid()
    right = torch.where(wanted == 1, chance, 1 - chance)
    weight = torch.where(wanted == 1, _BALANCE, 1 - _BALANCE) * (1 - right) ** _FOCUS
    loss = functional.binary_cross_entropy_with_logits(logits, wanted.clamp(min=0), reduction="none")
    return weight * loss * (wanted >= 0)


def _matched(boxes: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    """The token nearest to the middle of each product, one to a product (Kuhn 1955).

    Which token speaks for a product never changes while the detector learns, which teaches it in far fewer scenes than
    matching by what it says itself (Tian et al. 2019 assign by place as well); that one token alone may say it.
    """
    tokens, products = linear_sum_assignment(torch.cdist(places, boxes[:, :2]).cpu().numpy())
    return torch.as_tensor(tokens, device=boxes.device), torch.as_tensor(products, device=boxes.device)


def _inside(boxes: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    """Which tokens' centres lie on a product, and on which: the smallest where several boxes overlap."""
    edges = corners(boxes)
    within = ((places[:, None] > edges[None, :, :2]) & (places[:, None] < edges[None, :, 2:])).all(-1)
    areas = torch.where(within, boxes[:, 2:].prod(-1)[None], torch.inf)
    return within.any(1), areas.argmin(1)


def _naming(cosines: Tensor, fits: Tensor) -> Tensor:
    """Cross entropy of choosing the fitting queries (their weight shared) by cosine, unknown ones left out."""
    right = (fits == 1).float()
    known = right.sum(1) > 0
    if not known.any():
        return cosines.sum() * 0
    chances = functional.log_softmax((_NAMING_SCALE * cosines[known]).masked_fill(fits[known] < 0, float("-inf")), 1)
    return -(chances.masked_fill(right[known] == 0, 0) * right[known]).sum(1).div(right[known].sum(1)).mean()
