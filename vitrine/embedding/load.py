"""Settings in, a ready model out: which checkpoint, which runtime, on which device."""

from __future__ import annotations

import hashlib
import logging
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Literal

from vitrine.embedding.batching import BatchingEmbedder
from vitrine.embedding.caching import CachingEmbedder
from vitrine.embedding.checkpoint import Checkpoint, find_checkpoint
from vitrine.embedding.dual_encoder import DualEncoder
from vitrine.embedding.ports import Detector, Embedder
from vitrine.errors import InvalidSettings
from vitrine.extras import needs
from vitrine.settings import ModelSettings

__all__ = ["choose_runtime", "load_detector", "load_embedder", "load_encoder"]

_log = logging.getLogger(__name__)

_GROUNDING = ("grounding-dino", "mm-grounding-dino")

QUERY_BATCH = 32
"""Concurrent queries embedded together at most.

On two cores the rate no longer grows from 16 on.
"""


def load_embedder(settings: ModelSettings) -> CachingEmbedder:
    """The configured dual encoder, its queries batched and kept.

    `ModelUnavailable` says which model cannot be had and what to do.
    """
    remote = _remote(settings)
    batching = BatchingEmbedder(
        load_encoder(settings) if remote is None else remote,
        most=QUERY_BATCH,
        timeout_s=settings.query_timeout_s,
    )
    return CachingEmbedder(
        batching, size=settings.embedding_cache, timeout_s=settings.query_timeout_s
    )


def _remote(settings: ModelSettings) -> Embedder | None:
    """The embedder that the settings name, when it has the model; None: it is loaded here."""
    if not settings.embedder_url:
        return None
    from vitrine.embedding.remote import RemoteEmbedder

    remote = RemoteEmbedder(settings)
    if remote.info.name == settings.model:
        if settings.dimension not in (0, remote.info.dimension):
            raise InvalidSettings.of(
                "VITRINE_DIMENSION",
                f"is {settings.dimension}, but the embedder at {settings.embedder_url} gives "
                f"vectors of {remote.info.dimension}; set it there, where the model is",
            )
        return remote
    remote.close()
    _log.warning(
        "the embedder at %s has the model %s, so %s is loaded here",
        settings.embedder_url,
        remote.info.name,
        settings.model,
    )
    return None


def choose_runtime(settings: ModelSettings) -> Literal["torch", "onnx"]:
    """`auto` is ONNX Runtime on the CPU and torch on a GPU.

    `InvalidSettings` for a runtime that cannot do what else is set.
    """
    on_cpu = settings.device == "cpu" or (settings.device == "auto" and not _has_gpu())
    runtime = settings.runtime
    if runtime == "auto":
        runtime = "onnx" if on_cpu and settings.precision != "bf16" else "torch"
    if runtime == "onnx" and not on_cpu:
        raise InvalidSettings.of(
            "VITRINE_RUNTIME",
            f"onnx runs on the CPU, VITRINE_DEVICE is {settings.device}; set it to cpu, or the "
            "runtime to torch",
        )
    if runtime == "onnx" and settings.precision == "bf16":
        raise InvalidSettings.of(
            "VITRINE_PRECISION", "bf16 needs VITRINE_RUNTIME=torch; onnx does fp32 and int8"
        )
    if runtime == "torch" and settings.precision == "int8":
        raise InvalidSettings.of(
            "VITRINE_PRECISION",
            "int8 needs VITRINE_RUNTIME=onnx and VITRINE_DEVICE=cpu; torch does fp32 and bf16",
        )
    return runtime


def load_detector(settings: ModelSettings) -> Detector:
    """The configured zero-shot detector.

    `ModelUnavailable` says which model cannot be had and what to do.
    """
    runtime = choose_runtime(settings)
    checkpoint = find_checkpoint(settings.detector, "owlvit")
    if checkpoint.config.get("model_type") in _GROUNDING:
        return _load_grounding(checkpoint, settings)
    if runtime == "onnx":
        from vitrine.embedding.onnx_runtime import load_onnx_detector

        return load_onnx_detector(
            checkpoint, checkpoint.fingerprint(settings.data_dir / "models"), settings
        )
    with needs("models", "the torch runtime"):
        from vitrine.embedding.torch_detector import load_torch_detector

    return load_torch_detector(checkpoint, settings)


def _load_grounding(checkpoint: Checkpoint, settings: ModelSettings) -> Detector:
    """On torch whatever the encoder runs on, for its towers are one and read text and picture
    together."""
    if settings.runtime == "onnx":
        raise InvalidSettings.of(
            "VITRINE_RUNTIME",
            f"is onnx, but the detector {checkpoint.name} is a Grounding DINO; Grounding DINO runs"
            " on torch: leave it auto",
        )
    with needs("models", "the torch runtime"):
        from vitrine.embedding.grounding_detector import load_grounding_detector

    return load_grounding_detector(checkpoint, settings)


def load_encoder(settings: ModelSettings) -> DualEncoder:
    """The configured dual encoder alone, every call a forward pass."""
    runtime = choose_runtime(settings)
    checkpoint = find_checkpoint(settings.model, "clip")
    _refuse_dimension(checkpoint, settings.dimension)
    fingerprint = checkpoint.fingerprint(settings.data_dir / "models")
    if runtime == "onnx":
        from vitrine.embedding.onnx_runtime import load_onnx_embedder

        encoder = load_onnx_embedder(checkpoint, fingerprint, settings)
    else:
        with needs("models", "the torch runtime"):
            from vitrine.embedding.torch_runtime import load_torch_embedder

        encoder = load_torch_embedder(checkpoint, fingerprint, settings)
    return _cut(encoder, settings.dimension) if settings.dimension else encoder


def _refuse_dimension(checkpoint: Checkpoint, dimension: int) -> None:
    """`InvalidSettings` for a dimension that the checkpoint does not name."""
    allowed = checkpoint.shorter_dimensions
    if dimension == 0 or dimension in allowed:
        return
    says = (
        f"allows {', '.join(map(str, allowed))}"
        if allowed
        else "does not say that its vectors may be cut; leave it 0"
    )
    raise InvalidSettings.of(
        "VITRINE_DIMENSION", f"is {dimension}, but the model {checkpoint.name} {says}"
    )


def _cut(encoder: DualEncoder, dimension: int) -> DualEncoder:
    """The encoder whose rows are the leading components, under a fingerprint of their own."""
    info = encoder.info
    if dimension > info.dimension:
        raise InvalidSettings.of(
            "VITRINE_DIMENSION",
            f"is {dimension}, but the vectors of {info.name} have {info.dimension} components",
        )
    if dimension == info.dimension:
        return encoder
    fingerprint = hashlib.sha256(f"{info.fingerprint} {dimension}".encode()).hexdigest()
    encoder.info = replace(info, dimension=dimension, fingerprint=fingerprint)
    return encoder


def _has_gpu() -> bool:
    """Whether torch would find a GPU.

    Torch is only asked where the machine shows signs of one, since asking loads it.
    """
    signs = any(Path(device).exists() for device in ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg"))
    if not (signs or sys.platform == "darwin" or shutil.which("nvidia-smi")):
        return False
    try:
        from vitrine.embedding.torch_runtime import choose_device
    except ModuleNotFoundError:
        _log.warning(
            "this machine shows a GPU, but torch is not installed to use it: the model runs on "
            "the CPU"
        )
        return False
    return choose_device("auto") != "cpu"
