"""Writing 8-bit rows reads the vectors a little at a time."""

from __future__ import annotations

import numpy as np

from tests.mapped_memory import mapped_kb
from vitrine.index.faiss.vectors.build import CODES, write_quantized
from vitrine.index.faiss.vectors.quantized import fitting_scale
from vitrine.storage.array_file import map_array


def test_the_vectors_leave_the_memory_again(tmp_path):
    rows = np.random.default_rng(1).standard_normal((1 << 15, 64), np.float32)  # 8 MB
    rows.tofile(tmp_path / "vectors")
    vectors = map_array(tmp_path / "vectors", np.float32, rows.shape)
    before = mapped_kb()
    write_quantized(tmp_path, CODES, vectors)
    assert mapped_kb() < before + 2048
    np.testing.assert_array_equal(vectors, rows)
    assert mapped_kb() > before + 6000, "reading all of them maps them"


def test_the_scale_is_that_of_all_rows_at_once():
    rows = np.random.default_rng(2).standard_normal((5000, 8), np.float32)
    center = rows.mean(axis=0)
    reach = np.quantile(np.abs(rows - center).max(axis=1), 0.99)
    assert fitting_scale(rows, center) == np.float32(reach / 127)
