"""Detection gives what transformers' own pipeline gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from transformers import BatchEncoding, BatchFeature, pipeline

from tests.checkpoints import photo
from vitrine.embedding import detection
from vitrine.embedding.grounding_detector import GroundingDetector
from vitrine.embedding.load import load_detector
from vitrine.embedding.tokenizer import TokenBatch
from vitrine.embedding.torch_detector import TorchDetectorModel
from vitrine.errors import DeviceFull, ModelUnavailable
from vitrine.settings import Settings

pytestmark = pytest.mark.slow  # loads torch

LABELS = ["red dress", "a chair", "mug"]
SIZES = [(200, 90), (60, 181), (96, 96)]


@pytest.fixture(autouse=True)
def _every_object(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare all that is found; how many are told is a test of its own."""
    monkeypatch.setattr(detection, "MOST_OBJECTS", 100_000)


@pytest.fixture(scope="module")
def by_pipeline(owlvit_folder: Path) -> Any:
    return pipeline("zero-shot-object-detection", model=str(owlvit_folder))


def middle(found: list[dict[str, Any]]) -> float:
    """A threshold between two scores, about half of which lie above it."""
    scores = sorted(each["score"] for each in found)
    gaps = [(scores[i + 1] - scores[i], i) for i in range(len(scores) // 3, 2 * len(scores) // 3)]
    _, place = max(gaps)
    return (scores[place] + scores[place + 1]) / 2


def expect_same(ours: list[Any], theirs: list[dict[str, Any]]) -> None:
    """The same labels, scores and boxes; equal scores may stand in any request."""
    assert Counter(each.label for each in ours) == Counter(each["label"] for each in theirs)
    assert np.allclose([each.score for each in ours], [each["score"] for each in theirs], atol=1e-5)
    left = sorted(ours, key=lambda each: (each.label, each.score))
    right = sorted(theirs, key=lambda each: (each["label"], each["score"]))
    for one, other in zip(left, right, strict=True):
        assert one.label == other["label"]
        assert [int(edge) for edge in one.box] == pytest.approx(
            [other["box"][edge] for edge in ("xmin", "ymin", "xmax", "ymax")], abs=1
        )


@pytest.mark.usefixtures("pillow_resizes")
@pytest.mark.parametrize("size", SIZES)
def test_boxes_and_scores_are_the_pipelines_own(
    size: tuple[int, int],
    owlvit_folder: Path,
    by_pipeline: Any,
    configured: Callable[..., Settings],
) -> None:
    detector = load_detector(configured(detector=str(owlvit_folder), runtime="torch"))
    image = photo(sum(size), *size)
    threshold = middle(by_pipeline(image, candidate_labels=LABELS, threshold=0.0))
    theirs = by_pipeline(image, candidate_labels=LABELS, threshold=threshold)
    ours = detector.detect(image, LABELS, threshold=threshold)
    assert 3 < len(ours) < 100
    expect_same(ours, theirs)
    assert [each.score for each in ours] == sorted((each.score for each in ours), reverse=True)


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("exports_here")
def test_onnx_finds_what_torch_finds(
    owlvit_folder: Path, configured: Callable[..., Settings]
) -> None:
    exact = load_detector(configured(detector=str(owlvit_folder), runtime="torch"))
    quick = load_detector(configured(detector=str(owlvit_folder), runtime="onnx"))
    image = photo(8, 200, 90)
    left, right = (detector.detect(image, LABELS, threshold=0.0) for detector in (exact, quick))
    assert len(left) == len(right) == 3 * 36
    key = lambda each: (each.label, each.box[0], each.box[1])  # noqa: E731
    for one, other in zip(sorted(left, key=key), sorted(right, key=key), strict=True):
        assert one.label == other.label
        assert one.score == pytest.approx(other.score, abs=1e-4)
        assert one.box == pytest.approx(other.box, abs=0.05)


def test_labels_of_every_kind_get_an_answer(
    owlvit_folder: Path, configured: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = load_detector(configured(detector=str(owlvit_folder), runtime="torch"))
    image = photo(9)
    once = detector.detect(image, ["mug"], threshold=0.0)
    assert detector.detect(image, ["mug", "mug"], threshold=0.0) == once
    assert detector.detect(image, [], threshold=0.0) == []
    assert detector.detect(image, ["mug"], threshold=1.0) == []
    strange = ["x" * 10_000, "红色连衣裙", "🙂", "<|endoftext|>", "!"]
    assert {each.label for each in detector.detect(image, strange, threshold=0.0)} == set(strange)
    many = [f"label {number}" for number in range(200)]
    found = detector.detect(image, [*many, "mug"], threshold=0.0)
    assert len(found) == 201 * 36
    monkeypatch.setattr(detection, "MOST_OBJECTS", 100)
    assert detector.detect(image, [*many, "mug"], threshold=0.0) == found[:100]
    again = [each for each in found if each.label == "mug"]
    assert [each.score for each in again] == pytest.approx([each.score for each in once], abs=1e-6)


def test_another_kind_of_model_is_refused(
    clip_folder: Path, configured: Callable[..., Settings]
) -> None:
    with pytest.raises(ModelUnavailable, match="no OWL-ViT"):
        load_detector(configured(detector=str(clip_folder), runtime="torch"))


class Full(torch.nn.Module):
    """A detector, or a part of one, whose card has no memory left."""

    def __init__(self, *, whole: bool = True) -> None:
        super().__init__()
        self.config, self.device = SimpleNamespace(max_text_len=32), torch.device("cpu")
        if whole:
            self.owlvit = Full(whole=False)

    def fail(self, *_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB")

    image_embedder = get_text_features = forward = fail


def test_a_card_without_memory_for_a_picture_says_so():
    model = TorchDetectorModel(Full(), device="cpu", precision="fp32")
    ids = np.ones((3, 5), np.int64)
    with pytest.raises(DeviceFull, match="cpu has too little memory for a picture at once; leave"):
        model.forward(np.zeros((1, 3, 8, 8), np.float32))
    with pytest.raises(DeviceFull, match="too little memory for 3 labels at once; leave it more"):
        model.encode_texts(TokenBatch(ids, ids))


def test_a_card_without_memory_for_a_picture_and_its_labels_says_so():
    def prepared(**_: object) -> BatchFeature:
        return BatchFeature({"pixel_values": torch.zeros(1, 3, 8, 8)})

    def encoded(text: str, **_: object) -> BatchEncoding:
        places = [(at, at + 1) for at in range(len(text))]
        return BatchEncoding(
            {"input_ids": [1] * len(text), "offset_mapping": torch.tensor([places])}
        )

    detector = GroundingDetector("tiny", Full(), prepared, encoded)
    with pytest.raises(DeviceFull, match="too little memory for a picture at once"):
        detector.detect(photo(1), ["mug"], threshold=0.5)
