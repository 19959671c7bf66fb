"""The command `vitrine serve`."""

from __future__ import annotations

import click

from vitrine.setting_ranges import range_of
from vitrine.settings import load_settings

__all__ = ["serve"]


@click.command()
@click.option("--host", help="Address to bind.  [default: VITRINE_HOST]")
@click.option(
    "--port",
    type=range_of("port"),
    help="Port to bind, 0 for any free one.  [default: VITRINE_PORT]",
)
@click.option(
    "--workers", type=range_of("workers"), help="Serving processes.  [default: VITRINE_WORKERS]"
)
@click.option(
    "--threads",
    type=range_of("threads"),
    help="Threads of each serving process.  [default: VITRINE_THREADS]",
)
def serve(host: str | None, port: int | None, workers: int | None, threads: int | None) -> None:
    """Serve the page and the API until SIGTERM; running requests are answered first."""
    from service.serving import run
    from vitrine.wiring import Vitrine

    flags = {"host": host, "port": port, "workers": workers, "threads": threads}
    run(
        Vitrine(
            load_settings(**{name: value for name, value in flags.items() if value is not None})
        )
    )
