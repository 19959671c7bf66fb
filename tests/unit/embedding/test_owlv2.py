"""OWLv2 gives what transformers' own pipeline gives.

The pictures are as long as the model's square, so that none is resized: there Vitrine uses Pillow's
filter and transformers another.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from transformers import pipeline

from tests.checkpoints import photo, save_owlv2
from tests.unit.embedding.test_detection import LABELS, expect_same, middle
from vitrine.embedding import detection
from vitrine.embedding.load import load_detector
from vitrine.settings import Settings

pytestmark = pytest.mark.slow  # loads torch


@pytest.fixture(scope="module")
def owlv2_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_owlv2(tmp_path_factory.mktemp("checkpoint") / "owlv2")


@pytest.mark.parametrize("size", [(96, 96), (96, 60), (47, 96)])
def test_boxes_and_scores_are_the_pipelines_own(
    size: tuple[int, int],
    owlv2_folder: Path,
    configured: Callable[..., Settings],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(detection, "MOST_OBJECTS", 100_000)
    by_pipeline = pipeline("zero-shot-object-detection", model=str(owlv2_folder))
    detector = load_detector(configured(detector=str(owlv2_folder), runtime="torch"))
    image = photo(sum(size), *size)
    threshold = middle(by_pipeline(image, candidate_labels=LABELS, threshold=0.0))
    theirs = by_pipeline(image, candidate_labels=LABELS, threshold=threshold)
    ours = detector.detect(image, LABELS, threshold=threshold)
    assert 3 < len(ours) < 100
    expect_same(ours, theirs)


def test_a_larger_picture_lies_in_the_corner_of_its_square(
    owlv2_folder: Path, configured: Callable[..., Settings]
) -> None:
    images = load_detector(configured(detector=str(owlv2_folder), runtime="torch")).images
    small = photo(3, 96, 60)
    levels = images.levels([small.resize((384, 240))])[0].astype(int)
    assert levels.shape == (96, 96, 3)
    assert np.abs(levels[:60] - np.asarray(small)).mean() < 3
    assert not levels[60:].any()
