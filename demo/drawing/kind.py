"""What the drawing of a category offers: its silhouettes, the materials it comes in, and the
function that draws it."""

from collections.abc import Callable
from dataclasses import dataclass

from demo.drawing.painter import Painter

__all__ = ["Kind"]


@dataclass(frozen=True)
class Kind:
    """One category; `stands` tells whether it stands on a floor or lies and hangs flat.

    The silhouettes in `hung` are the exceptions: they hang although the others stand.
    """

    draw: Callable[[Painter, str], None]
    silhouettes: tuple[str, ...]
    materials: tuple[str, ...]
    stands: bool = False
    hung: tuple[str, ...] = ()
