"""Models that turn pictures and texts into vectors: the ports and their runtimes."""

from vitrine.embedding.ports import (
    Compute,
    Detection,
    Detector,
    Embedder,
    ModelInfo,
    PictureRules,
)

__all__ = ["Compute", "Detection", "Detector", "Embedder", "ModelInfo", "PictureRules"]
