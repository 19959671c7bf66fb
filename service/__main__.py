"""`python -m service` serves as `vitrine serve` does."""

from __future__ import annotations

import sys

import click

from service.commands import serve
from vitrine.errors import VitrineError

if __name__ == "__main__":
    try:
        serve(prog_name="python -m service")
    except VitrineError as error:
        click.secho(f"vitrine: {error}", err=True, fg="red")
        sys.exit(2)
