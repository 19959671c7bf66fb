"""The lecture's own programs, with plain transformers and faiss and nothing of Vitrine.

Only the model's name varies.

Changed where the libraries have changed since: `get_*_features` return an object whose
`.pooler_output` is the vector, and Auto classes stand for CLIPModel and CLIPProcessor, so that any
dual encoder can be asked. Its search compares by cosine as its text says: rows are brought to unit
length by the lecture's own formula before they enter IndexFlatL2.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import faiss
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from transformers import AutoModel, AutoProcessor, pipeline
from transformers.utils import logging

logging.set_verbosity_error()


@lru_cache(maxsize=2)
def load(name: str) -> tuple[Any, Any]:
    """Model and processor."""
    return AutoModel.from_pretrained(
        name, dtype=torch.float32
    ).eval(), AutoProcessor.from_pretrained(name)


def get_image_feature(name: str, image: Image.Image) -> torch.Tensor:
    model, processor = load(name)
    processed = processor(images=image.convert("RGB"), return_tensors="pt")
    with torch.no_grad():
        return model.get_image_features(pixel_values=processed["pixel_values"]).pooler_output


def get_text_feature(name: str, text: str) -> torch.Tensor:
    model, processor = load(name)
    processed = processor(text=text, return_tensors="pt", padding=True, truncation=True)
    with torch.no_grad():
        return model.get_text_features(processed["input_ids"]).pooler_output


def cosine_similarity(tensor1: torch.Tensor, tensor2: torch.Tensor) -> torch.Tensor:
    tensor1_normalized = tensor1 / tensor1.norm(dim=-1, keepdim=True)
    tensor2_normalized = tensor2 / tensor2.norm(dim=-1, keepdim=True)
    return (tensor1_normalized * tensor2_normalized).sum(dim=-1)


def similarities(name: str, image: Image.Image, texts: Sequence[str]) -> list[float]:
    """The cosine of the picture with each text."""
    image_tensor = get_image_feature(name, image)
    return [float(cosine_similarity(image_tensor, get_text_feature(name, text))) for text in texts]


def probabilities(name: str, image: Image.Image, categories: Sequence[str]) -> list[float]:
    """The zero-shot classification: softmax over the model's own logits."""
    model, processor = load(name)
    categories_text = [f"a photo of a {x}" for x in categories]
    inputs = processor(
        text=categories_text,
        images=image.convert("RGB"),
        return_tensors="pt",
        padding=True,
        truncation=True,
    )
    with torch.no_grad():
        outputs = model(**inputs)
    return [float(p) for p in outputs.logits_per_image.softmax(dim=1)[0]]


def detections(
    name: str, image: Image.Image, labels: Sequence[str], threshold: float = 0.1
) -> list[dict[str, Any]]:
    """The zero-shot detection pipeline's answer; 0.1 is its own threshold."""
    detector = pipeline(model=name, task="zero-shot-object-detection")
    found: list[dict[str, Any]] = detector(
        image, candidate_labels=list(labels), threshold=threshold
    )
    return found


class Search:
    """The lecture's product search: a row per picture in a faiss index, asked with a text or a
    picture."""

    def __init__(self, name: str, images: Sequence[Image.Image]) -> None:
        self.name = name
        features_matrix = np.vstack(
            [self._unit(get_image_feature(name, image)) for image in images]
        )
        self.index = faiss.IndexFlatL2(features_matrix.shape[1])
        self.index.add(features_matrix.astype("float32"))

    def by_text(self, query_text: str, top_k: int = 5) -> list[tuple[int, float]]:
        """Positions and cosines, best first."""
        return self._search(self._unit(get_text_feature(self.name, query_text)), top_k)

    def by_image(self, image: Image.Image, top_k: int = 5) -> list[tuple[int, float]]:
        """Positions and cosines, best first."""
        return self._search(self._unit(get_image_feature(self.name, image)), top_k)

    def _search(self, features: NDArray[np.float32], top_k: int) -> list[tuple[int, float]]:
        distances, indices = self.index.search(features.astype("float32"), top_k)
        return [(int(i), 1 - float(d) / 2) for i, d in zip(indices[0], distances[0], strict=True)]

    @staticmethod
    def _unit(features: torch.Tensor) -> NDArray[np.float32]:
        return (features / features.norm(dim=-1, keepdim=True)).numpy()
