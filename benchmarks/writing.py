"""`python -m benchmarks.writing`: writes products into the live version at a steady rate.

It says when it has begun, ends with its input, and then says how many a second it came to.
"""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from vitrine.index import VectorIndex
from vitrine.index.faiss import open_versions
from vitrine.products import Record
from vitrine.settings import Settings

__all__ = ["main"]

_BATCH = 50
"""Products of one write, as a feed of changes brings them."""
_POOL = 20 * _BATCH
"""Products that are written again and again, each time with another price and another vector."""


def main(data_dir: Path, rate: float) -> None:
    """Upsert `rate` products a second, or as many as the machine does."""
    index = open_versions(Settings(data_dir=data_dir)).live()
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
    main(Path(sys.argv[1]), float(sys.argv[2]))
