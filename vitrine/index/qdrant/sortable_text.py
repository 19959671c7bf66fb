"""Text as numbers in the same order, because Qdrant orders by numbers and times only.

The UTF-8 bytes of a text sort like its code points. Six bytes make a number below 2^53, which a
double holds exactly; the first number orders texts by their first six bytes, the second those that
agree so far, and so on. The last number of a text ends in a zero byte, unless the text is longer
than all of them.
"""

from __future__ import annotations

__all__ = ["WIDTH", "depth", "encode_prefixes", "is_final", "prefix_keys"]

WIDTH = 6
_DEPTHS = {"_id": 8, "_title": 5}


def depth(stem: str) -> int:
    """How many numbers are kept of a text at most."""
    return _DEPTHS[stem]


def encode_prefixes(text: str, count: int) -> list[int]:
    """The numbers of a text, at most `count`, the last one with a zero byte at its end where it
    fits.

    >>> [hex(piece) for piece in encode_prefixes("abcdefg", 8)]
    ['0x616263646566', '0x670000000000']
    """
    data = text.encode()
    length = min(count, len(data) // WIDTH + 1)
    return [
        int.from_bytes(data[i * WIDTH : (i + 1) * WIDTH].ljust(WIDTH, b"\0"), "big")
        for i in range(length)
    ]


def is_final(piece: int) -> bool:
    """Whether this is the last number of its text, and the text is whole."""
    return piece & 0xFF == 0


def prefix_keys(stem: str, text: str) -> dict[str, int]:
    """Payload keys `stem0`, `stem1` ... and their numbers."""
    return {f"{stem}{i}": piece for i, piece in enumerate(encode_prefixes(text, depth(stem)))}
