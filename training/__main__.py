"""Trains the bundled checkpoints and measures them: `python -m training clip | owlvit |
evaluate`."""

from pathlib import Path

import click

from training.evaluation import evaluate_checkpoints
from training.programs import train_clip, train_owlvit

__all__ = ["main"]

_FOLDER = click.Path(file_okay=False, path_type=Path)
_EXISTING = click.Path(file_okay=False, exists=True, path_type=Path)
_CHECKPOINTS = Path(__file__).parents[1] / "demo" / "checkpoints"


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
@click.option(
    "--out",
    type=_FOLDER,
    required=True,
    help="Where the checkpoint goes; the state of the run lies beside it.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(min=0.1),
    default=60.0,
    help="Minutes of training, once the pictures are made.",
)
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    default=None,
    help="Steps instead of minutes: then a run repeats exactly.",
)
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
@click.option("--resume", is_flag=True, help="Go on from the state in --out.")
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
@click.option(
    "--out",
    type=_FOLDER,
    required=True,
    help="Where the checkpoint goes; the state of the run lies beside it.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(min=0.1),
    default=30.0,
    help="Minutes of training, once the scenes are drawn.",
)
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    default=None,
    help="Steps instead of minutes: then a run repeats exactly.",
)
@click.option("--scenes", type=click.IntRange(min=24), default=8000, help="Scenes to draw.")
@click.option("--seed", type=int, default=0, help="Fixes scenes, captions, weights and order.")
@click.option("--resume", is_flag=True, help="Go on from the state in --out.")
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
