"""OWL-ViT and OWLv2 on torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForZeroShotObjectDetection

from vitrine.embedding.checkpoint import Checkpoint
from vitrine.embedding.detection import DetectorOutput, OwlDetector
from vitrine.embedding.device_memory import memory_for
from vitrine.embedding.loaded_model import LoadedModel
from vitrine.embedding.tokenizer import TokenBatch
from vitrine.embedding.torch_runtime import choose_device, load_model
from vitrine.errors import ModelUnavailable
from vitrine.settings import ModelSettings

__all__ = ["DetectorTower", "TextTower", "TorchDetectorModel", "load_owlvit", "load_torch_detector"]


class DetectorTower(torch.nn.Module):  # type: ignore[misc]  # torch is not analyzed
    """Pixels to class vectors, shift, scale and boxes, by the parts of an OWL detector.

    OWLv2 also tells whether a place holds any object; a search by labels does not ask for that.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, pixels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """(n, 3, height, width) to (n, p, d), (n, p), (n, p), (n, p, 4)."""
        grid, _ = self.model.image_embedder(pixel_values=pixels)
        places = grid.flatten(1, 2)
        head = self.model.class_head
        classes = head.dense0(places)
        classes = classes / (torch.linalg.norm(classes, dim=-1, keepdim=True) + 1e-6)
        scale = head.elu(head.logit_scale(places)) + 1
        return (
            classes,
            head.logit_shift(places)[..., 0],
            scale[..., 0],
            self.model.box_predictor(places, grid),
        )


class TextTower(torch.nn.Module):  # type: ignore[misc]  # torch is not analyzed
    """Token ids to unit vectors."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(n, length) to (n, d)."""
        base = self.model.owlvit if hasattr(self.model, "owlvit") else self.model.owlv2
        rows: torch.Tensor = base.get_text_features(
            input_ids=ids, attention_mask=mask
        ).pooler_output
        rows = rows / torch.linalg.norm(rows, ord=2, dim=-1, keepdim=True)
        return rows / (torch.linalg.norm(rows, dim=-1, keepdim=True) + 1e-6)


class TorchDetectorModel:
    """The forward passes on one device, in fp32 or bf16."""

    def __init__(self, model: Any, *, device: str, precision: str) -> None:
        self._dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        self._device = device
        model.to(device=device, dtype=self._dtype)
        self._output, self._text = DetectorTower(model), TextTower(model)

    def forward(self, pixels: NDArray[np.float32]) -> DetectorOutput:
        """(1, 3, height, width) to the scene; `DeviceFull` when its memory does not suffice."""
        with torch.inference_mode(), memory_for("a picture", self._device):
            batch = torch.from_numpy(pixels).to(self._device, self._dtype)
            classes, shift, scale, boxes = (
                part[0].float().cpu().numpy() for part in self._output(batch)
            )
        return DetectorOutput(classes, shift, scale, boxes)

    def encode_texts(self, tokens: TokenBatch) -> NDArray[np.float32]:
        """(n, length) to (n, d); `DeviceFull` when its memory does not suffice."""
        with torch.inference_mode(), memory_for(f"{len(tokens.ids)} labels", self._device):
            ids, mask = (
                torch.from_numpy(part).to(self._device) for part in (tokens.ids, tokens.mask)
            )
            rows: NDArray[np.float32] = self._text(ids, mask).float().cpu().numpy()
        return rows


def load_torch_detector(checkpoint: Checkpoint, settings: ModelSettings) -> OwlDetector:
    """The checkpoint on torch, on the device that the settings choose.

    Bf16 only where they name it, as it has few digits for boxes.
    """
    device = choose_device(settings.device)
    loaded = load_owlvit(checkpoint)
    model = TorchDetectorModel(
        loaded.model, device=device, precision="bf16" if settings.precision == "bf16" else "fp32"
    )
    return OwlDetector(checkpoint.name, loaded.images, loaded.tokenizer, model)


def load_owlvit(checkpoint: Checkpoint, *, attention: str | None = None) -> LoadedModel:
    """The checkpoint in memory; `ModelUnavailable` when it is neither OWL-ViT nor OWLv2."""
    kind = checkpoint.config.get("model_type")
    if kind not in ("owlvit", "owlv2"):
        raise ModelUnavailable(
            f"the detector {checkpoint.name} is no OWL-ViT and no OWLv2: its config.json says "
            f"model_type {kind!r}"
        )
    return load_model(checkpoint, AutoModelForZeroShotObjectDetection, attention=attention)
