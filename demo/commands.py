"""`vitrine demo`: draws a catalogue, then ingests and serves it as a shop's own."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

import click

from vitrine.errors import VitrineError
from vitrine.setting_ranges import range_of
from vitrine.settings import PREFIX, load_settings

__all__ = ["demo"]

MAPPING = Path(__file__).with_name("catalogue.toml")


@click.command()
@click.option(
    "--products", type=click.IntRange(min=1), help="How many products to draw.  [default: 2400]"
)
@click.option("--port", type=range_of("port"), help="Port of the page.  [default: VITRINE_PORT]")
@click.option("--no-serve", is_flag=True, help="Draw and ingest only.")
def demo(products: int | None, port: int | None, no_serve: bool) -> None:
    """Draw the demo catalogue, ingest it with the bundled model, and serve page and API.

    Everything lies under DATA_DIR/demo, apart from a catalogue of your own. VITRINE_MODEL and
    VITRINE_DETECTOR choose other models than the bundled ones.
    """
    _prepare(port)
    if not no_serve:
        from service.serving import listen

        listen(load_settings()).close()  # a taken port is told before the drawing, not after it
    catalogue = _drawn(load_settings().data_dir, products)
    click.echo(f"$ vitrine ingest {catalogue} --map {MAPPING}", err=True)
    _ingest(catalogue)
    if no_serve:
        return
    settings = load_settings()
    click.secho(
        f"The demo shop opens on http://{settings.host}:{settings.port}", bold=True, err=True
    )
    click.echo(
        f"Its admin token is {settings.admin_token.get_secret_value()}; stop it with Ctrl-C.",
        err=True,
    )
    from ingest.job_commands import up

    up.main(args=[], standalone_mode=False)


def _prepare(port: int | None) -> None:
    """Set what the demo needs and the environment leaves open, for this process and those it
    starts."""
    environment = os.environ
    environment.setdefault(f"{PREFIX}MODEL", "bundled")
    environment.setdefault(f"{PREFIX}DETECTOR", "bundled")
    if not environment.get(f"{PREFIX}ADMIN_TOKEN"):
        environment[f"{PREFIX}ADMIN_TOKEN"] = secrets.token_hex(16)
    environment[f"{PREFIX}DATA_DIR"] = str(load_settings().data_dir / "demo")
    if port is not None:
        environment[f"{PREFIX}PORT"] = str(port)


def _drawn(folder: Path, products: int | None) -> Path:
    from tqdm import tqdm

    try:
        from demo.catalogue import PRODUCTS, SEED, write_catalogue
    except ImportError as error:
        raise VitrineError(f"the demo catalogue cannot be drawn: {error}") from error

    count = products or PRODUCTS
    path = folder / f"catalogue-{count}-{SEED}.parquet"
    if path.exists():
        return path
    with tqdm(total=count, desc="drawing", unit=" products", disable=None) as bar:

        def show(done: int, _total: int) -> None:
            bar.update(done - bar.n)

        write_catalogue(path, products=count, progress=show)
    return path


def _ingest(catalogue: Path) -> None:
    from ingest.commands import ingest

    try:
        ingest.main(args=[str(catalogue), "--map", str(MAPPING)], standalone_mode=False)
    except SystemExit as finished:
        if finished.code:
            click.echo(
                "the demo catalogue could not be ingested whole; see `vitrine failures`", err=True
            )
            sys.exit(finished.code)
