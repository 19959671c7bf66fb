"""Models that turn pictures and texts into vectors: the ports and their runtimes."""

from vitrine.embedding.ports import Detection, Detector, Embedder, ModelCard

__all__ = ["Detection", "Detector", "Embedder", "ModelCard"]
