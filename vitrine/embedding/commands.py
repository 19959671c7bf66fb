"""`vitrine export`: the configured models made ready for ONNX Runtime, so that they can be
served without torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from vitrine.embedding.checkpoint import Role, find_checkpoint
from vitrine.settings import ModelSettings, load_settings

__all__ = ["export"]

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
