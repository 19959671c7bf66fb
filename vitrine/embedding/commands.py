"""`vitrine export`: the configured models made ready for ONNX Runtime, so that they can be
served without torch; `vitrine models`: which models are worth using."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from vitrine.embedding.checkpoint import Role, find_checkpoint, present_checkpoint
from vitrine.embedding.known_models import KnownModel, known_models
from vitrine.errors import ModelUnavailable
from vitrine.settings import ModelSettings, load_settings

__all__ = ["export", "models"]

_ROLES: dict[str, Role] = {"model": "clip", "detector": "owlvit"}


@click.command()
@click.argument("models", nargs=-1, type=click.Choice(list(_ROLES)))
def export(models: Sequence[str]) -> None:
    """Export VITRINE_MODEL and VITRINE_DETECTOR for ONNX Runtime into the data folder, or only the
    one named.

    An installation without torch can serve what has been exported. What is there already is left as
    it is.
    """
    settings = load_settings()
    for model in models or _ROLES:
        click.echo(f"{model}: {_export(settings, model)}")


def _export(settings: ModelSettings, model: str) -> Path:
    from vitrine.embedding.exported import exported

    role = _ROLES[model]
    name = settings.model if role == "clip" else settings.detector
    checkpoint = find_checkpoint(name, role)
    folder = settings.data_dir / "models"
    return exported(
        checkpoint,
        folder,
        fingerprint=checkpoint.fingerprint(folder),
        role=role,
        precision="int8" if settings.precision == "int8" else "fp32",
    ).folder


@click.command()
@click.option("--no-times", is_flag=True, help="Do not load and time what is on this machine.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def models(no_times: bool, as_json: bool) -> None:
    """List checkpoints worth using: what for, languages, dimension, size and license.

    Those that are on this machine (a folder, or the hub's cache) are run a few times, and the cost
    of one text and one picture is shown. No hub is contacted. Use one by VITRINE_MODEL=NAME.
    """
    settings = load_settings()
    rows = [_described(model, settings, timed=not no_times) for model in _listed(settings)]
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for row in rows:
        click.echo(f"{row['name']}: {row['use']}")
        size = f"{row['megabytes']:,} MB, " if row["megabytes"] else ""
        click.echo(
            f"    {row['languages']}; {row['dimension'] or '?'} dimensions, {size}{row['license']}"
        )
        click.echo(f"    {row['here']}")


def _listed(settings: ModelSettings) -> list[KnownModel]:
    """The configured model first where it is none of the known ones."""
    known = list(known_models())
    if any(model.name == settings.model for model in known):
        return known
    return [
        KnownModel(
            name=settings.model,
            use="the configured model (VITRINE_MODEL)",
            languages="languages unknown",
            dimension=0,
            megabytes=0,
            license="its own license",
        ),
        *known,
    ]


def _described(model: KnownModel, settings: ModelSettings, *, timed: bool) -> dict[str, object]:
    """The row as JSON tells it; `here` says in words whether the model is on this machine."""
    from vitrine.embedding.cost import measure

    row: dict[str, object] = {
        **model.model_dump(),
        "configured": model.name in (settings.model, settings.detector),
        "present": False,
        "text_ms": None,
        "picture_ms": None,
    }
    detects = model.kind == "detector"
    checkpoint = present_checkpoint(model.name, "owlvit" if detects else "clip")
    if checkpoint is None:
        return {**row, "here": "not on this machine"}
    row |= {"present": True, "here": f"here: {checkpoint.folder}"}
    if detects or not timed:
        return row
    try:
        cost = measure(checkpoint, settings)
    except ModelUnavailable as error:
        return {**row, "here": f"{row['here']}, but it cannot be run: {error}"}
    return {
        **row,
        "dimension": cost.dimension,
        "text_ms": round(cost.text_ms, 1),
        "picture_ms": round(cost.picture_ms, 1),
        "here": f"{row['here']}; by {cost.runtime}, a text {cost.text_ms:.1f} ms, a picture "
        f"{cost.picture_ms:.1f} ms",
    }
