"""The parent process of an ingest alone: what taking rows, handing on and writing take of it when
another process reads, its decoding processes answer at once and its model costs nothing."""

from __future__ import annotations

import csv
import hashlib
import json
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import TextIO

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from benchmarks.named_products import products
from benchmarks.report import Figure, Report
from ingest.database import ingest_database
from ingest.decoding.program import DecoderSpec
from ingest.decoding.work import PLACES, ProcessPictureWork
from ingest.failures import Ledger
from ingest.pictures.naming import FetchedPicture, Picture
from ingest.pipeline.fill import fill_index
from ingest.pipeline.models import IngestTask, PipelineContext
from ingest.pipeline.picture_work import PictureOutcome, PictureTask
from ingest.pipeline.preparation import PreparedPicture
from ingest.runs import Runs
from ingest.sources import open_source
from vitrine.cores import usable_cores
from vitrine.embedding import Compute, ModelInfo
from vitrine.fields import Mapping
from vitrine.freed_memory import collect_cycles_seldom
from vitrine.images.budget import Budget
from vitrine.images.decode import ImageLimits
from vitrine.images.store import FileSystemStore
from vitrine.index.faiss.versions import FaissVersions
from vitrine.settings import Settings

__all__ = ["FilesAlone", "measure"]

_DIMENSION = 512
_SIDE = 224
_FIELDS = ("id", "title", "image", "price", "color", "category", "brand", "description")
_MAPPING = Mapping.from_dict({"product": {"currency": "EUR", **{name: name for name in _FIELDS}}})
_PROSE = 20
"""Words of a description."""


def measure(report: Report, work: Path, *, count: int, rounds: int) -> None:
    """Products per second of one core of that process, of catalogues in two formats."""
    collect_cycles_seldom()  # as `vitrine ingest` does
    folder = work / "parent"
    for file in _catalogues(folder, count):
        taken = [_ingest(file, folder) for _ in range(rounds)]
        core_s, seconds = min(core for core, _ in taken), min(wall for _, wall in taken)
        report.add(
            Figure(
                "an ingest's parent process alone",
                count / core_s,
                "/core s",
                ">= 5000",
                count / core_s >= 5000,
                {"core ms of a product": 1e3 * core_s / count, "products/s": count / seconds},
                note=f"{usable_cores()} decoding processes",
                case=f"{count:,} products, {file.suffix[1:]}",
            )
        )


def _catalogues(folder: Path, count: int) -> tuple[Path, Path]:
    """The same products as JSON lines and as CSV, each with a picture's file of its own."""
    pictures = folder / "pictures"
    pictures.mkdir(parents=True)
    lines, table = folder / "products.jsonl", folder / "products.csv"
    with lines.open("w", encoding="utf-8") as as_json, table.open("w", encoding="utf-8") as as_csv:
        _write(as_json, as_csv, pictures, count)
    return lines, table


def _write(as_json: TextIO, as_csv: TextIO, pictures: Path, count: int) -> None:
    rows = csv.DictWriter(as_csv, _FIELDS)
    rows.writeheader()
    for number, product in enumerate(products(count, seed=9, prose=_PROSE)):
        picture = pictures / f"{number:08}.jpg"
        picture.touch()
        row = {
            "id": product.id,
            "title": product.title,
            "image": f"pictures/{picture.name}",
            "price": f"{product.price:.2f} EUR",
            "color": product.color[0],
            "category": product.category[0],
            "brand": product.brand,
            "description": product.description,
        }
        as_json.write(json.dumps(row) + "\n")
        rows.writerow(row)


def _ingest(file: Path, folder: Path) -> tuple[float, float]:
    """Seconds of a core of this process, and seconds, from an empty version to a full one."""
    settings = Settings(data_dir=Path(tempfile.mkdtemp(dir=folder)))
    model = _FreeModel()
    spec = _ReadyPictures(
        settings,
        FileSystemStore(str(settings.data_dir / "images")),
        model.pictures,
        ImageLimits.of(settings),
        PLACES,
        usable_cores(),
    )
    database = ingest_database(settings.data_dir)
    with (
        closing(database),
        closing(FaissVersions(settings.data_dir / "index", settings)) as versions,
        closing(ProcessPictureWork(spec, FilesAlone(), model)) as work,
    ):
        index = versions.create(
            model="measured",
            fingerprint=model.info.fingerprint,
            dimension=_DIMENSION,
            schema=_MAPPING.schema(),
            mapping=_MAPPING.to_dict(),
            text_vectors=True,
        )
        source = open_source(str(file), settings, _MAPPING)
        context = PipelineContext(settings, model, Ledger(database), Runs(database), work)
        busy, began = process_time(), perf_counter()
        summary = fill_index(IngestTask(source, _MAPPING, index), context)
        taken = process_time() - busy, perf_counter() - began
        if summary.failed or summary.done != index.count() or not summary.embedded:
            raise SystemExit(f"the ingest that was to be measured went wrong: {summary}")
    return taken


@dataclass(frozen=True)
class _ReadyPictures(DecoderSpec):
    """Decoding processes that have the pixels ready, so that only handing them on is measured."""

    def preparation(self, memory: Budget) -> _AtOnce:
        """What answers at once."""
        return _AtOnce(np.zeros((*self.rules.shape, 3), np.uint8))


class _AtOnce:
    """Gives each picture a key of its own and the same pixels."""

    def __init__(self, levels: NDArray[np.uint8]) -> None:
        self._levels = levels

    def prepare(self, task: PictureTask) -> PreparedPicture:
        """The outcome, with as many values as that of a picture that was decoded."""
        key = hashlib.sha256(str(task.picture).encode()).hexdigest()
        seconds = dict.fromkeys(("load", "decode", "preprocess", "store"), 1e-3)
        return PreparedPicture(
            PictureOutcome(key, self._levels, size=(800, 600), warnings=(), seconds=seconds)
        )


@dataclass(frozen=True)
class _Rules:
    """A model's rules, by which no picture is ever made."""

    shape: tuple[int, int] = (_SIDE, _SIDE)
    shorter_side: int = _SIDE

    def levels(self, images: Sequence[Image]) -> NDArray[np.uint8]:
        """The pixels are ready."""
        raise AssertionError("no picture is decoded here")


class _FreeModel:
    """A model that costs nothing: its vectors are there before it is asked."""

    def __init__(self) -> None:
        self.info = ModelInfo("free", "0" * 64, _DIMENSION, 20.0, _SIDE)
        self.pictures = _Rules()
        self.compute = Compute("cpu", "fp32")
        rows = np.random.default_rng(4).standard_normal((512, _DIMENSION), dtype=np.float32)
        self._rows: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """A row for each text."""
        return self._rows[: len(texts)]

    def embed_pixels(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """A row for each picture."""
        return self._rows[: len(pixels)]

    def embed_images(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Pixels are what an ingest embeds."""
        raise AssertionError("no picture is embedded here")

    def preprocess(self, images: Sequence[Image]) -> NDArray[np.uint8]:
        """Decoding processes do that."""
        raise AssertionError("no picture is preprocessed here")

    def truncates(self, text: str) -> bool:
        """Never."""
        return False


class FilesAlone:
    """Stands for what fetches pictures, where the decoding processes read files themselves."""

    def read(self, picture: Picture) -> FetchedPicture:
        """Only addresses are read here."""
        raise AssertionError(f"{picture} has no address")
