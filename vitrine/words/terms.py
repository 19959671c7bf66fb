"""Terms as numbers, the indices of sparse vectors."""

from __future__ import annotations

from functools import lru_cache
from zlib import crc32

__all__ = ["term_id"]


@lru_cache(maxsize=1 << 15)
def term_id(term: str) -> int:
    """The term's number from 0 to 2³²-1, the same in every process and version: CRC-32 of its
    UTF-8.

    A number needs no table that processes would have to share while a version is written. Two terms
    may get the same number: among n terms n²/2³³ pairs do, about one pair in 100,000 terms, none
    among 10,000 most of the time. Such terms count as one: their frequency is counted by number,
    so both backends weigh them alike, and a search for the one may also find the other.
    """
    return crc32(term.encode("utf-8", "surrogatepass"))
