"""The command `vitrine`: a group that loads each room's commands when they are called.

Rooms register theirs as entry points in the group `vitrine.commands`, so this room imports none of
them.
"""

from __future__ import annotations

import difflib
import sys
from importlib.metadata import EntryPoint, entry_points

import click

from vitrine.errors import VitrineError
from vitrine.settings import refuse_unknown_variables

__all__ = ["main"]


class Commands(click.Group):
    """The commands that the installed rooms registered, in alphabetical order."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands."""
        return sorted(_registered())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        entry = _registered().get(cmd_name)
        if entry is None:
            return None
        command: click.Command = entry.load()
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Click's own, whose error for an unknown command also names the nearest one."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            nearest = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            hint = f"Did you mean {nearest[0]!r}?" if nearest else "`vitrine --help` lists all."
            raise click.UsageError(f"{error.message} {hint}", ctx) from None


def _registered() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group="vitrine.commands")}


@click.group(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="vitrine")
def vitrine() -> None:
    """Visual product search: by words, by picture, behind price and color filters.

    Settings are VITRINE_* environment variables; `vitrine settings` lists them.
    """
    refuse_unknown_variables()


def main() -> None:
    """Run a command; an error of ours is one sentence on standard error and exit status 2."""
    try:
        vitrine(prog_name="vitrine")
    except VitrineError as error:
        click.secho(f"vitrine: {error}", err=True, fg="red")
        sys.exit(2)
