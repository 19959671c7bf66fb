"""Ingest of photographs with a full-size model, against the model's bare forward passes, decoding,
and what people do today."""

from __future__ import annotations

import importlib.util
import io
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import psutil
from PIL import Image

from benchmarks import ingest_parent, preparing
from benchmarks.interleaved import interleaved
from benchmarks.report import Figure, Report, median, spread
from benchmarks.texts import NewTexts
from benchmarks.word_cost import words_core_s
from ingest.pipeline.models import Progress, RunControl
from ingest.sources import open_source
from ingest.tasks.bulk_ingest import run
from vitrine.embedding import Embedder
from vitrine.embedding.load import load_embedder, load_encoder
from vitrine.fields import Mapping
from vitrine.images.decode import ImageLimits, decode
from vitrine.settings import Settings
from vitrine.wiring import Vitrine

__all__ = ["measure"]

MAPPING = {"product": {"id": "id", "title": "title", "image": "image"}}
_TEXTS = 32
"""Texts of a forward pass, as an ingest embeds them."""


def measure(
    report: Report, model: Path, photos: Sequence[Path], work: Path, *, rounds: int, products: int
) -> None:
    """Figures in photographs per second: whole ingests, the bare forward pass, the lecture's
    loop, sentence-transformers; what the words of so many products add; the parent process
    alone."""
    ingests = {
        f"ingest {precision}": _Ingest(model, photos, work, precision)
        for precision in ("fp32", "int8")
    }
    ways: dict[str, Callable[[], object]] = {
        "forward fp32": _forward(model, photos, work, "fp32"),
        "forward int8": _forward(model, photos, work, "int8"),
        "texts fp32": _texts(model, len(photos), work, "fp32"),
        "texts int8": _texts(model, len(photos), work, "int8"),
        "decode": _decode(model, photos, work),
        **ingests,
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
        parts = {
            "forward photos/s": rate[f"forward {precision}"],
            "texts/s": rate[f"texts {precision}"],
            "decoding photos/s": rate["decode"],
        }
        floor = 1 / sum(1 / value for value in parts.values())
        filling = len(photos) / median(ingests[name].filling[1:])  # the first one is not counted
        _ratio(
            report,
            f"{name} against forward passes and decoding",
            filling / floor,
            0.95,
            {"photos/s": filling, "floor photos/s": floor, **parts},
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
    for precision in ("fp32", "int8"):
        busy = min(ingests[f"ingest {precision}"].processor_s[1:]) / len(photos)
        _add_words(
            report, precision, load_encoder(_settings(model, work, precision)), busy, products
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
    rules = load_encoder(_settings(model, work, "fp32")).pictures
    preparing.measure(report, rules, photos, rounds=5 * rounds)
    ingest_parent.measure(report, work, count=4 * products, rounds=rounds)


def _ratio(
    report: Report, name: str, value: float, least: float, beside: dict[str, float] | None = None
) -> None:
    report.add(Figure(name, value, "x", f">= {least:g}", value >= least, beside or {}))


def _add_words(
    report: Report, precision: str, encoder: Embedder, photo_s: float, products: int
) -> None:
    """Add how much longer an ingest takes with words, `photo_s` seconds of a core without."""
    for prose in (0, 60):
        words_s = words_core_s(encoder, count=products, prose=prose, rounds=3) / products
        share = 100 * words_s / photo_s
        beside = {"words core ms": words_s * 1e3, "a photograph core ms": photo_s * 1e3}
        what = f"descriptions of {prose} words" if prose else "no descriptions"
        name, case = f"words in an ingest {precision}", f"{products:,} products, {what}"
        report.add(Figure(name, share, "% more", "<= 5", share <= 5, beside, case=case))


def _settings(model: Path, work: Path, precision: str) -> Settings:
    return Settings(
        data_dir=work / "data",
        model=str(model),
        runtime="onnx",
        precision=precision,
        catalogue_root="/",  # the photographs lie wherever --photos says
    )


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


def _texts(model: Path, count: int, work: Path, precision: str) -> Callable[[], object]:
    """The forward pass over a new title for each photograph."""
    encoder = load_encoder(_settings(model, work, precision))
    titles = NewTexts()

    def every() -> None:
        texts = titles.some(count)
        for start in range(0, count, _TEXTS):
            encoder.embed_texts(texts[start : start + _TEXTS])

    return every


def _decode(model: Path, photos: Sequence[Path], work: Path) -> Callable[[], object]:
    """Reading, decoding and resizing alone, on every core: the work that no ingest of files can do
    without, beside the forward passes."""
    rules = load_encoder(_settings(model, work, "fp32")).pictures
    limits = ImageLimits.of(Settings())

    def one(path: Path) -> None:
        rules.levels([decode(path.read_bytes(), limits, at_least=rules.shorter_side)])

    def every() -> None:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(one, photos))

    return every


class _Ingest:
    """All of it: each time into a new folder, with titles that the model has not met.

    The folders before stay: ext4 looks for free inodes longer where files have just been deleted.

    `filling` are the seconds in which products were taken, without what any catalogue pays once:
    learning from the version, publishing it; `processor_s` those of all cores until then.
    """

    def __init__(self, model: Path, photos: Sequence[Path], work: Path, precision: str) -> None:
        self._photos, self._source, self._titles = photos, work / "photos.jsonl", NewTexts()
        self._settings = _settings(model, work, precision)
        self._embedder = Vitrine(self._settings).embedder  # loaded once, for the same reason
        self.filling: list[float] = []
        self.processor_s: list[float] = []

    def __call__(self) -> None:
        """Ingest the photographs."""
        self._write_source()
        folder = Path(mkdtemp(dir=self._settings.data_dir))
        settings = self._settings.model_copy(update={"data_dir": folder})
        vitrine = Vitrine(settings, embedder=lambda _: self._embedder)
        source = open_source(str(self._source), settings)
        began, busy = _processor_s(), 0.0

        def told(_: Progress) -> None:
            nonlocal busy
            busy = _processor_s() - began  # the last time when all are written

        control = RunControl(progress=told)
        with redirect_stderr(io.StringIO()):
            summary = run(vitrine, source, Mapping.from_dict(MAPPING), control=control)
        vitrine.close()
        if summary.failed or not summary.embedded:
            raise SystemExit(f"the ingest that was to be measured went wrong: {summary}")
        self.filling.append(summary.seconds)
        self.processor_s.append(busy)

    def _write_source(self) -> None:
        titles = self._titles.some(len(self._photos))
        rows = [
            {"id": f"p{number:05d}", "title": title, "image": str(photo.resolve())}
            for number, (photo, title) in enumerate(zip(self._photos, titles, strict=True))
        ]
        self._source.write_text("".join(json.dumps(row) + "\n" for row in rows))


def _processor_s() -> float:
    """Seconds of a core that this process has taken, and the processes that decode for it."""
    process = psutil.Process()
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return float(sum(taken.user + taken.system for taken in times))


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
