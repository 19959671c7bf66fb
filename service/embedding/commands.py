"""The command `vitrine embedder`."""

from __future__ import annotations

import socket
from functools import partial
from pathlib import Path

import click

from vitrine.errors import InvalidSettings
from vitrine.setting_ranges import range_of
from vitrine.settings import load_settings

__all__ = ["embedder"]


@click.command()
@click.option("--host", help="Address to bind.  [default: VITRINE_HOST]")
@click.option(
    "--port",
    type=range_of("port"),
    default=8001,
    show_default=True,
    help="Port, 0 for any free one.",
)
@click.option(
    "--socket",
    "path",
    type=click.Path(path_type=Path),
    help="Listen on a Unix socket, which only this user may open, instead of host and port.",
)
@click.option(
    "--threads",
    type=range_of("threads"),
    default=64,
    show_default=True,
    help="Requests embedded together or waiting for it; more wait in the queue.",
)
@click.option("--fd", nargs=2, type=int, hidden=True, help="A bound socket and a pipe to watch.")
def embedder(
    host: str | None, port: int, path: Path | None, threads: int, fd: tuple[int, int] | None
) -> None:
    """Serve the model to the service processes and workers whose VITRINE_EMBEDDER_URL names it."""
    from service.embedding.serving import EmbedderServer
    from service.serving import run
    from vitrine.wiring import Vitrine

    flags = {"port": port, "threads": threads, "workers": 1, "embedder_url": ""}
    settings = load_settings(**flags if host is None else {**flags, "host": host})
    if fd is None:
        run(Vitrine(settings), EmbedderServer, listening=None if path is None else _listen_at(path))
        return
    listening = socket.socket(fileno=fd[0])
    run(Vitrine(settings), partial(EmbedderServer, alive=fd[1]), listening=listening)


def _listen_at(path: Path) -> socket.socket:
    from service.embedding.unix_socket import listen_at

    try:
        return listen_at(path.absolute())
    except OSError as error:
        why = (
            f"cannot listen at {path} ({error.strerror or error}); stop what listens there, or"
            " choose another path"
        )
        raise InvalidSettings.of("--socket", why) from None
