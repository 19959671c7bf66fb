"""`python -m benchmarks`: one table of figures, and the same as JSON."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from benchmarks.report import Report

PARTS = ("ingest", "serving", "filtered", "pictures", "words", "quantization", "qdrant")
_QUICK = "A quick look: 3 of the model's 12 layers, fewer photographs, 20,000 products"


@click.command()
@click.option("--quick", is_flag=True, help=f"{_QUICK}, in some minutes.")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(PARTS),
    help="Measure only this part; may be repeated.",
)
@click.option(
    "--photos",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of JPEG photographs; drawn ones otherwise.",
)
@click.option(
    "--million",
    is_flag=True,
    help="Filtered search over a million vectors as well (about 8 GB of memory), and the word"
    " index of a million products.",
)
@click.option(
    "--qdrant",
    help="Address of a Qdrant server to measure beside the embedded index, or `engine`: Qdrant's"
    " engine behind the test server. Without it that part is left out.",
)
@click.option(
    "--device",
    is_flag=True,
    help="Only what a card gives: forward pass, decoding by 1 to 32 processes, a whole ingest,"
    " queries of 1 to 64 clients, exact search.",
)
@click.option(
    "--json",
    "out",
    type=click.Path(dir_okay=False, path_type=Path),
    default="benchmarks/results.json",
    show_default=True,
)
def main(
    quick: bool,
    only: tuple[str, ...],
    photos: Path | None,
    million: bool,
    qdrant: str | None,
    device: bool,
    out: Path,
) -> None:
    """Measure Vitrine beside its floors and rivals in the same run."""
    parts = () if device else only or PARTS
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        if device or "ingest" in parts or "serving" in parts:
            from benchmarks.models import full_size_checkpoint

            model = full_size_checkpoint(
                work / "vit-b-32", tokenizer=_bundled(), layers=3 if quick else 12
            )
        if device:
            from benchmarks import device as card
            from benchmarks.photos import photographs

            files = photographs(photos, work / "photos", count=16 if quick else 128)
            card.measure(report, model, files, work, quick=quick)
        if "ingest" in parts:
            from benchmarks import ingesting
            from benchmarks.photos import photographs

            files = photographs(photos, work / "photos", count=16 if quick else 128)
            rounds, products = (1, 1_000) if quick else (3, 5_000)
            ingesting.measure(report, model, files, work, rounds=rounds, products=products)
        if "serving" in parts:
            from benchmarks import serving

            serving.measure(
                report,
                model,
                work,
                products=20_000 if quick else 100_000,
                requests=60 if quick else 400,
            )
        if "filtered" in parts:
            from benchmarks import filtered

            sizes: tuple[int, ...] = (5_000, 20_000) if quick else (10_000, 100_000)
            sizes += (1_000_000,) if million and not quick else ()
            filtered.measure(report, sizes=sizes, rounds=20 if quick else 100)
        if "pictures" in parts:
            from benchmarks import pictures

            count, rounds = (20_000, 20) if quick else (100_000, 100)
            pictures.measure(report, products=count, rounds=rounds)
        if "words" in parts:
            from benchmarks import words

            words.measure(report, size=20_000 if quick else 100_000, rounds=20 if quick else 100)
            if million and not quick:
                words.measure_memory(report, size=1_000_000)
        if "quantization" in parts:
            from benchmarks import quantization

            products, rounds = (5_000, 10) if quick else (20_000, 40)
            quantization.measure(report, work, products=products, rounds=rounds)
        if "qdrant" in parts and qdrant:
            from benchmarks import qdrant as both

            products, rounds, pages = (5_000, 10, 100) if quick else (100_000, 60, 400)
            both.measure(report, qdrant, work, products=products, rounds=rounds, pages=pages)
    report.write(out, quick=quick)
    remark = f"\n{_QUICK}: compare with other quick looks, not with the targets.\n" if quick else ""
    print(f"\n{report.markdown()}\n{remark}\nwritten to {out}")


def _bundled() -> Path:
    import demo

    return Path(demo.__file__).parent / "checkpoints" / "clip"


if __name__ == "__main__":
    main()
