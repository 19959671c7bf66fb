"""Products that another process writes at a steady rate while something else is measured.

`python -m benchmarks.writing SETTINGS VERSION RATE` is that process. It says when it has begun,
ends with its input, and then says how many a second it came to.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.report import Figure, Report, median, percentile
from vitrine.index import VectorIndex
from vitrine.products import Record
from vitrine.settings import Settings
from vitrine.wiring import Vitrine

__all__ = ["Writer", "add_beside_writes", "main", "writing"]

_UPSERTS = 500
"""Products a second that are written."""
_BATCH = 50
"""Products of one write, as a feed of changes brings them."""
_POOL = 20 * _BATCH
"""Products that are written again and again, each time with another price and another vector."""
_SHARED = {
    *("backend", "data_dir", "qdrant_url", "qdrant_grpc_port", "qdrant_prefix"),
    *("qdrant_timeout_s", "qdrant_write_timeout_s"),
}
"""Settings that the writer is given; it reads keys from its environment."""
_END_S = 60


@dataclass
class Writer:
    """How many products a second were written; known once it has ended."""

    rate: float = 0.0


@contextmanager
def writing(settings: Settings, version: str) -> Iterator[Writer]:
    """Have another process write into a version until the block ends."""
    shared = settings.model_dump_json(include=_SHARED)
    command = [sys.executable, "-m", "benchmarks.writing", shared, version, str(_UPSERTS)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            if process.stdout is None or not process.stdout.readline():
                raise SystemExit(f"no products can be written into {version}")
            writer = Writer()
            yield writer
            said, _ = process.communicate(timeout=_END_S)
            writer.rate = float(said)
        finally:
            process.kill()


def add_beside_writes(
    report: Report,
    name: str,
    quiet: Sequence[float],
    busy: Sequence[float],
    writer: Writer,
    *,
    judged: bool = True,
) -> None:
    """Add how many times longer the slowest hundredth takes; `quiet` and `busy` are seconds."""
    before, after = (percentile(seconds, 0.99) * 1e3 for seconds in (quiet, busy))
    beside = {
        "quiet p50 ms": median(quiet) * 1e3,
        "p50 beside writes ms": median(busy) * 1e3,
        "quiet p99 ms": before,
        "p99 beside writes ms": after,
        "upserts/s": writer.rate,
    }
    target, met = ("<= 2", after <= 2 * before) if judged else ("", None)
    what = f"{name} beside {_UPSERTS} upserts/s: p99 against a quiet one"
    report.add(Figure(what, after / before, "x", target, met, beside))


def main(settings: Settings, version: str, rate: float) -> None:
    """Upsert `rate` products a second, or as many as the machine does."""
    index = Vitrine(settings).versions.open(version)
    told_to_stop = threading.Event()

    def wait_for_end() -> None:
        sys.stdin.read()
        told_to_stop.set()

    threading.Thread(target=wait_for_end, daemon=True).start()
    records = _pool(index)
    rng = np.random.default_rng(23)
    began, written = time.monotonic(), 0
    while not told_to_stop.wait(max(0.0, began + written / rate - time.monotonic())):
        at = written % _POOL
        index.upsert([_changed(record, rng) for record in records[at : at + _BATCH]])
        written += _BATCH
        if written == _BATCH:
            print("writing", flush=True)
    print(written / (time.monotonic() - began))


def _pool(index: VectorIndex) -> list[Record]:
    records: list[Record] = []
    for batch in index.scan(batch=_BATCH):
        records += batch
        if len(records) >= _POOL:
            break
    return records[:_POOL]


def _changed(record: Record, rng: np.random.Generator) -> Record:
    noise = rng.standard_normal(record.vectors.shape).astype(np.float32)
    vectors = record.vectors + 0.1 * noise / np.linalg.norm(noise, axis=1, keepdims=True)
    price = round(float(rng.uniform(1, 500)), 2)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return replace(record, product=replace(record.product, price=price), vectors=unit)


if __name__ == "__main__":
    main(Settings(**json.loads(sys.argv[1])), sys.argv[2], float(sys.argv[3]))
