"""Grounding DINO's scores and boxes follow from what transformers' model itself gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoImageProcessor, AutoModelForZeroShotObjectDetection, AutoTokenizer

from tests.checkpoints import photo, save_grounding_dino
from vitrine.embedding import detection
from vitrine.embedding.load import load_detector
from vitrine.errors import InvalidSettings
from vitrine.settings import Settings

pytestmark = pytest.mark.slow  # loads torch

Configured = Callable[..., Settings]
LABELS = ["Red Dress", "a chair", "mug"]
TOKENS = {"Red Dress": (1, 3), "a chair": (4, 6), "mug": (7, 8)}
"""Where the words of each label stand between [CLS] and the dots."""


@pytest.fixture(scope="module")
def grounding_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_grounding_dino(tmp_path_factory.mktemp("checkpoint") / "grounding")


@pytest.fixture(autouse=True)
def _every_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detection, "MOST_OBJECTS", 100_000)


def by_transformers(folder: Path, image: Any) -> dict[tuple[str, int], tuple[float, list[float]]]:
    """Score and box in pixels of each label at each place."""
    model = AutoModelForZeroShotObjectDetection.from_pretrained(folder).eval()
    pixels = AutoImageProcessor.from_pretrained(folder)(images=image, return_tensors="pt")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    text = tokenizer("red dress. a chair. mug.", return_tensors="pt")
    words = tokenizer.convert_ids_to_tokens(text["input_ids"][0].tolist())
    assert words == ["[CLS]", "red", "dress", ".", "a", "chair", ".", "mug", ".", "[SEP]"]
    with torch.no_grad():
        output = model(**pixels, **text)
    width, height = image.size
    answers = {}
    for place, (logits, box) in enumerate(zip(output.logits[0], output.pred_boxes[0], strict=True)):
        x, y, w, h = box.tolist()
        edges = [(x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width]
        for label, (start, end) in TOKENS.items():
            score = float(logits[start:end].sigmoid().max())
            answers[label, place] = (score, [*edges, (y + h / 2) * height])
    return answers


def test_scores_and_boxes_are_those_of_the_model(
    grounding_folder: Path, configured: Configured
) -> None:
    image = photo(5, 120, 80)
    detector = load_detector(configured(detector=str(grounding_folder)))
    objects = detector.detect(image, LABELS, threshold=0.0)
    expected = by_transformers(grounding_folder, image)
    assert len(objects) == len(expected)
    assert [each.score for each in objects] == sorted((e.score for e in objects), reverse=True)
    for label in LABELS:
        ours = sorted((each.score, *each.box) for each in objects if each.label == label)
        theirs = sorted((s, *box) for (name, _), (s, box) in expected.items() if name == label)
        assert np.allclose(ours, theirs, atol=1e-3)
    scores = [score for score, _ in expected.values()]
    assert max(scores) - min(scores) > 0.01, "equal scores would prove nothing"
    between = float(np.median(scores))
    above = detector.detect(image, LABELS, threshold=between)
    assert len(above) == sum(score > between for score in scores)


def test_labels_beyond_one_text_and_of_every_kind_get_an_answer(
    grounding_folder: Path, configured: Configured
) -> None:
    detector = load_detector(configured(detector=str(grounding_folder)))
    strange = ["x" * 3000, "红色连衣裙", "a.b", *(f"label {number}" for number in range(70))]
    objects = detector.detect(photo(6), strange, threshold=0.0)
    assert {each.label for each in objects} == set(strange)
    assert detector.detect(photo(6), [], threshold=0.0) == []
    once = detector.detect(photo(6), ["mug"], threshold=0.0)
    assert detector.detect(photo(6), ["mug", "mug"], threshold=0.0) == once


def test_onnx_is_refused_in_words(grounding_folder: Path, configured: Configured) -> None:
    with pytest.raises(InvalidSettings, match=r"VITRINE_RUNTIME.*Grounding DINO runs on torch"):
        load_detector(configured(detector=str(grounding_folder), runtime="onnx"))
