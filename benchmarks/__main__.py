"""`python -m benchmarks`: one table of figures, and the same as JSON."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from benchmarks.parts import PARTS, Run, measure_device
from benchmarks.report import Report

_QUICK = "A quick look: 3 of the model's 12 layers, fewer photographs, 20,000 products"


@click.command()
@click.option("--quick", is_flag=True, help=f"{_QUICK}, in some minutes.")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(list(PARTS)),
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
    "--ten-million",
    is_flag=True,
    help="Filtered search over a million and ten million vectors as well (41 GB of free memory and"
    " 60 of the disk; the graph takes hours on few cores).",
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
    ten_million: bool,
    qdrant: str | None,
    device: bool,
    out: Path,
) -> None:
    """Measure Vitrine beside its floors and rivals in the same run."""
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        run = Run(
            report,
            Path(folder),
            quick=quick,
            photos=photos,
            million=million,
            ten_million=ten_million,
            qdrant=qdrant,
        )
        if device:
            measure_device(run)
        else:
            for name, measure in PARTS.items():
                if name in (only or PARTS):
                    measure(run)
    report.write(out, quick=quick)
    remark = f"\n{_QUICK}: compare with other quick looks, not with the targets.\n" if quick else ""
    print(f"\n{report.markdown()}\n{remark}\nwritten to {out}")


if __name__ == "__main__":
    main()
