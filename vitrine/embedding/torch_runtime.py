"""Models on torch: loading through transformers, and the forward passes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoImageProcessor, AutoModel, AutoTokenizer, ViTImageProcessorPil
from transformers.utils import logging as transformers_logging

from vitrine.embedding.checkpoint import Checkpoint
from vitrine.embedding.cuda_graphs import CudaCapture
from vitrine.embedding.device_memory import memory_for
from vitrine.embedding.dual_encoder import DualEncoder
from vitrine.embedding.image_preprocessor import ImagePreprocessor
from vitrine.embedding.loaded_model import LoadedModel
from vitrine.embedding.open_clip.load import load_open_clip
from vitrine.embedding.ports import Compute, ModelInfo
from vitrine.embedding.text_graphs import Capture, TextGraphs, capture_text_graphs
from vitrine.embedding.tokenizer import TokenBatch, Tokenizer
from vitrine.embedding.tokenizer_loading import load_tokenizer
from vitrine.errors import ModelUnavailable
from vitrine.settings import ModelSettings

__all__ = [
    "TorchDualEncoderModel",
    "choose_capture",
    "choose_device",
    "choose_precision",
    "load_dual_encoder",
    "load_model",
    "load_torch_embedder",
    "rows_of",
]

_PLAIN_PROCESSORS = frozenset(("Tipsv2ImageProcessor",))
"""Those that resize, rescale and normalize, and that transformers has for torchvision alone."""
_LEAST_COSINES = {"fp32": 0.99999, "bf16": 0.999}
"""Of a text's vectors by a graph and by the plain pass, which may take other kernels and so round
otherwise. bf16 on an H200 is at 0.9999 to fp32, so that two of its roundings are at 0.9996 where
they add up."""


class TorchDualEncoderModel:
    """The forward passes of a transformers dual encoder on one device, in fp32 or bf16."""

    def __init__(self, model: Any, *, device: str, precision: str, masked: bool) -> None:
        self._dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        self._model = model.to(device=device, dtype=self._dtype)
        self._device = device
        self._masked = masked
        self._text_graphs: TextGraphs | None = None
        self.compute = Compute(device, precision)

    def encode_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, 3, height, width) to (n, dimension)."""
        with torch.inference_mode():
            batch = torch.from_numpy(pixels).to(self._device, self._dtype)
            return _rows(self._model.get_image_features(pixel_values=batch))

    def encode_levels(
        self, levels: NDArray[np.uint8], images: ImagePreprocessor
    ) -> NDArray[np.float32]:
        """(n, height, width, 3), sent as bytes and normalized on the device, to (n, dimension).

        `DeviceFull` when they are too many for its memory.
        """
        remedy = "set VITRINE_BATCH_SIZE lower"
        pictures = f"{len(levels)} pictures"
        with torch.inference_mode(), memory_for(pictures, self._device, remedy=remedy):
            sent = torch.from_numpy(np.ascontiguousarray(levels))
            if self._device.startswith("cuda"):
                sent = sent.pin_memory()
            batch = sent.to(self._device, non_blocking=True).permute(0, 3, 1, 2).float()
            batch.mul_(images.scale).sub_(self._column(images.mean))
            batch.div_(self._column(images.deviation))
            pixels = batch.to(self._dtype, memory_format=torch.contiguous_format)
            return _rows(self._model.get_image_features(pixel_values=pixels))

    def _column(self, values: tuple[float, float, float]) -> torch.Tensor:
        return torch.tensor(values, device=self._device).view(3, 1, 1)

    def encode_texts(self, tokens: TokenBatch) -> NDArray[np.float32]:
        """(n, length) to (n, dimension); `DeviceFull` when its memory does not suffice."""
        with torch.inference_mode(), memory_for(f"{len(tokens.ids)} texts", self._device):
            if self._text_graphs is not None:
                rows = self._text_graphs.encode(tokens)
                if rows is not None:
                    return rows
            ids, mask = torch.from_numpy(tokens.ids), torch.from_numpy(tokens.mask)
            return _rows(self._text_rows(ids, mask))

    def capture_texts(self, tokenizer: Tokenizer, capture: Capture) -> None:
        """Embed texts as graphs from now on, where these prove to give the same vectors."""
        with torch.inference_mode():
            self._text_graphs = capture_text_graphs(
                self._text_rows,
                tokenizer,
                capture,
                device=self._device,
                least_cosine=_LEAST_COSINES[self.compute.precision],
            )
        self.compute = replace(self.compute, text_graphs=self._text_graphs is not None)

    def _text_rows(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        inputs = {"input_ids": ids.to(self._device)}
        if self._masked:
            inputs["attention_mask"] = mask.to(self._device)
        return rows_of(self._model.get_text_features(**inputs)).float()


def load_torch_embedder(
    checkpoint: Checkpoint, fingerprint: str, settings: ModelSettings
) -> DualEncoder:
    """The checkpoint on torch, on the device and in the precision that the settings choose."""
    device = choose_device(settings.device)
    if settings.model_threads:
        torch.set_num_threads(settings.model_threads)
    loaded = load_dual_encoder(checkpoint)
    scale = loaded.logit_scale  # read before the precision changes
    precision = choose_precision(settings.precision, device)
    model = TorchDualEncoderModel(
        loaded.model, device=device, precision=precision, masked=loaded.tokenizer.config.masked
    )
    dimension = model.encode_texts(loaded.tokenizer.encode(["a photo"])).shape[1]
    capture = choose_capture(settings.cuda_graphs, device)
    if capture is not None:
        model.capture_texts(loaded.tokenizer, capture)
    info = ModelInfo(checkpoint.name, fingerprint, dimension, scale, loaded.images.shorter_side)
    return DualEncoder(info, loaded.images, loaded.tokenizer, model)


def load_dual_encoder(checkpoint: Checkpoint, *, attention: str | None = None) -> LoadedModel:
    """The checkpoint in memory; `ModelUnavailable` also when it is no dual encoder."""
    if checkpoint.layout == "open_clip":
        return load_open_clip(checkpoint, attention=attention)
    loaded = load_model(checkpoint, AutoModel, attention=attention)
    towers = ("get_image_features", "get_text_features")
    factors = ("logit_scale", "temperature")
    if not (
        all(hasattr(loaded.model, tower) for tower in towers)
        and any(hasattr(loaded.model, factor) for factor in factors)
    ):
        raise ModelUnavailable(
            f"the model {checkpoint.name} is no dual encoder of texts and pictures: it is a "
            f"{type(loaded.model).__name__}"
        )
    return loaded


def load_model(
    checkpoint: Checkpoint, auto_class: Any, *, attention: str | None = None
) -> LoadedModel:
    """Load weights and rules from the checkpoint's folder.

    `ModelUnavailable` when any part is missing or does not fit.

    `attention` names transformers' way to compute it (None: the model's default).
    """
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    folder = str(checkpoint.folder)
    _ = checkpoint.config, checkpoint.weights  # their own messages are clearer than transformers'
    try:
        model, loading_info = auto_class.from_pretrained(
            folder,
            local_files_only=True,
            output_loading_info=True,
            dtype=torch.float32,
            attn_implementation=attention,
        )
        processor = _image_processor(checkpoint)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (
        Exception
    ) as error:  # transformers raises whatever a damaged or foreign folder provokes in it
        cause = " ".join(str(error).split())[:300]
        raise ModelUnavailable(
            f"the model {checkpoint.name} cannot be loaded from {folder}: {cause}"
        ) from error
    if loading_info["missing_keys"] or loading_info["mismatched_keys"]:
        missing = sorted(map(str, loading_info["missing_keys"] or loading_info["mismatched_keys"]))[
            :3
        ]
        raise ModelUnavailable(
            f"the weights of {checkpoint.name} in {folder} do not fit its config.json: "
            f"{', '.join(missing)} ..."
        )
    return LoadedModel(
        model.eval(),
        ImagePreprocessor.of_processor(processor, checkpoint.name),
        load_tokenizer(tokenizer, model.config, checkpoint.name),
    )


def _image_processor(checkpoint: Checkpoint) -> Any:
    """transformers' processor, of which only the values are read.

    Where transformers would run it by torchvision alone, Pillow's of the same steps stands in for
    it, so that torchvision need not be installed.
    """
    rules = checkpoint.folder / "preprocessor_config.json"
    kind = (
        json.loads(rules.read_text("utf-8")).get("image_processor_type") if rules.exists() else ""
    )
    auto = ViTImageProcessorPil if kind in _PLAIN_PROCESSORS else AutoImageProcessor
    return auto.from_pretrained(str(checkpoint.folder), local_files_only=True)


def choose_device(requested: str) -> str:
    """The device a setting names; `auto` is CUDA, else MPS, else the CPU.

    `ModelUnavailable` for one that is not there.
    """
    available = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if requested == "auto":
        return next((name for name in ("cuda", "mps") if available[name]), "cpu")
    if not available.get(requested.partition(":")[0], False):
        raise ModelUnavailable(
            f"the device {requested!r} is not available to torch here; set VITRINE_DEVICE=auto or "
            "cpu"
        )
    return requested


def choose_precision(requested: str, device: str) -> str:
    """The arithmetic a setting names.

    `auto` is bf16 where the device is a CUDA GPU that computes in it, else fp32.

    Seen on an H200, forward pass alone: ViT-B/32 27,000 pictures a second instead of 4,200, at a
    cosine of 0.9999 to fp32. `torch.compile` adds a sixth, beyond what decoding gives, and takes
    18 s at each start: not used.
    """
    if requested != "auto":
        return requested
    if not device.startswith("cuda"):
        return "fp32"
    with torch.cuda.device(device):
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"


def choose_capture(requested: str, device: str) -> Capture | None:
    """What captures text towers, where a setting allows it and the device can; else None."""
    return CudaCapture(device) if requested == "auto" and device.startswith("cuda") else None


def rows_of(output: Any) -> torch.Tensor:
    """The rows (n, dimension) in what a model's tower answers with."""
    rows: torch.Tensor = getattr(output, "pooler_output", output)
    return rows


def _rows(output: Any) -> NDArray[np.float32]:
    rows: NDArray[np.float32] = rows_of(output).float().cpu().numpy()
    return rows
