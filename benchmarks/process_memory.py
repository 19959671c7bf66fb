"""What of this process is in memory, by what it is of."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from vitrine.index.faiss.vectors.build import (
    CODES,
    GRAPH,
    ONE_BIT,
    TEXT_CODES,
)

__all__ = ["ORIGINALS", "OWN", "resident_mb"]

OWN, ORIGINALS = "own", "originals"
_KINDS = {
    "vectors.f32": ORIGINALS,
    "texts.f32": ORIGINALS,
    "columns.bin": "columns",
    GRAPH: "graph",
    **dict.fromkeys((*CODES, *TEXT_CODES), "8-bit rows"),
    **dict.fromkeys(ONE_BIT, "one-bit rows"),
}
"""Of mapped files; those of all other files are of programs and libraries."""
_MAPPING = re.compile(r"^[0-9a-f]+-[0-9a-f]+ +\S+ +\S+ +\S+ +\d+ *(.*)$")


def resident_mb() -> dict[str, float]:
    """Megabytes of this process: its own memory, and what it has mapped of each kind of file."""
    parts, kind = Counter[str](), ""
    for line in Path("/proc/self/smaps").read_text("utf-8").splitlines():
        if mapping := _MAPPING.match(line):
            kind = _KINDS.get(Path(mapping[1]).name, "programs")
            continue
        name, value, *_ = line.split()
        if name == "Rss:":
            parts[kind] += int(value)
        elif name == "Anonymous:":
            parts[OWN] += int(value)
            parts[kind] -= int(value)
    return {kind: kilobytes * 1024 / 1e6 for kind, kilobytes in parts.items()}
