"""Memory does not grow with the catalogue."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.unit.ingest.catalogue import picture

ROOT = Path(__file__).parents[2]
ALLOWED_MB = 200
PICTURE_BYTES = 60_000
MAPPING = '[product]\nid = "id"\ntitle = "name"\nimage = "image"\n'


def write(path: Path, count: int) -> None:
    """Products whose pictures differ and together are larger than the memory that may be added."""
    rng = np.random.default_rng(1)
    base = picture("red")
    schema = pa.schema([("id", pa.string()), ("name", pa.string()), ("image", pa.binary())])
    with pq.ParquetWriter(path, schema) as file:
        for start in range(0, count, 100):
            rows = [
                {"id": f"p{n}", "name": f"thing {n}", "image": base + rng.bytes(PICTURE_BYTES)}
                for n in range(start, start + 100)
            ]
            file.write_table(pa.Table.from_pylist(rows, schema=schema))


def ingest(folder: Path, count: int) -> dict[str, Any]:
    """The summary of a process that ingests `count` products."""
    folder.mkdir()
    write(folder / "products.parquet", count)
    (folder / "shop.toml").write_text(MAPPING)
    arguments = [
        str(folder / "products.parquet"),
        str(folder / "shop.toml"),
        str(folder / "data"),
        "0",
    ]
    command = [sys.executable, "-m", "tests.integration.ingest_process", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, timeout=500, check=True
    )
    summary: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return summary


@pytest.mark.timeout(900)
def test_ten_times_the_products_take_at_most_200_mb_more(tmp_path: Path) -> None:
    few, many = ingest(tmp_path / "few", 500), ingest(tmp_path / "many", 5000)
    assert (few["done"], many["done"]) == (500, 5000)
    print(
        f"peak memory: {few['peak_mb']:.0f} MB for 500 products, {many['peak_mb']:.0f} MB for 5,000"
    )
    assert 4500 * PICTURE_BYTES / 2**20 > ALLOWED_MB, "keeping the pictures would show"
    assert many["peak_mb"] - few["peak_mb"] <= ALLOWED_MB
