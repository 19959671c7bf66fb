"""Options of commands that stand for settings are bounded as these are."""

from __future__ import annotations

import click

from vitrine.settings import Settings

__all__ = ["range_of"]


def range_of(setting: str) -> click.IntRange:
    """The integers that the setting takes; what is beyond is refused by the option's own name."""
    bounds = Settings.model_fields[setting].metadata
    lowest = next(bound.ge for bound in bounds if hasattr(bound, "ge"))
    highest = next(bound.le for bound in bounds if hasattr(bound, "le"))
    return click.IntRange(lowest, highest)
