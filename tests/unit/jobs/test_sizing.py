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
    assert len(rows) == 6
    m, indexes, products, spare = Settings.model_fields["qdrant_hnsw_m"].default, 1000, 2000, 1.2
    graph = 4 * (2 * m + m / (m - 1))
    for number, row in enumerate(rows):
        dimension, *cells = int(row[0]), *map(float, row[1:])
        # the second table is of four pictures, in one graph, and a text in another
        vectors, graphs = (1, 1) if number < 3 else (5, 2)
        expected = []
        for small in (0, vectors * dimension, vectors * dimension / 8):
            memory = (small or 4 * vectors * dimension) + graphs * graph + indexes
            disk = 4 * vectors * dimension + small + graphs * graph + indexes + products
            expected += [round(spare * memory / 1000, 1), round(spare * disk / 1000, 1)]
        assert cells == expected


def test_every_setting_that_the_page_names_exists():
    named = set(re.findall(rf"{PREFIX}([A-Z_]+)", TEXT))
    assert named <= {name.upper() for name in Settings.model_fields}
