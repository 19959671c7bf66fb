"""What a machine with a card gives: floors of decoding and forward pass, processes beside each
other, a whole ingest and a service with all defaults, and exact search.

It runs on a CPU, too, with smaller batches and fewer vectors."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, redirect_stderr
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks import device_queries, device_search, ingest_parent, preparing
from benchmarks.ingest_parent import FilesAlone
from benchmarks.ingesting import MAPPING
from benchmarks.report import Figure, Report
from ingest.decoding.program import DecoderSpec
from ingest.decoding.work import PLACES, ProcessPictureWork
from ingest.pictures.naming import Picture
from ingest.pipeline.picture_work import PictureTask
from ingest.sources import open_source
from ingest.tasks.bulk_ingest import run
from vitrine.cores import usable_cores
from vitrine.embedding import Embedder
from vitrine.embedding.load import load_encoder
from vitrine.fields import Mapping
from vitrine.images.decode import ImageLimits
from vitrine.images.store import FileSystemStore
from vitrine.settings import Settings
from vitrine.wiring import Vitrine

__all__ = ["measure"]

_BATCHES = (32, 64, 128, 256, 512, 1024)
_BATCHES_OF_A_CPU = (1, 16)
_TEXTS = (1, 16, 64)
_REPEATS = 20
_PROCESSES = (1, 2, 4, 8, 16, 32)
_FOR_EACH_PROCESS = 1_000
"""Photographs that a decoding process is measured with, some seconds' work."""


def measure(
    report: Report, model: Path, photos: Sequence[Path], work: Path, *, quick: bool
) -> None:
    """Photographs a second by size of batch, by number of decoding processes and for an ingest,
    each of bytes of its own; milliseconds of texts, of queries and of exact search."""
    files = _distinct(photos, work / "many", 64 if quick else 8_000)
    settings = Settings(data_dir=work / "device", model=str(model))
    embedder = load_encoder(settings)
    device = embedder.compute.device
    where = f"{embedder.compute.describe()}, {usable_cores()} cores"
    _forward(report, embedder, where)
    forward_ms = _texts(report, "texts", embedder, where)
    if device.startswith("cuda"):
        _without_graphs(report, settings, embedder)
    preparing.measure(report, embedder.pictures, photos, rounds=5 if quick else 15)
    for processes in (number for number in _PROCESSES if number <= usable_cores()):
        few = files[: processes * _FOR_EACH_PROCESS]
        _decoding(report, settings, embedder, few, processes)
    ingest_parent.measure(report, work, count=2_000 if quick else 20_000, rounds=1 if quick else 2)
    _ingest(report, settings, files, work)
    device_queries.measure(
        report,
        settings,
        embedder,
        forward_ms,
        products=20_000 if quick else 100_000,
        requests=40 if quick else 400,
    )
    with_card = device.startswith("cuda")
    sizes = (1_000_000, 10_000_000) if with_card and not quick else (100_000,)
    device_search.measure(report, device if with_card else "cpu", sizes)


def _forward(report: Report, embedder: Embedder, where: str) -> None:
    """From bytes in memory to vectors in memory."""
    batches = _BATCHES_OF_A_CPU if embedder.compute.device == "cpu" else _BATCHES
    rng = np.random.default_rng(5)
    shape = (max(batches), *embedder.pictures.shape, 3)
    levels = rng.integers(0, 256, shape, dtype=np.uint8)
    for size in batches:
        embedder.embed_pixels(levels[:size])
        seconds = []
        for _ in range(_REPEATS):
            began = perf_counter()
            embedder.embed_pixels(levels[:size])
            seconds.append(perf_counter() - began)
        rate = size / float(np.median(seconds))
        report.add(Figure("forward", rate, "photos/s", note=where, case=f"batch {size}"))


def _without_graphs(report: Report, settings: Settings, embedder: Embedder) -> None:
    """Texts once more, launched kernel by kernel, and the cosine of both vectors."""
    plain = load_encoder(settings.model_copy(update={"cuda_graphs": "off"}))
    _texts(report, "texts without CUDA graphs", plain, plain.compute.describe())
    if not embedder.compute.text_graphs:
        print("texts were embedded without CUDA graphs in both rows; the log says why")
        return
    texts = [f"a red jacket number {number}" for number in range(max(_TEXTS))]
    cosines = (embedder.embed_texts(texts) * plain.embed_texts(texts)).sum(axis=1)
    report.add(
        Figure("texts as CUDA graphs, least cosine to those without", float(cosines.min()), "")
    )


def _texts(report: Report, name: str, embedder: Embedder, where: str) -> dict[int, float]:
    """Milliseconds of a forward pass by number of texts."""
    taken = {}
    for count in _TEXTS:
        seconds = []
        for turn in range(_REPEATS + 1):
            texts = [f"a red jacket number {turn} {number}" for number in range(count)]
            began = perf_counter()
            embedder.embed_texts(texts)
            seconds.append(perf_counter() - began)
        taken[count] = 1e3 * float(np.median(seconds[1:]))
        case = f"{count} at once"
        report.add(Figure(name, taken[count], "ms", note=where, case=case))
    return taken


def _decoding(
    report: Report,
    settings: Settings,
    embedder: Embedder,
    files: Sequence[Path],
    processes: int,
) -> None:
    """Read, hash, check, decode, keep and resize, without a model."""
    store = FileSystemStore(str(settings.data_dir / f"images-{processes}"))
    limits = ImageLimits.of(settings)
    spec = DecoderSpec(settings, store, embedder.pictures, limits, PLACES, processes)
    tasks = [PictureTask(Picture(path=str(file), root=str(file.parent))) for file in files]
    chunks = [tasks[at : at + PLACES] for at in range(0, len(tasks), PLACES)]
    with (
        closing(ProcessPictureWork(spec, FilesAlone(), embedder)) as work,
        ThreadPoolExecutor(processes + 1) as pool,
    ):
        warm = list(pool.map(lambda chunk: list(work.prepare(chunk)), chunks[: 2 * processes]))
        began = perf_counter()
        done = list(pool.map(lambda chunk: list(work.prepare(chunk)), chunks))
        seconds = perf_counter() - began
    refused = [each.refusal for chunk in (*warm, *done) for each in chunk if each.refusal]
    if refused:
        raise SystemExit(f"a photograph of the measurement was refused: {refused[0]}")
    rate = len(files) / seconds
    report.add(Figure("decoding", rate, "photos/s", case=f"{processes} processes"))


def _ingest(report: Report, settings: Settings, files: Sequence[Path], work: Path) -> None:
    source = work / "many.jsonl"
    rows = [
        json.dumps({"id": file.stem, "title": f"photograph {file.stem}", "image": str(file)})
        for file in files
    ]
    source.write_text("\n".join(rows) + "\n", "utf-8")
    vitrine = Vitrine(settings)
    with redirect_stderr(io.StringIO()):
        summary = run(vitrine, open_source(str(source), settings), Mapping.from_dict(MAPPING))
    vitrine.close()
    if summary.failed or not summary.embedded:
        raise SystemExit(f"the ingest that was to be measured went wrong: {summary}")
    how = f"{summary.precision} on {summary.device}, batches of {summary.batch}"
    rate, whole = summary.done / summary.seconds, summary.done / summary.total_seconds
    report.add(
        Figure("ingest by defaults", rate, "photos/s", beside={"all of it": whole}, note=how)
    )


def _distinct(photos: Sequence[Path], folder: Path, count: int) -> list[Path]:
    """`count` JPEG files whose bytes differ by a comment (ITU T.81, B.2.4.5), so that each is a
    picture of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for number in range(count):
        data = photos[number % len(photos)].read_bytes()
        comment = f"{number:08d}".encode("ascii")
        head = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
        file = folder / f"{number:08d}.jpg"
        file.write_bytes(data[:2] + head + data[2:])
        files.append(file)
    return files
