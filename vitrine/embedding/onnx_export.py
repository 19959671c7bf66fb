"""Export of a checkpoint to ONNX: a program of its own, run once per checkpoint, that proves its work against torch."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import uuid
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from vitrine.embedding.checkpoint import Checkpoint
from vitrine.embedding.class_token import ClassTokenTower
from vitrine.embedding.exported import Export, Manifest, Order
from vitrine.embedding.onnx_runtime import OnnxSceneTowers, OnnxTowers
from vitrine.embedding.torch_detector import SceneTower, TextTower, TorchSceneTowers, load_owlvit
from vitrine.embedding.torch_runtime import LoadedModel, TorchTowers, load_dual_encoder
from vitrine.errors import ModelUnavailable

__all__ = ["main"]

_OPSET = 18
_SAME = 0.9999
_SAME_INT8 = 0.9  # a broken kernel (saturation) falls far below; the loss in search quality is for `vitrine evaluate` to tell
_PROBES = (
    "a red dress",
    "a photo of a blue cotton shirt with white stripes",
    "连衣裙",
    "x",
    "something to drink coffee from " * 40,
)
_DYNAMIC = torch.export.Dim.DYNAMIC


class _See(torch.nn.Module):  # type: ignore[misc]  # torch is not analysed
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        rows: torch.Tensor = self.model.get_image_features(pixel_values=pixels).pooler_output
        return rows


class _Read(torch.nn.Module):  # type: ignore[misc]  # torch is not analysed
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        rows: torch.Tensor = self.model.get_text_features(
            input_ids=ids, attention_mask=mask
        ).pooler_output
        return rows


def main(arguments: Sequence[str]) -> int:
    """Carry out the order (JSON); a known cause of failure is told as JSON on the last line of standard output."""
    order = Order.model_validate_json(arguments[0])
    warnings.simplefilter("ignore")  # the exporter's remarks to its own developers
    part = order.target.with_name(f"{order.target.name}.{uuid.uuid4().hex}.part")
    part.mkdir(parents=True)
    try:
        _export(order, Export(part))
        shutil.rmtree(order.target, ignore_errors=True)
        part.rename(order.target)
    except ModelUnavailable as error:
        print(json.dumps({"unavailable": str(error)}))
        return 1
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return 0


def _export(order: Order, into: Export) -> None:
    checkpoint = Checkpoint(order.name, order.source)
    if order.role == "clip":
        loaded = load_dual_encoder(checkpoint, attention="eager")
        dimension = _export_dual(order, loaded, into)
        scale = loaded.logit_scale
    else:
        loaded = load_owlvit(checkpoint, attention="eager")
        dimension = _export_owlvit(order, loaded, into)
        scale = 1.0  # each place in a scene has its own
    into.tokenizer.write_text(loaded.tokens.to_json(), "utf-8")
    manifest = Manifest(
        dimension=dimension, logit_scale=scale, images=loaded.images, tokens=loaded.tokens.rules
    )
    into.manifest.write_text(manifest.model_dump_json(indent=1), "utf-8")


def _export_dual(order: Order, loaded: LoadedModel, into: Export) -> int:
    masked = loaded.tokens.rules.masked
    see = (
        ClassTokenTower(loaded.model) if ClassTokenTower.fits(loaded.model) else _See(loaded.model)
    )
    _make_graphs(order, loaded, (see, _Read(loaded.model)), ["rows"], into)
    theirs = TorchTowers(loaded.model, device="cpu", precision="fp32", masked=masked)
    ours = OnnxTowers(into, threads=0, masked=masked)
    pictures = _pictures(loaded.images.shape)
    texts = [loaded.tokens.encode(part) for part in (_PROBES, _PROBES[:1], _PROBES[3:])]
    _compare(
        order, "pictures", [(theirs.see(part), ours.see(part)) for part in (pictures, pictures[:1])]
    )
    _compare(order, "texts", [(theirs.read(part), ours.read(part)) for part in texts])
    return int(theirs.read(texts[0]).shape[1])


def _export_owlvit(order: Order, loaded: LoadedModel, into: Export) -> int:
    _make_graphs(
        order,
        loaded,
        (SceneTower(loaded.model), TextTower(loaded.model)),
        ["classes", "shift", "scale", "boxes"],
        into,
    )
    theirs = TorchSceneTowers(loaded.model, device="cpu", precision="fp32")
    ours = OnnxSceneTowers(into, threads=0)
    scenes = [
        (theirs.look(picture[None]), ours.look(picture[None]))
        for picture in _pictures(loaded.images.shape)
    ]
    texts = [loaded.tokens.encode(part) for part in (_PROBES, _PROBES[:1])]
    _compare(order, "classes", [(a.classes, b.classes) for a, b in scenes])
    _compare(order, "boxes", [(a.boxes.reshape(1, -1), b.boxes.reshape(1, -1)) for a, b in scenes])
    _compare(
        order,
        "scores",
        [(np.stack([a.shift, a.scale]), np.stack([b.shift, b.scale])) for a, b in scenes],
    )
    _compare(order, "texts", [(theirs.read(part), ours.read(part)) for part in texts])
    return int(theirs.read(texts[0]).shape[1])


def _make_graphs(
    order: Order,
    loaded: LoadedModel,
    towers: tuple[torch.nn.Module, torch.nn.Module],
    outputs: list[str],
    into: Export,
) -> None:
    """The graphs of both towers; those of int8 from the exact export where there is one, which spares most of the time."""
    if order.precision == "fp32":
        _write_graphs(loaded, towers, outputs, into)
    elif order.exact is not None:
        try:
            _quantize(Export(order.exact), into)
        except Exception as error:  # the readers of onnx share no class of exceptions
            raise ModelUnavailable(
                f"the exported model in {order.exact} cannot be read; delete that folder and start again ({error})"
            ) from error
    else:
        with tempfile.TemporaryDirectory(dir=into.folder) as folder:
            exact = Export(Path(folder))
            _write_graphs(loaded, towers, outputs, exact)
            _quantize(exact, into)


def _write_graphs(
    loaded: LoadedModel,
    towers: tuple[torch.nn.Module, torch.nn.Module],
    outputs: list[str],
    into: Export,
) -> None:
    see, read = towers
    height, width = loaded.images.shape
    _write(
        see,
        into.see,
        {"pixels": torch.rand(2, 3, height, width)},
        {"pixels": {0: _DYNAMIC}},
        outputs,
    )
    batch = loaded.tokens.encode(_PROBES[:2])
    rules = loaded.tokens.rules
    free = {0: _DYNAMIC} if rules.pad_to_length else {0: _DYNAMIC, 1: _DYNAMIC}
    given = {"ids": torch.from_numpy(batch.ids)} | (
        {"mask": torch.from_numpy(batch.mask)} if rules.masked else {}
    )
    _write(read, into.read, given, dict.fromkeys(given, free), ["rows"])


def _write(
    tower: torch.nn.Module,
    path: Path,
    given: dict[str, torch.Tensor],
    free: dict[str, dict[int, Any]],
    outputs: list[str],
) -> None:
    with torch.no_grad():
        torch.onnx.export(
            tower.eval(),
            (),
            path,
            kwargs=given,
            input_names=list(given),
            output_names=outputs,
            dynamic_shapes=free,
            opset_version=_OPSET,
            dynamo=True,
            verbose=False,
        )


def _quantize(exact: Export, into: Export) -> None:
    """Weights of matrix products to 8 bits per channel, activations at run time; seven of the eight bits are used, because
    processors without VNNI instructions saturate on products of two full bytes (ONNX Runtime, Quantize ONNX models)."""
    from onnxruntime.quantization import quantize_dynamic

    for graph, made in ((exact.see, into.see), (exact.read, into.read)):
        quantize_dynamic(
            graph,
            made,
            op_types_to_quantize=["MatMul", "Gemm"],
            per_channel=True,
            reduce_range=True,
        )


def _compare(
    order: Order, what: str, pairs: list[tuple[NDArray[np.float32], NDArray[np.float32]]]
) -> None:
    least = _SAME if order.precision == "fp32" else _SAME_INT8
    worst = min(float(_cosines(theirs, ours).min()) for theirs, ours in pairs)
    if not worst >= least:  # also when it is no number
        raise ModelUnavailable(
            f"the ONNX export of {order.name} ({order.precision}) does not agree with torch on {what} (cosine {worst:.6f}, "
            f"at least {least} is asked); set VITRINE_RUNTIME=torch"
        )


def _pictures(shape: tuple[int, int]) -> NDArray[np.float32]:
    """Noise, a slope and a few large patches, (3, 3, height, width), in the range that normalised pixels have."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((3, *shape))
    slope = np.broadcast_to(np.linspace(-2, 2, shape[1]), (3, *shape))
    patches = (
        rng.standard_normal((3, 4, 4))
        .repeat(-(-shape[0] // 4), axis=1)
        .repeat(-(-shape[1] // 4), axis=2)
    )
    return np.stack([noise, slope, patches[:, : shape[0], : shape[1]]]).astype(np.float32)


def _cosines(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float64]:
    a, b = first.astype(np.float64), second.astype(np.float64)
    return np.asarray((a * b).sum(axis=1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
