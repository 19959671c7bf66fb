"""`vitrine similarity`, `classify` and `detect`: what a model tells of one picture."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from vitrine.commands import io
from vitrine.errors import InvalidQuery

__all__ = ["classify", "detect", "similarity"]


@click.command()
@click.argument("image", type=io.PICTURE)
@click.argument("texts", nargs=-1, required=True)
@io.json_option
def similarity(image: Path, texts: tuple[str, ...], as_json: bool) -> None:
    """Print the cosine similarity of IMAGE with each of TEXTS."""
    with closing(io.open_vitrine()) as vitrine:
        similarities = vitrine.recognition.similarity(io.read_picture(vitrine, image), texts)
    if as_json:
        io.print_json(
            {"similarities": [{"text": s.text, "cosine": s.cosine} for s in similarities]}
        )
        return
    for similarity in similarities:
        click.echo(f"{similarity.cosine:7.4f}  {similarity.text}")


@click.command()
@click.argument("image", type=io.PICTURE)
@click.argument("labels", nargs=-1, required=True)
@click.option(
    "--template",
    "templates",
    multiple=True,
    help="Text around a label, {} marks its place; several are averaged.  [a photo of a {}]",
)
@io.json_option
def classify(
    image: Path, labels: tuple[str, ...], templates: tuple[str, ...], as_json: bool
) -> None:
    """Print the probability of each of LABELS for IMAGE (zero-shot)."""
    from vitrine.recognition import DEFAULT_TEMPLATE

    with closing(io.open_vitrine()) as vitrine:
        ranked = vitrine.recognition.classify(
            io.read_picture(vitrine, image), labels, templates or (DEFAULT_TEMPLATE,)
        )
    if as_json:
        io.print_json(
            {"labels": [{"label": c.label, "probability": c.probability} for c in ranked]}
        )
        return
    for classified in ranked:
        click.echo(f"{classified.probability:7.2%}  {classified.label}")


@click.command()
@click.argument("image", type=io.PICTURE)
@click.argument("labels", nargs=-1, required=True)
@click.option("--threshold", type=click.FloatRange(0, 1), help="Minimum score of an object.")
@click.option(
    "--distinct",
    "only_distinct",
    is_flag=True,
    help="Of boxes that cover each other by half keep the best.",
)
@click.option(
    "--save",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the picture with the boxes drawn to this file.",
)
@io.json_option
def detect(
    image: Path,
    labels: tuple[str, ...],
    threshold: float | None,
    only_distinct: bool,
    save: Path | None,
    as_json: bool,
) -> None:
    """Find objects of LABELS in IMAGE (zero-shot) and print their boxes in pixels."""
    from vitrine.boxes import distinct, draw_boxes
    from vitrine.recognition import DEFAULT_THRESHOLD

    with closing(io.open_vitrine()) as vitrine:
        picture = io.read_picture(vitrine, image)
        detections = vitrine.recognition.detect(
            picture, labels, threshold=DEFAULT_THRESHOLD if threshold is None else threshold
        )
    if only_distinct:
        detections = distinct(detections)
    if save is not None:
        try:
            draw_boxes(picture, detections).save(save)
        except (OSError, ValueError) as error:  # the folder, or a format that Pillow lacks
            reason = getattr(error, "strerror", None) or error
            raise InvalidQuery.of("--save", f"{save} cannot be written: {reason}") from None
    if as_json:
        names = ("xmin", "ymin", "xmax", "ymax")
        io.print_json(
            {
                "objects": [
                    {
                        "label": d.label,
                        "score": d.score,
                        "box": dict(zip(names, d.box, strict=True)),
                    }
                    for d in detections
                ]
            }
        )
        return
    for detection in detections:
        edges = ", ".join(f"{edge:.0f}" for edge in detection.box)
        click.echo(f"{detection.score:6.3f}  {detection.label:<20} {edges}")
    if not detections:
        click.echo("nothing found above the threshold", err=True)
