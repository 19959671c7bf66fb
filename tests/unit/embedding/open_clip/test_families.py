"""Every family in open_clip's layout gives the vectors that open_clip itself gave for the same
pictures and texts (`tests/data/open_clip/make.py`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.data.open_clip import FOLDERS, PICTURES, TEXTS
from vitrine.embedding.checkpoint import Checkpoint
from vitrine.embedding.load import load_embedder
from vitrine.embedding.torch_runtime import load_dual_encoder
from vitrine.settings import Settings

pytestmark = pytest.mark.slow  # loads torch

Configured = Callable[..., Settings]
FAMILIES = sorted(path.parent.name for path in FOLDERS.glob("*/open_clip_config.json"))


def expected(family: str) -> dict[str, NDArray[Any]]:
    with np.load(FOLDERS / family / "expected.npz") as arrays:
        return dict(arrays)


def rows(embedder: Any) -> Iterator[tuple[str, NDArray[np.float32]]]:
    yield "pictures", embedder.embed_images(PICTURES)
    yield "texts", embedder.embed_texts(TEXTS)


def least_cosine(ours: NDArray[np.float32], by_open_clip: NDArray[np.float32]) -> float:
    return float((ours.astype(np.float64) * by_open_clip).sum(axis=1).min())


def test_there_are_at_least_eight_families() -> None:
    assert len(FAMILIES) >= 8


@pytest.mark.parametrize("family", FAMILIES)
def test_torch_gives_open_clips_own_vectors(family: str, configured: Configured) -> None:
    embedder = load_embedder(configured(model=str(FOLDERS / family), runtime="torch"))
    by_open_clip = expected(family)
    for kind, ours in rows(embedder):
        assert least_cosine(ours, by_open_clip[kind]) > 0.9999, kind
    assert embedder.info.logit_scale == pytest.approx(float(by_open_clip["logit_scale"]))


@pytest.mark.parametrize("family", FAMILIES)
def test_pictures_and_texts_are_prepared_as_open_clip_does(family: str) -> None:
    loaded = load_dual_encoder(Checkpoint(family, FOLDERS / family))
    by_open_clip = expected(family)
    means = loaded.images.apply(PICTURES).mean(axis=(1, 2, 3))
    # some pixels differ by one level of 255, as only what the crop keeps is resized
    assert np.abs(means - by_open_clip["pixels_mean"]).max() < 5e-4
    ids, masks = loaded.tokenizer.encode(TEXTS).ids, loaded.tokenizer.encode(TEXTS).mask
    for row, mask, tokens in zip(ids, masks, by_open_clip["tokens"], strict=True):
        seen = mask == 1
        assert row[seen].tolist() == tokens[: len(row)][seen].tolist()


@pytest.mark.parametrize("family", FAMILIES)
def test_the_oracle_tells_pictures_and_texts_apart(family: str) -> None:
    for kind in ("pictures", "texts"):
        cosines = expected(family)[kind] @ expected(family)[kind].T
        different = cosines[~np.eye(len(cosines), dtype=bool)]
        assert different.min() < 0.97, "an oracle of equal rows would prove nothing"


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("exports_here")
@pytest.mark.parametrize(
    "family",
    [
        family if family in ("clip", "siglip") else pytest.param(family, marks=pytest.mark.families)
        for family in FAMILIES
    ],
)
def test_onnx_gives_open_clips_own_vectors(family: str, configured: Configured) -> None:
    embedder = load_embedder(configured(model=str(FOLDERS / family), runtime="onnx"))
    for kind, ours in rows(embedder):
        assert least_cosine(ours, expected(family)[kind]) > 0.9999, kind
