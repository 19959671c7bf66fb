"""Losses of a detector that asks for words: one token speaks for each product, and all tokens on
it learn what it is."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn import functional

__all__ = [
    "DetectionLosses",
    "Predictions",
    "Targets",
    "assigned",
    "corners",
    "detection_losses",
    "generalized_iou",
]

_FOCUS, _BALANCE = 2.0, 0.25
_NAMING_SCALE = 15.0


@dataclass(frozen=True)
class Predictions:
    """Of a batch: `logits` (B, T, Q), `boxes` (B, T, 4) as center and size, the cosines (B, T, Q)
    behind the logits, and the vision transformer's layers, each (B, 1 + T, W)."""

    logits: Tensor
    boxes: Tensor
    cosines: Tensor
    layers: tuple[Tensor, ...] = ()


@dataclass(frozen=True)
class Targets:
    """What is right in a batch of pictures: M products and the K tokens whose middles lie on one.

    `fits` (M, Q) says of each product 1, 0 or -1 (unknown) for the queries of its picture; a token
    that lies on one counts with its `shares` (K,), which sum to one in every picture with products.
    """

    boxes: Tensor
    """(M, 4) as center and size."""
    fits: Tensor
    scenes: Tensor
    """(M,): which picture of the batch."""
    tokens: Tensor
    """(M,): which token speaks for the product."""
    inner_scenes: Tensor
    inner_tokens: Tensor
    inner_products: Tensor
    shares: Tensor

    def to(self, device: torch.device) -> "Targets":
        """Returns the same on a device."""
        return Targets(*(getattr(self, field.name).to(device) for field in fields(self)))


@dataclass(frozen=True)
class DetectionLosses:
    """Means over the batch: naming by the token that was matched, its box, and both again for
    all tokens on a product."""

    matched_names: Tensor
    matched_boxes: Tensor
    dense_names: Tensor
    dense_boxes: Tensor

    @property
    def total(self) -> Tensor:
        """The weighted sum that is minimized."""
        return (
            2.0 * self.matched_names
            + self.matched_boxes
            + 0.5 * self.dense_names
            + 0.5 * self.dense_boxes
        )


def corners(boxes: Tensor) -> Tensor:
    """Returns (..., 4) boxes of center and size as left, top, right, bottom."""
    center, half = boxes[..., :2], boxes[..., 2:] / 2
    return torch.cat((center - half, center + half), -1)


def generalized_iou(first: Tensor, second: Tensor) -> Tensor:
    """Returns the generalized IoU of boxes given by corners, broadcast over their leading axes
    (Rezatofighi et al. 2019)."""
    inner = (
        (
            torch.minimum(first[..., 2:], second[..., 2:])
            - torch.maximum(first[..., :2], second[..., :2])
        )
        .clamp(min=0)
        .prod(-1)
    )
    outer = (
        torch.maximum(first[..., 2:], second[..., 2:])
        - torch.minimum(first[..., :2], second[..., :2])
    ).prod(-1)
    areas = (first[..., 2:] - first[..., :2]).prod(-1) + (second[..., 2:] - second[..., :2]).prod(
        -1
    )
    union = (areas - inner).clamp(min=1e-7)
    return inner / union - (outer - union) / outer.clamp(min=1e-7)


def assigned(boxes: Sequence[Tensor], fits: Tensor, places: Tensor) -> Targets:
    """Returns the targets of pictures with boxes (N, 4) each.

    `places` (T, 2) are the middles of the tokens' patches as shares.

    `fits` (M, Q) holds the products of all pictures, one picture after the other.
    """
    scenes, tokens, inner = [], [], []
    before = 0
    for scene, own in enumerate(boxes):
        scenes.append(torch.full((len(own),), scene))
        tokens.append(_matched(own, places))
        on, owner = _inside(own, places)
        inner.append(
            (
                torch.full((len(on),), scene),
                on,
                owner + before,
                torch.full((len(on),), 1 / max(1, len(on))),
            )
        )
        before += len(own)
    return Targets(
        torch.cat(list(boxes)),
        fits,
        torch.cat(scenes),
        torch.cat(tokens),
        *(torch.cat(part) for part in zip(*inner, strict=True)),
    )


def detection_losses(predictions: Predictions, targets: Targets) -> DetectionLosses:
    """Returns the losses of a batch."""
    products, pictures = max(1, len(targets.boxes)), len(predictions.logits)
    spoken = targets.scenes, targets.tokens
    expected = torch.zeros_like(predictions.logits).index_put(
        spoken, targets.fits.to(predictions.logits.dtype)
    )
    inner = targets.inner_scenes, targets.inner_tokens
    dense_names = _naming(predictions.cosines[inner], targets.fits[targets.inner_products])
    dense_boxes = _box_loss(predictions.boxes[inner], targets.boxes[targets.inner_products])
    return DetectionLosses(
        _focal(predictions.logits, expected).sum() / products,
        _box_loss(predictions.boxes[spoken], targets.boxes).sum() / products,
        (dense_names * targets.shares).sum() / pictures,
        (dense_boxes * targets.shares).sum() / pictures,
    )


def _box_loss(boxes: Tensor, expected: Tensor) -> Tensor:
    """Per box 5 L1 + 2 (1 - generalized IoU), DETR's weights (Carion et al. 2020)."""
    return 5 * (boxes - expected).abs().sum(-1) + 2 * (
        1 - generalized_iou(corners(boxes), corners(expected))
    )


def _focal(logits: Tensor, expected: Tensor) -> Tensor:
    """Focal binary cross entropy per logit (Lin et al. 2017); where `expected` is -1, nothing."""
    chance = logits.sigmoid()
    right = torch.where(expected == 1, chance, 1 - chance)
    weight = torch.where(expected == 1, _BALANCE, 1 - _BALANCE) * (1 - right) ** _FOCUS
    loss = functional.binary_cross_entropy_with_logits(
        logits, expected.clamp(min=0), reduction="none"
    )
    return weight * loss * (expected >= 0)


def _matched(boxes: Tensor, places: Tensor) -> Tensor:
    """The token nearest to the middle of each product, one to a product (Kuhn 1955).

    Which token speaks for a product never changes while the detector learns, which teaches it in
    far fewer scenes than matching by what it says itself (Tian et al. 2019 assign by place as
    well); that one token alone may say it.
    """
    products, tokens = linear_sum_assignment(torch.cdist(boxes[:, :2], places).numpy())
    return torch.as_tensor(tokens)[torch.as_tensor(products).argsort()]


def _inside(boxes: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    """Which tokens' middles lie on a product, and on which: the smallest where several boxes
    overlap."""
    if not len(boxes):
        return torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.int64)
    edges = corners(boxes)
    within = ((places[:, None] > edges[None, :, :2]) & (places[:, None] < edges[None, :, 2:])).all(
        -1
    )
    areas = torch.where(within, boxes[:, 2:].prod(-1)[None], torch.inf)
    on = within.any(1).nonzero().flatten()
    return on, areas.argmin(1)[on]


def _naming(cosines: Tensor, fits: Tensor) -> Tensor:
    """(K,) cross entropies of choosing the fitting queries (their weight shared) by cosine,
    unknown ones left out."""
    right = (fits == 1).float()
    chances = functional.log_softmax(
        (_NAMING_SCALE * cosines).masked_fill(fits < 0, float("-inf")), 1
    )
    return -(chances.masked_fill(right == 0, 0) * right).sum(1) / right.sum(1).clamp(min=1)
