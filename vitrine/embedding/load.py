"""Settings in, a ready model out: which checkpoint, which runtime, on which device."""

from __future__ import annotations

from vitrine.embedding.checkpoint import find_checkpoint
from vitrine.embedding.ports import Embedder
from vitrine.settings import Settings

__all__ = ["load_embedder"]


def load_embedder(settings: Settings) -> Embedder:
    """The configured dual encoder; `ModelUnavailable` says which model cannot be had and what to do."""
    from vitrine.embedding.torch_runtime import load_torch_embedder

    checkpoint = find_checkpoint(settings.model, "clip")
    fingerprint = checkpoint.fingerprint(settings.data_dir / "models")
    return load_torch_embedder(checkpoint, fingerprint, settings)
