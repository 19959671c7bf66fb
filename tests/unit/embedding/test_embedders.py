"""The embedder gives what transformers gives, for every family of dual encoder and on every
runtime."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

from tests.checkpoints import photo
from vitrine.embedding import Embedder, exported, onnx_export
from vitrine.embedding.dual_encoder import DualEncoder
from vitrine.embedding.export_check import require_agreement
from vitrine.embedding.image_preprocessor import ImagePreprocessor
from vitrine.embedding.load import choose_runtime, load_embedder
from vitrine.embedding.tokenizer import TokenBatch
from vitrine.embedding.torch_runtime import TorchDualEncoderModel, choose_precision
from vitrine.errors import DeviceFull, InvalidSettings, ModelUnavailable
from vitrine.settings import Settings

pytestmark = pytest.mark.slow  # loads torch

Configured = Callable[..., Settings]
TEXTS = [
    "a red dress",
    "",
    "blue shirt with stripes, something to drink coffee from",
    "x " * 200,
    "连衣裙",
]
PICTURES = [
    photo(seed, width, height)
    for seed, (width, height) in enumerate([(90, 70), (31, 64), (20, 20), (300, 211)])
]
FAMILIES = ["clip_folder", "siglip_folder", "dual_folder"]


def unit(rows: torch.Tensor) -> NDArray[np.float32]:
    return np.asarray(rows / rows.norm(dim=-1, keepdim=True))


def by_transformers(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Unit rows of `PICTURES` and `TEXTS`, in the plain way."""
    model = AutoModel.from_pretrained(folder).eval()
    pixels = AutoImageProcessor.from_pretrained(folder)(PICTURES, return_tensors="pt")[
        "pixel_values"
    ]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    fixed = model.config.model_type == "siglip"
    padding: dict[str, Any] = (
        {"padding": "max_length", "max_length": 16} if fixed else {"padding": True}
    )
    tokens = dict(tokenizer(TEXTS, return_tensors="pt", truncation=True, **padding))
    given = {"input_ids"} if fixed else {"input_ids", "attention_mask"}
    with torch.no_grad():
        pictures = model.get_image_features(pixel_values=pixels).pooler_output
        texts = model.get_text_features(
            **{name: value for name, value in tokens.items() if name in given}
        ).pooler_output
    return unit(pictures), unit(texts)


def as_processed(embedder: Embedder, folder: Path) -> NDArray[np.bool_]:
    """Which `PICTURES` the embedder sees exactly as the checkpoint's own processor does: all but
    one at most, since of a picture that is cropped it resizes only what is kept."""
    theirs = AutoImageProcessor.from_pretrained(folder)(PICTURES, return_tensors="np")
    rules = ImagePreprocessor.of_processor(AutoImageProcessor.from_pretrained(folder), "tiny")
    seen = rules.normalized(embedder.preprocess(PICTURES))
    same = np.array(
        [
            np.array_equal(seen, expected)
            for seen, expected in zip(seen, theirs["pixel_values"], strict=True)
        ]
    )
    assert same.sum() >= len(PICTURES) - 1, same
    return same


def dual_encoder(settings: Settings) -> DualEncoder:
    inner: Any = load_embedder(settings)
    while not isinstance(inner, DualEncoder):
        inner = inner.inner
    return inner


@pytest.mark.usefixtures("pillow_resizes")
@pytest.mark.parametrize("family", FAMILIES)
def test_torch_gives_transformers_own_vectors(
    family: str, request: pytest.FixtureRequest, configured: Configured
) -> None:
    folder = request.getfixturevalue(family)
    embedder = load_embedder(configured(model=str(folder), runtime="torch"))
    pictures, texts = by_transformers(folder)
    rows = embedder.embed_images(PICTURES)
    same = as_processed(embedder, folder)
    assert np.abs(rows[same] - pictures[same]).max() < 1e-5
    assert (rows * pictures).sum(axis=1).min() > 0.999
    assert np.abs(embedder.embed_texts(TEXTS) - texts).max() < 1e-5


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("exports_here", "pillow_resizes")
@pytest.mark.parametrize("family", FAMILIES[:2])
def test_onnx_gives_transformers_own_vectors(
    family: str, request: pytest.FixtureRequest, configured: Configured
) -> None:
    folder = request.getfixturevalue(family)
    embedder = load_embedder(configured(model=str(folder), runtime="onnx"))
    pictures, texts = by_transformers(folder)
    same = as_processed(embedder, folder)
    cosines = (embedder.embed_images(PICTURES) * pictures).sum(axis=1)
    assert cosines[same].min() > 0.9999
    assert cosines.min() > 0.999
    assert (embedder.embed_texts(TEXTS) * texts).sum(axis=1).min() > 0.9999
    for count in (1, 3):
        rows = embedder.embed_pixels(embedder.preprocess(PICTURES[:count]))
        assert np.abs(rows - pictures[:count])[same[:count]].max() < 1e-3


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("exports_here")
def test_int8_stays_near_the_exact_vectors(dual_folder: Path, configured: Configured) -> None:
    embedder = load_embedder(configured(model=str(dual_folder), runtime="onnx", precision="int8"))
    exact = load_embedder(configured(model=str(dual_folder), runtime="torch"))
    assert embedder.info == exact.info
    cosines = (embedder.embed_images(PICTURES) * exact.embed_images(PICTURES)).sum(axis=1)
    assert 0.95 < cosines.min() < 0.9999999, "int8 that loses nothing is not int8"


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("exports_here")
def test_int8_is_made_from_the_exact_export_that_is_there(
    clip_folder: Path, configured: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = load_embedder(configured(model=str(clip_folder), runtime="onnx"))
    monkeypatch.setattr(
        onnx_export, "_write_graphs", lambda *_: pytest.fail("torch was asked again")
    )
    small = load_embedder(configured(model=str(clip_folder), runtime="onnx", precision="int8"))
    for rows, others in (
        (small.embed_images(PICTURES), exact.embed_images(PICTURES)),
        (small.embed_texts(TEXTS), exact.embed_texts(TEXTS)),
    ):
        assert 0.95 < (rows * others).sum(axis=1).min() < 0.9999999


def test_an_exact_export_that_cannot_be_read_is_told(
    tmp_path: Path, clip_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exact = tmp_path / "exact"
    exact.mkdir()
    (exact / "image.onnx").write_bytes(b"torn")
    request = exported.ExportRequest(
        name="shop-clip",
        source=clip_folder,
        role="clip",
        precision="int8",
        target=tmp_path / "models" / "onnx",
        exact=exact,
    )
    assert onnx_export.main([request.model_dump_json()]) == 1
    assert (
        f"the exported model in {exact} cannot be read; delete that folder"
        in capsys.readouterr().out
    )
    assert list((tmp_path / "models").iterdir()) == []


def test_bf16_stays_near_the_exact_vectors(clip_folder: Path, configured: Configured) -> None:
    half = load_embedder(configured(model=str(clip_folder), runtime="torch", precision="bf16"))
    exact = load_embedder(configured(model=str(clip_folder), runtime="torch"))
    assert half.info == exact.info
    assert (half.embed_texts(TEXTS) * exact.embed_texts(TEXTS)).sum(axis=1).min() > 0.99


@pytest.mark.parametrize(
    ("wanted", "device", "native", "chosen"),
    [
        ("auto", "cpu", True, "fp32"),
        ("auto", "mps", True, "fp32"),
        ("auto", "cuda", True, "bf16"),
        ("auto", "cuda:1", False, "fp32"),
        ("fp32", "cuda", True, "fp32"),
        ("bf16", "cpu", False, "bf16"),
    ],
)
def test_the_arithmetic_is_bf16_by_itself_only_where_a_gpu_computes_in_it(
    wanted: str, device: str, native: bool, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device", lambda _: nullcontext())
    monkeypatch.setattr(
        torch.cuda,
        "is_bf16_supported",
        lambda including_emulation: native and not including_emulation,
    )
    assert choose_precision(wanted, device) == chosen


@pytest.mark.timeout(300)
def test_neither_exporting_nor_serving_on_onnx_loads_torch_or_transformers(
    owlvit_folder: Path, clip_folder: Path, tmp_path: Path
) -> None:
    program = (
        "import sys\n"
        "from PIL import Image\n"
        "from vitrine.embedding.load import load_embedder\n"
        "from vitrine.settings import Settings\n"
        "embedder = load_embedder(Settings(model=sys.argv[1], data_dir=sys.argv[2], "
        "device='cpu'))\n"
        "embedder.embed_texts(['a red dress']); embedder.embed_images([Image.new('RGB', (50, "
        "40))]); embedder.truncates('x')\n"
        "print([name for name in ('torch', 'transformers', 'onnx', 'onnxscript') if name in "
        "sys.modules])\n"
    )
    command = [sys.executable, "-c", program, str(clip_folder), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=250, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("exports_here")
def test_an_export_is_made_once(
    clip_folder: Path, configured: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = configured(model=str(clip_folder), runtime="onnx")
    load_embedder(settings)
    monkeypatch.setattr(exported.subprocess, "run", lambda *_, **__: pytest.fail("exported again"))
    load_embedder(settings)


def test_of_many_who_need_an_export_one_makes_it(
    clip_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []

    def pretend(request: exported.ExportRequest) -> None:
        made.append(request.target)
        request.target.mkdir(parents=True)
        (request.target / "manifest.json").write_text("{}")

    monkeypatch.setattr(exported, "_run", pretend)
    checkpoint = exported.Checkpoint("tiny", clip_folder)

    def ask() -> None:
        exported.exported(checkpoint, tmp_path, fingerprint="f", role="clip", precision="fp32")

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_a_failed_export_leaves_nothing_and_tells_the_cause(
    tmp_path: Path,
    clip_folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = Path(shutil.copytree(clip_folder, tmp_path / "broken"))
    weights = load_file(broken / "model.safetensors")
    del weights["visual_projection.weight"]
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    request = exported.ExportRequest(
        name="shop-clip",
        source=broken,
        role="clip",
        precision="fp32",
        target=tmp_path / "models" / "onnx",
    )
    assert onnx_export.main([request.model_dump_json()]) == 1
    assert list((tmp_path / "models").iterdir()) == []
    printed = capsys.readouterr().out
    monkeypatch.setattr(
        exported.subprocess,
        "run",
        lambda command, **_: subprocess.CompletedProcess(command, 1, printed, ""),
    )
    with pytest.raises(
        ModelUnavailable, match=r"shop-clip in .* do not fit its config.json: visual_projection"
    ):
        exported._run(request)


def test_an_export_that_differs_from_torch_is_refused() -> None:
    request = exported.ExportRequest(
        name="tiny", source=Path(), role="clip", precision="fp32", target=Path()
    )
    rows = np.random.default_rng(3).standard_normal((4, 24)).astype(np.float32)
    require_agreement(request, "texts", [(rows, rows * 2)])
    for other in (rows + 0.1 * rows[::-1], np.full_like(rows, np.nan)):
        with pytest.raises(ModelUnavailable, match="VITRINE_RUNTIME=torch"):
            require_agreement(request, "texts", [(rows, other)])


def test_a_damaged_export_is_told(tmp_path: Path) -> None:
    export = exported.Export(tmp_path)
    export.manifest.write_text("{")
    with pytest.raises(ModelUnavailable, match="delete that folder"):
        export.load_manifest()


def test_rows_are_unit_float32_and_nothing_gives_no_rows(
    clip_folder: Path, configured: Configured
) -> None:
    embedder = load_embedder(configured(model=str(clip_folder), runtime="torch"))
    for rows in (embedder.embed_texts(["x"] * 70), embedder.embed_images(PICTURES)):
        assert rows.dtype == np.float32
        assert np.abs(np.linalg.norm(rows, axis=1) - 1).max() < 1e-6
    assert embedder.embed_texts([]).shape == embedder.embed_images([]).shape == (0, 24)
    assert embedder.embed_pixels(embedder.preprocess([])).shape == (0, 24)
    assert embedder.info.image_size == 32
    assert embedder.truncates("x " * 100)
    assert not embedder.truncates("x")


def test_the_logit_scale_is_the_models_own(clip_folder: Path, configured: Configured) -> None:
    scale = load_file(clip_folder / "model.safetensors")["logit_scale"]
    assert load_embedder(
        configured(model=str(clip_folder), runtime="torch")
    ).info.logit_scale == pytest.approx(float(np.exp(scale)))


def test_vectors_that_are_no_numbers_are_never_given_out(
    clip_folder: Path, configured: Configured
) -> None:
    encoder = dual_encoder(configured(model=str(clip_folder), runtime="torch"))

    class Broken:
        def encode_levels(self, levels: NDArray[np.uint8], _: Any) -> NDArray[np.float32]:
            return np.full((len(levels), 24), np.nan, np.float32)

        def encode_texts(self, tokens: Any) -> NDArray[np.float32]:
            return np.zeros((len(tokens), 24), np.float32)

    broken = DualEncoder(encoder.info, encoder.images, encoder.tokenizer, Broken())
    for call in (lambda: broken.embed_images(PICTURES), lambda: broken.embed_texts(["x"])):
        with pytest.raises(ModelUnavailable, match="no direction"):
            call()


def test_a_model_of_another_kind_is_refused_by_name(
    dual_folder: Path, tmp_path: Path, configured: Configured
) -> None:
    config = json.loads((dual_folder / "config.json").read_text())
    shutil.copytree(dual_folder, tmp_path / "bert")
    (tmp_path / "bert" / "config.json").write_text(
        json.dumps({**config["text_config"], "model_type": "bert", "architectures": ["BertModel"]})
    )
    weights = {
        key.removeprefix("text_model."): value
        for key, value in load_file(dual_folder / "model.safetensors").items()
    }
    save_file(
        {k: v for k, v in weights.items() if k.startswith(("embeddings", "encoder", "pooler"))},
        tmp_path / "bert" / "model.safetensors",
    )
    with pytest.raises(ModelUnavailable, match="no dual encoder"):
        load_embedder(configured(model=str(tmp_path / "bert"), runtime="torch"))


def test_settings_that_contradict_each_other_are_refused() -> None:
    for given, name in (
        ({"runtime": "onnx", "precision": "bf16", "device": "cpu"}, "VITRINE_PRECISION"),
        ({"runtime": "torch", "precision": "int8", "device": "cpu"}, "VITRINE_PRECISION"),
        ({"runtime": "onnx", "device": "cuda"}, "VITRINE_RUNTIME"),
    ):
        with pytest.raises(InvalidSettings, match=name):
            choose_runtime(Settings(**given))
    assert choose_runtime(Settings(device="cpu")) == "onnx"
    assert choose_runtime(Settings(device="cpu", precision="bf16")) == "torch"
    assert choose_runtime(Settings(device="cuda:1")) == "torch"


def test_a_device_that_is_not_there_is_told(clip_folder: Path, configured: Configured) -> None:
    with pytest.raises(ModelUnavailable, match="VITRINE_DEVICE"):
        load_embedder(configured(model=str(clip_folder), runtime="torch", device="tpu"))


class FullModel(torch.nn.Module):
    """A model whose card has no memory left."""

    def get_text_features(self, **_: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB")


def test_a_card_without_memory_for_texts_says_so():
    model = TorchDualEncoderModel(FullModel(), device="cpu", precision="fp32", masked=True)
    ids = np.ones((3, 5), np.int64)
    with pytest.raises(DeviceFull, match="too little memory for 3 texts at once; leave it more"):
        model.encode_texts(TokenBatch(ids, ids))
