"""What commands take and give: the shop that the settings name, a picture file, JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from vitrine.settings import load_settings

if TYPE_CHECKING:
    from PIL.Image import Image

    from vitrine.wiring import Vitrine

__all__ = ["PICTURE", "json_option", "open_vitrine", "print_json", "read_picture"]

PICTURE = click.Path(exists=True, dir_okay=False, path_type=Path)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def open_vitrine() -> Vitrine:
    """The container of the settings in the environment; whoever opens it closes it."""
    from vitrine.wiring import Vitrine

    return Vitrine(load_settings())


def read_picture(vitrine: Vitrine, path: Path) -> Image:
    """Decode a picture file; `InvalidImage` where it is none, or larger than the settings allow."""
    from vitrine.images.decode import ImageLimits, decode

    return decode(path.read_bytes(), ImageLimits.of(vitrine.settings))


def print_json(value: object) -> None:
    """Print indented JSON; times are in UTC."""
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z))
