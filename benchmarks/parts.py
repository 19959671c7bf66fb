"""The parts of the benchmarks with their sizes; what a part measures with loads with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.report import Report

__all__ = ["PARTS", "Run", "measure_device"]


@dataclass
class Run:
    """One run: where its figures go, its folder, and what the command line says."""

    report: Report
    work: Path
    quick: bool
    photos: Path | None
    million: bool
    ten_million: bool
    qdrant: str | None

    @cached_property
    def model(self) -> Path:
        """A checkpoint of the size of CLIP ViT-B/32."""
        from benchmarks.models import bundled_checkpoint, full_size_checkpoint

        layers = 3 if self.quick else 12
        folder = self.work / "vit-b-32"
        return full_size_checkpoint(folder, tokenizer=bundled_checkpoint(), layers=layers)

    @cached_property
    def photographs(self) -> list[Path]:
        """JPEG files, drawn where none are given."""
        from benchmarks.photos import photographs

        count = 16 if self.quick else 128
        return photographs(self.photos, self.work / "photos", count=count)


def measure_device(run: Run) -> None:
    """What a card gives."""
    from benchmarks import device

    device.measure(run.report, run.model, run.photographs, run.work, quick=run.quick)


def _ingest(run: Run) -> None:
    from benchmarks import ingesting

    rounds, products = (1, 1_000) if run.quick else (3, 5_000)
    ingesting.measure(
        run.report, run.model, run.photographs, run.work, rounds=rounds, products=products
    )


def _serving(run: Run) -> None:
    from benchmarks import serving

    products, requests = (20_000, 60) if run.quick else (100_000, 400)
    serving.measure(run.report, run.model, run.work, products=products, requests=requests)


def _filtered(run: Run) -> None:
    from benchmarks import filtered

    if run.quick:
        filtered.measure(run.report, sizes=(5_000, 20_000), rounds=20)
        return
    sizes = [10_000, 100_000]
    if run.million or run.ten_million:
        sizes.append(1_000_000)
    if run.ten_million:
        sizes.append(10_000_000)
    filtered.measure(run.report, sizes=sizes, rounds=100)


def _pictures(run: Run) -> None:
    from benchmarks import pictures

    products, rounds = (20_000, 20) if run.quick else (100_000, 100)
    pictures.measure(run.report, products=products, rounds=rounds)


def _words(run: Run) -> None:
    from benchmarks import words

    size, rounds = (20_000, 20) if run.quick else (100_000, 100)
    words.measure(run.report, size=size, rounds=rounds)
    if run.million and not run.quick:
        words.measure_memory(run.report, size=1_000_000)


def _quantization(run: Run) -> None:
    from benchmarks import quantization

    products, rounds = (5_000, 10) if run.quick else (20_000, 40)
    quantization.measure(run.report, run.work, products=products, rounds=rounds)


def _qdrant(run: Run) -> None:
    if not run.qdrant:
        return
    from benchmarks import qdrant

    products, rounds, pages = (5_000, 10, 100) if run.quick else (100_000, 60, 400)
    qdrant.measure(run.report, run.qdrant, run.work, products=products, rounds=rounds, pages=pages)


PARTS: Mapping[str, Callable[[Run], None]] = {
    "ingest": _ingest,
    "serving": _serving,
    "filtered": _filtered,
    "pictures": _pictures,
    "words": _words,
    "quantization": _quantization,
    "qdrant": _qdrant,
}
"""What `--only` chooses among, in the order of a whole run."""
