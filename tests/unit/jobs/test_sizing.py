"""The sizing table of docs/production.md is what its own formulae give."""

from __future__ import annotations

import re
from pathlib import Path

from vitrine.settings import PREFIX, Settings

TEXT = (Path(__file__).parents[3] / "docs" / "production.md").read_text("utf-8")
ROW = re.compile(
    r"^\| (\d+) \| [^|]+ \| ([\d.]+) / ([\d.]+) \| ([\d.]+) / ([\d.]+) \| ([\d.]+) / ([\d.]+) \|$",
    re.MULTILINE,
)


def test_the_sizing_table_follows_from_its_formulae():
    rows = ROW.findall(TEXT)
    assert len(rows) == 3
    m, indexes, products, spare = Settings.model_fields["qdrant_hnsw_m"].default, 1000, 2000, 1.2
    graph = 4 * (2 * m + m / (m - 1))
    for dimension, *cells in ((int(row[0]), *map(float, row[1:])) for row in rows):
        expected = []
        for small in (0, dimension, dimension / 8):
            memory = (small or 4 * dimension) + graph + indexes
            disk = 4 * dimension + small + graph + indexes + products
            expected += [round(spare * memory / 1000, 1), round(spare * disk / 1000, 1)]
        assert cells == expected


def test_every_setting_that_the_page_names_exists():
    named = set(re.findall(rf"{PREFIX}([A-Z_]+)", TEXT))
    assert named <= {name.upper() for name in Settings.model_fields}
