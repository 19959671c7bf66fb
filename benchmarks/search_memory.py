"""The memory of a process that searches, mapped files included."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.process_memory import ORIGINALS, OWN, resident_mb
from benchmarks.recall import LIMIT
from benchmarks.report import Figure, Report
from benchmarks.vectors import SELECTIVITIES, share_filter
from vitrine.freed_memory import keep_freed_memory
from vitrine.index import IndexQuery
from vitrine.index.faiss import open_versions
from vitrine.settings import Settings

__all__ = ["add_memory"]


def add_memory(
    report: Report, name: str, folder: Path, query_rows: NDArray[np.float32], vectors_mb: float
) -> float:
    """Add the resident megabytes, mapped files included, of a process that has searched at every
    selectivity, give them, and add what of them is beside the mapped originals."""
    program = (
        "import json,sys,numpy;from pathlib import Path\n"
        "from benchmarks.search_memory import searched_mb\n"
        "print(json.dumps(searched_mb(Path(sys.argv[1]),numpy.load(sys.argv[2]))))"
    )
    np.save(folder / "query_rows.npy", query_rows)
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder), str(folder / "query_rows.npy")],
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    parts: dict[str, float] = json.loads(done.stdout)
    used, allowed = sum(parts.values()), 4000 if vectors_mb > 2000 else 1.3 * vectors_mb + 150
    what, beside = f"{name}: memory of a process that searches", {"vectors": vectors_mb}
    report.add(Figure(what, used, "MB", f"<= {allowed:.0f}", used <= allowed, beside))
    _add_beside_originals(report, name, parts, vectors_mb)
    return used


def _add_beside_originals(
    report: Report, name: str, parts: dict[str, float], vectors_mb: float
) -> None:
    """What a million vectors may take beside their originals has a target."""
    others = sum(parts.values()) - parts[ORIGINALS]
    mapped = {kind: mb for kind, mb in parts.items() if kind not in (OWN, ORIGINALS)}
    beside = {
        OWN: parts[OWN],
        "of mapped files": sum(mapped.values()),
        **dict(sorted(mapped.items(), key=lambda part: -part[1])),
    }
    what = f"{name}: that beside the mapped originals"
    if vectors_mb > 2000:
        report.add(Figure(what, others, "MB", "<= 1000", others <= 1000, beside))
    else:
        report.add(Figure(what, others, "MB", beside=beside))


def searched_mb(folder: Path, query_rows: NDArray[np.float32]) -> dict[str, float]:
    """Search the live version of the folder for a page at every selectivity, with facets and
    without, as a serving process would; this process's resident MB by what they are of."""
    keep_freed_memory()
    index = open_versions(Settings(data_dir=folder)).live()
    for share in SELECTIVITIES.values():
        for query in query_rows:
            for facets in ((), ("color", "price")):
                index.search(
                    IndexQuery(
                        vector=query,
                        filter=share_filter(share),
                        candidates=1000,
                        limit=LIMIT,
                        facets=facets,
                    )
                )
    parts = resident_mb()
    index.close()
    return parts
