"""Trains the bundled checkpoints and measures them: `python -m training clip | owlvit |
evaluate`."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import click

from training.evaluation import evaluate_checkpoints
from training.programs import train_clip, train_owlvit

__all__ = ["main"]

_FOLDER = click.Path(file_okay=False, path_type=Path)
_EXISTING = click.Path(file_okay=False, exists=True, path_type=Path)
_CHECKPOINTS = Path(__file__).parents[1] / "demo" / "checkpoints"

Command: TypeAlias = Callable[..., None]


def _run_options(*, minutes: float, once: str) -> Callable[[Command], Command]:
    """Where a run goes, how long it takes, and whether it goes on from its last state."""
    options = (
        click.option(
            "--out",
            type=_FOLDER,
            required=True,
            help="Where the checkpoint goes; the state of the run lies beside it.",
        ),
        click.option(
            "--minutes",
            type=click.FloatRange(min=0.1),
            default=minutes,
            help=f"Minutes of training, once {once}.",
        ),
        click.option(
            "--steps",
            type=click.IntRange(min=1),
            default=None,
            help="Steps instead of minutes: then a run repeats exactly.",
        ),
        click.option("--resume", is_flag=True, help="Go on from the state in --out."),
    )

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


@click.group(context_settings={"show_default": True})
def main() -> None:
    """Trains the bundled checkpoints from scratch, and measures them on what they never saw."""


@main.command()
@click.option(
    "--photos",
    type=_EXISTING,
    required=True,
    help="Photographs of clothes with a products.jsonl: image, category, split.",
)
@_run_options(minutes=60.0, once="the pictures are made")
@click.option(
    "--pairs", type=click.IntRange(min=64), default=16000, help="Drawn items, each drawn twice."
)
@click.option(
    "--photo-pairs",
    type=click.IntRange(min=64),
    default=12000,
    help="Pictures made from photographs.",
)
@click.option("--seed", type=int, default=0, help="Fixes pictures, captions, weights and order.")
def clip(**options: object) -> None:
    """Trains the dual encoder on drawn products and photographs."""
    train_clip(**options)  # type: ignore[arg-type]  # click has checked them


@main.command()
@click.option(
    "--clip",
    "clip_folder",
    type=_EXISTING,
    default=_CHECKPOINTS / "clip",
    help="The dual encoder whose words it starts from.",
)
@_run_options(minutes=30.0, once="the scenes are drawn")
@click.option("--scenes", type=click.IntRange(min=24), default=8000, help="Scenes to draw.")
@click.option("--seed", type=int, default=0, help="Fixes scenes, captions, weights and order.")
def owlvit(**options: object) -> None:
    """Trains the detector on drawn scenes."""
    train_owlvit(**options)  # type: ignore[arg-type]  # click has checked them


@main.command()
@click.option(
    "--clip",
    "clip_folder",
    type=_EXISTING,
    default=_CHECKPOINTS / "clip",
    help="The dual encoder to measure.",
)
@click.option(
    "--owlvit", "owlvit_folder", type=_EXISTING, default=None, help="The detector to measure."
)
@click.option(
    "--photos",
    type=_EXISTING,
    default=None,
    help="Photographs with a validation split: zero-shot accuracy.",
)
@click.option(
    "--shop",
    type=_EXISTING,
    default=None,
    help="A catalogue with products.jsonl and image_queries.jsonl that was never trained on.",
)
@click.option("--drawn/--no-drawn", default=True, help="Measure on drawn products.")
@click.option(
    "--save",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Write the scores as JSON too.",
)
def evaluate(**options: object) -> None:
    """Prints every measured quality as tables in Markdown, as they stand in the model cards."""
    evaluate_checkpoints(**options)  # type: ignore[arg-type]  # click has checked them


if __name__ == "__main__":
    main()
