"""Draws many items on several cores."""

from collections.abc import Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from io import BytesIO
from multiprocessing import get_context

from demo.drawing.item import Item
from demo.drawing.picture import draw

__all__ = ["render_jpegs"]

QUALITY = 90
CHUNK = 25
"""How many pictures one process draws before it reports back."""


def render_jpegs(items: Sequence[Item], *, size: int, processes: int) -> Generator[bytes]:
    """Yields the items' pictures of `size` pixels as JPEG files, in order.

    The same bytes for any number of processes.
    """
    jpeg = partial(_jpeg, size=size)
    if processes == 1:
        yield from map(jpeg, items)
        return
    # Fresh processes: a copy of one that runs threads (torch, skia) may hang.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(jpeg, items, chunksize=CHUNK)


def _jpeg(item: Item, size: int) -> bytes:
    file = BytesIO()
    draw(item, size).save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
