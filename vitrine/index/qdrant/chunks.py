"""Text as numbers in the same order, because Qdrant orders by numbers and times only.

The UTF-8 bytes of a text sort like its code points. Six bytes make a number below 2^53, exact wherever a double stands
for it; the first number orders texts by their first six bytes, the second those that agree so far, and so on. The last
number of a text ends in a zero byte, unless the text is longer than all of them.
"""

from __future__ import annotations

__all__ = ["WIDTH", "chunks", "depth", "ends", "pieces"]

WIDTH = 6
_DEPTHS = {"_id": 8, "_title": 5}


def depth(stem: str) -> int:
    """How many numbers are kept of a text at most."""
    return _DEPTHS[stem]


def pieces(text: str, count: int) -> list[int]:
    """The numbers of a text, at most `count`, the last one with a zero byte at its end where it fits.

    >>> [hex(piece) for piece in pieces("abcdefg", 8)]
    ['0x616263646566', '0x670000000000']
    """
    data = text.encode()
    wanted = min(count, len(data) // WIDTH + 1)
    return [
        int.from_bytes(data[i * WIDTH : (i + 1) * WIDTH].ljust(WIDTH, b"\0"), "big")
        for i in range(wanted)
    ]


def ends(piece: int) -> bool:
    """Whether this is the last number of its text, and the text is whole."""
    return piece & 0xFF == 0


def chunks(stem: str, text: str) -> dict[str, int]:
    """Payload keys `stem0`, `stem1` ... and their numbers."""
    return {f"{stem}{i}": piece for i, piece in enumerate(pieces(text, depth(stem)))}
