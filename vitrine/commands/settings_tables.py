"""`vitrine settings`: every setting, from which docs/settings.md is made."""

import click

from vitrine.settings import settings_tables

__all__ = ["settings"]


@click.command()
def settings() -> None:
    """Print every setting with its default and meaning, as a Markdown table."""
    click.echo(settings_tables())
