"""The program that measures both checkpoints."""

import json
import time
from collections.abc import Mapping
from pathlib import Path

import click

from training.checkpoints import Encoder
from training.detection_measures import measure_detector
from training.drawn_measures import Missed, measure_drawn
from training.photo_measures import measure_classes, measure_shop
from training.programs import workers
from training.timing import latency

__all__ = ["evaluate_checkpoints"]

_SCENES_MEASURED = 160


def evaluate_checkpoints(  # the options of a command
    *,
    clip_folder: Path,
    owlvit_folder: Path | None,
    photos: Path | None,
    shop: Path | None,
    drawn: bool,
    save: Path | None,
) -> None:
    """Measures what is asked for and prints it."""
    encoder = Encoder(clip_folder)
    scores: dict[str, Mapping[str, object]] = {
        "Time on one core, milliseconds": latency(clip_folder)
    }
    missed: dict[str, Missed] = {}
    if drawn:
        scores["Drawn products, unseen seeds"], missed = measure_drawn(encoder, workers=workers())
    if photos is not None:
        scores["Photographs of clothes, validation split, zero-shot accuracy"] = measure_classes(
            encoder, photos
        )
    if shop is not None:
        scores["A real catalogue, never trained on"] = measure_shop(encoder, shop)
    if owlvit_folder is not None:
        scores["Drawn scenes, unseen seeds, mAP at IoU 0.5"] = measure_detector(
            owlvit_folder, scenes=_SCENES_MEASURED
        )
    for title, table in scores.items():
        click.echo(f"\n{title}\n{_markdown(table)}")
    for name, worst in missed.items():
        click.echo(
            f"\nWorst of {name}: "
            + "; ".join(f"{text} ({value:.1f})" for text, value in worst[:10])
        )
    if save is not None:
        save.write_text(
            json.dumps({"measured": time.strftime("%Y-%m-%d"), **scores}, indent=2) + "\n", "utf-8"
        )


def _markdown(table: Mapping[str, object]) -> str:
    """A Markdown table of numbers by name, or of rows of them by name."""
    first = next(iter(table.values()))
    columns = list(first) if isinstance(first, dict) else ["value"]
    lines = ["| | " + " | ".join(columns) + " |", "|-|" + "-|" * len(columns)]
    for name, row in table.items():
        values = row if isinstance(row, dict) else {"value": row}
        lines.append(
            f"| {name} | "
            + " | ".join(f"{values[column]:.3f}" if column in values else "" for column in columns)
            + " |"
        )
    return "\n".join(lines)
