"""The options that several commands take with a source: how to read it, and what to do with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce, wraps
from typing import Any, TypeVar

import click

__all__ = ["export_options", "ingest_options"]

Command = TypeVar("Command", bound=Callable[..., Any])

_EXPORT = (
    click.option("--currency", help="Currency of all prices, where the export does not state it."),
    click.option(
        "--images", metavar="BASE", help="URL or folder that relative picture names start from."
    ),
    click.option(
        "--language",
        metavar="CODE",
        help="Language of the texts, such as de; guessed where no mapping states it.",
    ),
)
_INGEST = (
    click.option(
        "--map",
        "map_",
        metavar="FILE",
        default="auto",
        show_default=True,
        help="Mapping file or name of a built-in one; auto recognizes the export by its columns.",
    ),
    *_EXPORT,
    click.option(
        "--sync",
        is_flag=True,
        help="Remove products that SOURCE does not list, so that the index holds exactly these.",
    ),
    click.option(
        "--replace",
        is_flag=True,
        help="Build a new index from SOURCE alone and publish it in place of the live one.",
    ),
    click.option(
        "--allow-shrink",
        is_flag=True,
        help="Allow more products to be removed than VITRINE_MAX_SHRINK permits.",
    ),
)


def export_options(command: Command) -> Command:
    """Add `currency`, `images` and `language`: what an export does not state itself."""
    return reduce(lambda decorated, option: option(decorated), reversed(_EXPORT), command)


def ingest_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add `map_`, those of `export_options`, `mode` (None to update) and `allow_shrink`."""

    @wraps(command)
    def with_mode(*, sync: bool, replace: bool, **options: Any) -> Any:
        if sync and replace:
            raise click.UsageError("give --sync or --replace, not both")
        mode = "sync" if sync else "replace" if replace else None
        return command(mode=mode, **options)

    return reduce(lambda decorated, option: option(decorated), reversed(_INGEST), with_mode)
