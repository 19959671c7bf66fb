"""Commands: vitrine backup FOLDER, vitrine restore FOLDER."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vitrine.settings import load_settings

if TYPE_CHECKING:
    from vitrine.backup import Manifest

__all__ = ["backup", "restore"]

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("folder", type=_FOLDER)
@click.option("--version", help="Name of the version.  [default: the live one]")
def backup(folder: Path, version: str | None) -> None:
    """Write the live version into FOLDER while it serves: products, vectors, pictures' keys.

    FOLDER must be new or empty. Pictures themselves are in the image store.
    """
    from vitrine.backup import back_up
    from vitrine.wiring import Vitrine

    with closing(Vitrine(load_settings())) as vitrine:
        index = vitrine.versions.open(version) if version else vitrine.versions.live()
        with click.progressbar(length=index.count(), label="backup", show_pos=True) as bar:
            manifest = back_up(index, folder, progress=lambda done: bar.update(done - bar.pos))
        click.echo(
            f"{manifest.products} products of version {manifest.version}, as it was at "
            f"{_moment(manifest)}, are in {folder}"
        )


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--publish/--no-publish", default=True, show_default=True, help="Make it live.")
def restore(folder: Path, publish: bool) -> None:
    """Restore the backup in FOLDER as a new version of the configured backend, and publish it.

    A backup of the embedded index can be restored into Qdrant and the other way round.
    """
    from vitrine import backup as backups
    from vitrine.wiring import Vitrine

    with closing(Vitrine(load_settings())) as vitrine:
        manifest = backups.read_manifest(folder)
        total = sum(part.entries for part in manifest.parts if part.kind == "records")
        with click.progressbar(length=total, label="restore", show_pos=True) as bar:
            index = backups.restore(
                vitrine.versions,
                folder,
                data_dir=vitrine.settings.data_dir,
                progress=lambda done: bar.update(done - bar.pos),
            )
        name = index.info.name
        if publish:
            vitrine.versions.publish(name)
        click.echo(
            f"version {name}: {manifest.products} products, as they were at {_moment(manifest)}; "
            + ("it is live" if publish else f"make it live with `vitrine publish {name}`")
        )


def _moment(manifest: Manifest) -> str:
    return f"{datetime.fromisoformat(manifest.moment):%Y-%m-%d %H:%M:%S} UTC"
