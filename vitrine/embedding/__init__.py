"""Models that turn pictures and texts into vectors: the ports and their runtimes."""

from vitrine.embedding.ports import Detection, Detector, Embedder, ModelInfo

__all__ = ["Detection", "Detector", "Embedder", "ModelInfo"]
