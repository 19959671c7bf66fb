"""Grounding DINO on torch: all labels are read as one text, and each place of the picture is
compared with every token of it.

A label's score at a place is the best of its tokens, sigmoid of the model's logit (Liu et al. 2023,
"Grounding DINO", and transformers' GroundingDinoProcessor, which takes the best of all tokens).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL.Image import Image
from transformers import AutoImageProcessor, AutoModelForZeroShotObjectDetection, AutoTokenizer
from transformers.utils import logging as transformers_logging

from vitrine.embedding.checkpoint import Checkpoint
from vitrine.embedding.detection import best_detections
from vitrine.embedding.device_memory import memory_for
from vitrine.embedding.ports import Detection
from vitrine.embedding.torch_runtime import choose_device
from vitrine.errors import ModelUnavailable
from vitrine.settings import ModelSettings

__all__ = ["GroundingDetector", "load_grounding_detector"]

_LABELS_AT_ONCE = 32
"""Most labels that are read as one text; fewer where they are long."""


class GroundingDetector:
    """A `Detector`; safe to call from several threads."""

    def __init__(self, name: str, model: Any, processor: Any, tokenizer: Any) -> None:
        self.name = name
        self._model = model
        self._processor = processor
        self._tokenizer = tokenizer
        self._longest = int(model.config.max_text_len)

    def detect(self, image: Image, labels: Sequence[str], *, threshold: float) -> list[Detection]:
        """The objects that score above the threshold, best first.

        A label given twice counts once; of one that is longer than the model reads the beginning
        counts. `DeviceFull` when the device's memory does not suffice.
        """
        detections: list[Detection] = []
        with memory_for("a picture", str(self._model.device)):
            pixels = self._processor(images=image, return_tensors="pt").to(self._model.device)
            for part in self._parts(list(dict.fromkeys(labels))):
                scores, corners = self._compare(pixels, part, image.size)
                detections = best_detections(detections, scores, part, corners, threshold)
        return detections

    def _parts(self, labels: list[str]) -> Iterator[list[str]]:
        """Labels that fit into one text."""
        part: list[str] = []
        for label in labels:
            if part and (
                len(part) == _LABELS_AT_ONCE or self._tokens([*part, label]) > self._longest
            ):
                yield part
                part = []
            part.append(label)
        if part:
            yield part

    def _tokens(self, labels: Sequence[str]) -> int:
        return len(self._tokenizer(_text(labels))["input_ids"])

    def _compare(
        self, pixels: Any, labels: list[str], size: tuple[int, int]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Scores (places, labels) and corners (places, 4) in pixels of the picture."""
        text = self._tokenizer(
            _text(labels),
            return_tensors="pt",
            return_offsets_mapping=True,
            truncation=True,
            max_length=self._longest,
        )
        offsets = text.pop("offset_mapping")[0].tolist()
        with torch.inference_mode():
            output = self._model(**pixels, **text.to(self._model.device))
        chances = output.logits[0].float().sigmoid().cpu().numpy()
        scores = np.zeros((len(chances), len(labels)), np.float32)
        for place, (start, end) in enumerate(_spans(labels)):
            tokens = [i for i, (left, right) in enumerate(offsets) if left < end and right > start]
            if tokens:
                scores[:, place] = chances[:, tokens].max(axis=1)
        boxes = output.pred_boxes[0].float().cpu().numpy()
        center, half = boxes[:, :2], boxes[:, 2:] / 2
        corners = np.concatenate([center - half, center + half], axis=1)
        return scores, (corners * np.array([*size, *size])).astype(np.float32)


def _words(label: str) -> str:
    """The label as the text holds it: a dot would end it."""
    return label.replace(".", " ").strip().lower()


def _text(labels: Sequence[str]) -> str:
    return ". ".join(map(_words, labels)) + "."


def _spans(labels: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where each label stands in the text, in characters."""
    start = 0
    for label in labels:
        end = start + len(_words(label))
        yield start, end
        start = end + len(". ")


def load_grounding_detector(checkpoint: Checkpoint, settings: ModelSettings) -> GroundingDetector:
    """The checkpoint on torch in fp32, on the device that the settings choose.

    `ModelUnavailable` when any part is missing or does not fit.
    """
    transformers_logging.set_verbosity_error()
    folder = str(checkpoint.folder)
    try:
        model, loading = AutoModelForZeroShotObjectDetection.from_pretrained(
            folder, local_files_only=True, output_loading_info=True, dtype=torch.float32
        )
        processor = AutoImageProcessor.from_pretrained(folder, local_files_only=True)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # transformers raises whatever a folder provokes in it
        cause = " ".join(str(error).split())[:300]
        raise ModelUnavailable(
            f"the detector {checkpoint.name} cannot be loaded from {folder}: {cause}"
        ) from error
    if loading["missing_keys"] or loading["mismatched_keys"]:
        raise ModelUnavailable(
            f"the weights of the detector {checkpoint.name} in {folder} do not fit its config.json"
        )
    model.eval().to(choose_device(settings.device))
    return GroundingDetector(checkpoint.name, model, processor, tokenizer)
