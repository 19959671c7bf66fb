"""Export of a checkpoint to ONNX: a program of its own, run once per checkpoint, that proves its
work against torch."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import uuid
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vitrine.embedding.checkpoint import Checkpoint
from vitrine.embedding.class_token import ClassTokenTower
from vitrine.embedding.end_token import EndTokenTower
from vitrine.embedding.export_check import PROBES, probe_pictures, require_agreement
from vitrine.embedding.exported import Export, ExportRequest, Manifest
from vitrine.embedding.loaded_model import LoadedModel
from vitrine.embedding.onnx_runtime import OnnxDetectorModel, OnnxDualEncoderModel
from vitrine.embedding.tokenizer import Tokenizer
from vitrine.embedding.torch_detector import (
    DetectorTower,
    TextTower,
    TorchDetectorModel,
    load_owlvit,
)
from vitrine.embedding.torch_runtime import TorchDualEncoderModel, load_dual_encoder, rows_of
from vitrine.errors import ModelUnavailable

__all__ = ["main"]

_OPSET = 18
_DYNAMIC = torch.export.Dim.DYNAMIC


class _ImageEncoder(torch.nn.Module):  # type: ignore[misc]  # torch is not analyzed
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return rows_of(self.model.get_image_features(pixel_values=pixels))


class _TextEncoder(torch.nn.Module):  # type: ignore[misc]  # torch is not analyzed
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        return rows_of(self.model.get_text_features(input_ids=ids, attention_mask=mask))


def main(arguments: Sequence[str]) -> int:
    """Carry out the request (JSON).

    A known cause of failure is told as JSON on the last line of standard output.
    """
    request = ExportRequest.model_validate_json(arguments[0])
    warnings.simplefilter("ignore")  # the exporter's remarks to its own developers
    part = request.target.with_name(f"{request.target.name}.{uuid.uuid4().hex}.part")
    part.mkdir(parents=True)
    try:
        _export(request, Export(part))
        shutil.rmtree(request.target, ignore_errors=True)
        part.rename(request.target)
    except ModelUnavailable as error:
        print(json.dumps({"unavailable": str(error)}))
        return 1
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return 0


def _export(request: ExportRequest, into: Export) -> None:
    checkpoint = Checkpoint(request.name, request.source)
    if request.role == "clip":
        loaded = load_dual_encoder(checkpoint, attention="eager")
        manifest = _export_dual(request, loaded, into)
    else:
        loaded = load_owlvit(checkpoint, attention="eager")
        manifest = _export_owlvit(request, loaded, into)
    into.tokenizer.write_text(loaded.tokenizer.to_json(), "utf-8")
    into.manifest.write_text(manifest.model_dump_json(indent=1), "utf-8")


def _export_dual(request: ExportRequest, loaded: LoadedModel, into: Export) -> Manifest:
    config = loaded.tokenizer.config
    tower = getattr(loaded.model, "image_tower", loaded.model)
    image_encoder = (
        ClassTokenTower(tower) if ClassTokenTower.fits(tower) else _ImageEncoder(loaded.model)
    )
    end_token = EndTokenTower.of(loaded.model, loaded.tokenizer)
    masked = config.masked and end_token is None
    tokenizer = Tokenizer(loaded.tokenizer.to_json(), replace(config, masked=masked))
    _make_graphs(
        request,
        replace(loaded, tokenizer=tokenizer),
        (image_encoder, end_token or _TextEncoder(loaded.model)),
        ["rows"],
        into,
    )
    by_torch = TorchDualEncoderModel(
        loaded.model, device="cpu", precision="fp32", masked=config.masked
    )
    by_onnx = OnnxDualEncoderModel(into, threads=0, masked=masked)
    pictures = probe_pictures(loaded.images.shape)
    texts = [loaded.tokenizer.encode(part) for part in (PROBES, PROBES[:1], PROBES[3:])]
    require_agreement(
        request,
        "pictures",
        [
            (by_torch.encode_images(part), by_onnx.encode_images(part))
            for part in (pictures, pictures[:1])
        ],
    )
    require_agreement(
        request,
        "texts",
        [(by_torch.encode_texts(part), by_onnx.encode_texts(part)) for part in texts],
    )
    return Manifest(
        dimension=by_torch.encode_texts(texts[0]).shape[1],
        logit_scale=loaded.logit_scale,
        images=loaded.images,
        tokenizer=tokenizer.config,
    )


def _export_owlvit(request: ExportRequest, loaded: LoadedModel, into: Export) -> Manifest:
    _make_graphs(
        request,
        loaded,
        (DetectorTower(loaded.model), TextTower(loaded.model)),
        ["classes", "shift", "scale", "boxes"],
        into,
    )
    by_torch = TorchDetectorModel(loaded.model, device="cpu", precision="fp32")
    by_onnx = OnnxDetectorModel(into, threads=0)
    scenes = [
        (by_torch.forward(picture[None]), by_onnx.forward(picture[None]))
        for picture in probe_pictures(loaded.images.shape)
    ]
    texts = [loaded.tokenizer.encode(part) for part in (PROBES, PROBES[:1])]
    require_agreement(request, "classes", [(a.classes, b.classes) for a, b in scenes])
    require_agreement(
        request, "boxes", [(a.boxes.reshape(1, -1), b.boxes.reshape(1, -1)) for a, b in scenes]
    )
    require_agreement(
        request,
        "scores",
        [(np.stack([a.shift, a.scale]), np.stack([b.shift, b.scale])) for a, b in scenes],
    )
    require_agreement(
        request,
        "texts",
        [(by_torch.encode_texts(part), by_onnx.encode_texts(part)) for part in texts],
    )
    return Manifest(
        dimension=by_torch.encode_texts(texts[0]).shape[1],
        logit_scale=1.0,  # each place in a scene has its own
        images=loaded.images,
        tokenizer=loaded.tokenizer.config,
    )


def _make_graphs(
    request: ExportRequest,
    loaded: LoadedModel,
    encoders: tuple[torch.nn.Module, torch.nn.Module],
    outputs: list[str],
    into: Export,
) -> None:
    """The graphs of both towers.

    Those of int8 from the exact export where there is one, which spares most of the time.
    """
    if request.precision == "fp32":
        _write_graphs(loaded, encoders, outputs, into)
    elif request.exact is not None:
        try:
            _quantize(Export(request.exact), into)
        except Exception as error:  # the readers of onnx share no class of exceptions
            raise ModelUnavailable(
                f"the exported model in {request.exact} cannot be read; delete that folder and "
                f"start again ({error})"
            ) from error
    else:
        with tempfile.TemporaryDirectory(dir=into.folder) as folder:
            exact = Export(Path(folder))
            _write_graphs(loaded, encoders, outputs, exact)
            _quantize(exact, into)


def _write_graphs(
    loaded: LoadedModel,
    encoders: tuple[torch.nn.Module, torch.nn.Module],
    outputs: list[str],
    into: Export,
) -> None:
    image_encoder, text_encoder = encoders
    height, width = loaded.images.shape
    _write(
        image_encoder,
        into.image_graph,
        {"pixels": torch.rand(2, 3, height, width)},
        {"pixels": {0: _DYNAMIC}},
        outputs,
    )
    batch = loaded.tokenizer.encode(PROBES[:2])
    config = loaded.tokenizer.config
    free = {0: _DYNAMIC} if config.pad_to_length else {0: _DYNAMIC, 1: _DYNAMIC}
    inputs = {"ids": torch.from_numpy(batch.ids)} | (
        {"mask": torch.from_numpy(batch.mask)} if config.masked else {}
    )
    _write(text_encoder, into.text_graph, inputs, dict.fromkeys(inputs, free), ["rows"])


def _write(
    tower: torch.nn.Module,
    path: Path,
    inputs: dict[str, torch.Tensor],
    free: dict[str, dict[int, Any]],
    outputs: list[str],
) -> None:
    with torch.no_grad():
        torch.onnx.export(
            tower.eval(),
            (),
            path,
            kwargs=inputs,
            input_names=list(inputs),
            output_names=outputs,
            dynamic_shapes=free,
            opset_version=_OPSET,
            dynamo=True,
            verbose=False,
        )


def _quantize(exact: Export, into: Export) -> None:
    """Weights of matrix products to 8 bits per channel, activations at run time; seven of the eight
    bits are used, because processors without VNNI instructions saturate on products of two full
    bytes (ONNX Runtime, Quantize ONNX models)."""
    from onnxruntime.quantization import quantize_dynamic

    for graph, quantized in (
        (exact.image_graph, into.image_graph),
        (exact.text_graph, into.text_graph),
    ):
        quantize_dynamic(
            graph,
            quantized,
            op_types_to_quantize=["MatMul", "Gemm"],
            per_channel=True,
            reduce_range=True,
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
