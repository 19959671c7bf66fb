"""Mean average precision at IoU 0.5 on drawn scenes that no training scene is like, square and
not."""

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm
from transformers import OwlViTForObjectDetection, OwlViTProcessor

from demo.drawing import CATEGORIES
from training.scenes import Box, Scene, draw_scene

__all__ = ["average_precision", "iou", "measure_detector"]

_SEED = 888_000_000
_SHAPES = ((320, 320), (480, 320), (320, 480), (512, 288))

Detected = tuple[int, Box, float]
"""A scene's number, a box in its pixels, a score."""


def iou(first: Box, second: Box) -> float:
    """Returns the intersection of two boxes over their union."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return width * height / (sum(areas) - width * height)


def average_precision(detections: Sequence[Detected], expected: Sequence[tuple[int, Box]]) -> float:
    """Returns the area under the interpolated precision-recall curve at IoU 0.5 (PASCAL VOC 2010
    and later)."""
    taken: set[int] = set()
    hits = []
    for scene, box, _ in sorted(detections, key=lambda detection: -detection[2]):
        overlaps = [
            (iou(box, other), index)
            for index, (place, other) in enumerate(expected)
            if place == scene and index not in taken
        ]
        overlap, index = max(overlaps, default=(0.0, -1))
        hits.append(overlap >= 0.5)
        if hits[-1]:
            taken.add(index)
    right = np.cumsum(hits)
    precision = right / np.arange(1, len(hits) + 1)
    recall = np.concatenate(([0.0], right / len(expected)))
    highest = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall) * highest).sum())


class Detector:
    """A checkpoint folder of OWL-ViT, used as its documentation says."""

    def __init__(self, folder: Path) -> None:
        self.model = OwlViTForObjectDetection.from_pretrained(folder, local_files_only=True).eval()
        self.processor = OwlViTProcessor.from_pretrained(folder, local_files_only=True)

    def find(
        self, scene: Scene, labels: Sequence[str]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.intp]]:
        """Returns boxes in pixels, scores and label numbers of all that scores above 0.02."""
        inputs = self.processor(text=[list(labels)], images=scene.image, return_tensors="pt")
        with torch.inference_mode():
            outputs = self.model(**inputs)
        sizes = [(scene.image.height, scene.image.width)]
        detections = self.processor.image_processor.post_process_object_detection(
            outputs, threshold=0.02, target_sizes=sizes
        )[0]
        return (
            detections["boxes"].numpy(),
            detections["scores"].numpy(),
            detections["labels"].numpy(),
        )


def measure_detector(folder: Path, *, scenes: int) -> dict[str, float]:
    """Returns mAP@0.5 over the categories ("a photo of a {category}", all asked for at once),
    and that of each shape of scene."""
    detector = Detector(folder)
    rng = random.Random(_SEED)
    drawn = [
        draw_scene(rng, width=width, height=height)
        for _ in range(scenes // len(_SHAPES))
        for width, height in _SHAPES
    ]
    labels = [f"a photo of a {category}" for category in CATEGORIES]
    detections: dict[str, list[Detected]] = {category: [] for category in CATEGORIES}
    for number, scene in enumerate(tqdm(drawn, desc="detect", unit="scene", mininterval=5)):
        for box, score, label in zip(*detector.find(scene, labels), strict=True):
            left, top, right, bottom = map(float, box)
            detection = (number, (left, top, right, bottom), float(score))
            detections[CATEGORIES[int(label)]].append(detection)
    scores = {"all scenes": _mean_precision(detections, drawn, range(len(drawn)))}
    for index, (width, height) in enumerate(_SHAPES):
        scores[f"{width} x {height}"] = _mean_precision(
            detections, drawn, range(index, len(drawn), len(_SHAPES))
        )
    return scores


def _mean_precision(
    detections: dict[str, list[Detected]], scenes: Sequence[Scene], numbers: range
) -> float:
    values = []
    for category, boxes in detections.items():
        expected = [
            (number, box)
            for number in numbers
            for item, box in scenes[number].objects
            if item.category == category
        ]
        if expected:
            values.append(average_precision([box for box in boxes if box[0] in numbers], expected))
    return float(np.mean(values))
