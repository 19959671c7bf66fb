"""Ingest of photographs with a full-size model, against the model's bare forward pass and what
people do today."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.interleaved import interleaved
from benchmarks.report import Figure, Report, median, spread
from ingest.sources import open_source
from ingest.tasks.bulk_ingest import run
from vitrine.embedding.load import load_embedder
from vitrine.fields import Mapping
from vitrine.images.decode import ImageLimits, decode
from vitrine.settings import Settings
from vitrine.wiring import Vitrine

__all__ = ["measure"]

MAPPING = {"product": {"id": "id", "title": "id", "image": "image"}}


def measure(
    report: Report, model: Path, photos: Sequence[Path], work: Path, *, rounds: int
) -> None:
    """Figures in photographs per second: whole ingests, the bare forward pass, the lecture's
    loop, sentence-transformers."""
    source = work / "photos.jsonl"
    source.write_text(
        "".join(
            json.dumps({"id": f"p{i:05d}", "image": str(path.resolve())}) + "\n"
            for i, path in enumerate(photos)
        )
    )
    ways: dict[str, Callable[[], object]] = {
        "forward fp32": _forward(model, photos, work, "fp32"),
        "forward int8": _forward(model, photos, work, "int8"),
        "decode": _decode(model, photos, work),
        "ingest fp32": _ingest(model, source, work, "fp32"),
        "ingest int8": _ingest(model, source, work, "int8"),
        "lecture's loop": _lecture(model, photos),
    }
    if importlib.util.find_spec("sentence_transformers"):
        ways["sentence-transformers"] = _sentence_transformers(model, photos)
    seconds = interleaved(ways, rounds=rounds, label="ingest")
    rate = {name: len(photos) / median(values) for name, values in seconds.items()}
    notes = {name: spread([len(photos) / s for s in values]) for name, values in seconds.items()}
    for precision in ("fp32", "int8"):
        name = f"ingest {precision}"
        report.add(
            Figure(
                name,
                rate[name],
                "photos/s",
                beside={f"bare forward {precision}": rate[f"forward {precision}"]},
                note=notes[name],
            )
        )
    floor = 1 / (1 / rate["forward fp32"] + 1 / rate["decode"])
    beside = {"floor photos/s": floor, "decode alone photos/s": rate["decode"]}
    _ratio(
        report,
        "ingest fp32 against forward pass and decoding",
        rate["ingest fp32"] / floor,
        0.90,
        beside,
    )
    loop = rate["lecture's loop"]
    _ratio(
        report,
        "ingest fp32 against the lecture's loop",
        rate["ingest fp32"] / loop,
        2.5,
        {"loop photos/s": loop},
    )
    _ratio(
        report,
        "ingest int8 against the lecture's loop",
        rate["ingest int8"] / loop,
        4.0,
        {"loop photos/s": loop},
    )
    if "sentence-transformers" in rate:
        rival = rate["sentence-transformers"]
        _ratio(
            report,
            "ingest fp32 against sentence-transformers",
            rate["ingest fp32"] / rival,
            2.0,
            {"rival photos/s": rival},
        )


def _ratio(
    report: Report, name: str, value: float, least: float, beside: dict[str, float] | None = None
) -> None:
    report.add(Figure(name, value, "x", f">= {least:g}", value >= least, beside or {}))


def _settings(model: Path, work: Path, precision: str) -> Settings:
    return Settings(data_dir=work / "data", model=str(model), runtime="onnx", precision=precision)


def _forward(
    model: Path, photos: Sequence[Path], work: Path, precision: str
) -> Callable[[], object]:
    """The forward pass alone, over pixels made before the clock starts, in batches of 16."""
    embedder = load_embedder(_settings(model, work, precision))
    limits = ImageLimits.of(Settings())
    pixels = embedder.preprocess(
        [decode(p.read_bytes(), limits, at_least=embedder.info.image_size) for p in photos]
    )
    return lambda: [
        embedder.embed_pixels(pixels[start : start + 16]) for start in range(0, len(pixels), 16)
    ]


def _decode(model: Path, photos: Sequence[Path], work: Path) -> Callable[[], object]:
    """Reading and decoding alone, on every core: the work that no ingest of files can do
    without, beside the forward pass."""
    side = load_embedder(_settings(model, work, "fp32")).info.image_size
    limits = ImageLimits.of(Settings())

    def one(path: Path) -> None:
        decode(path.read_bytes(), limits, at_least=side)

    def every() -> None:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(one, photos))

    return every


def _ingest(model: Path, source: Path, work: Path, precision: str) -> Callable[[], object]:
    settings = _settings(model, work, precision)
    mapping = Mapping.from_dict(MAPPING)
    with_model = Vitrine(settings).embedder  # loaded once: a catalogue of any size pays for it once

    def ingest() -> None:
        for made in ("index", "images", "ingest.sqlite", "ingest.sqlite-wal", "ingest.sqlite-shm"):
            path = settings.data_dir / made
            shutil.rmtree(path, ignore_errors=True)
            if path.is_file():
                path.unlink()
        vitrine = Vitrine(settings, embedder=lambda _: with_model)
        with redirect_stderr(io.StringIO()):
            summary = run(vitrine, open_source(str(source), settings), mapping)
        vitrine.close()
        if summary.failed or not summary.embedded:
            raise SystemExit(f"the ingest that was to be measured went wrong: {summary}")

    return ingest


def _lecture(model: Path, photos: Sequence[Path]) -> Callable[[], object]:
    """One picture at a time through the processor and the model, as the lecture does."""
    import torch
    from transformers import CLIPImageProcessor, CLIPModel

    clip, processor = CLIPModel.from_pretrained(model), CLIPImageProcessor.from_pretrained(model)

    def loop() -> list[Any]:
        rows = []
        for path in photos:
            with torch.no_grad(), Image.open(path) as image:
                inputs = processor(images=[image.convert("RGB")], return_tensors="pt")
                rows.append(clip.get_image_features(**inputs).pooler_output.numpy())
        return rows

    return loop


def _sentence_transformers(model: Path, photos: Sequence[Path]) -> Callable[[], object]:
    """Its documented way: a list of opened pictures, batches of 32."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import CLIPModel

    encoder = SentenceTransformer(modules=[CLIPModel(str(model))], device="cpu")
    return lambda: encoder.encode(
        [Image.open(path) for path in photos], batch_size=32, show_progress_bar=False
    )
