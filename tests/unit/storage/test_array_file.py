"""Arrays in a file: written in parts, and out of memory again when they have been read."""

from __future__ import annotations

import numpy as np

from tests.mapped_memory import mapped_kb
from vitrine.storage import array_file
from vitrine.storage.array_file import ArrayInParts, forget_pages, map_arrays, write_arrays


def test_arrays_in_parts_are_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(array_file, "_AT_ONCE", 3)
    numbers = np.arange(8, dtype=np.int32)
    parts = ArrayInParts(numbers.dtype, 8, iter((numbers[:5], numbers[5:5], numbers[5:])))
    arrays = {"one": numbers, "table": numbers.reshape(4, 2), "parts": parts, "none": numbers[:0]}
    write_arrays(tmp_path / "arrays", arrays.items())
    read = map_arrays(tmp_path / "arrays")
    assert list(read) == list(arrays)
    for name, array in arrays.items():
        expected = numbers if isinstance(array, ArrayInParts) else array
        np.testing.assert_array_equal(read[name], expected, name)
        assert read[name].dtype == np.int32


def test_what_was_mapped_for_writing_leaves_the_memory(tmp_path):
    numbers = np.arange(1 << 21)  # 16 MB
    write_arrays(tmp_path / "first", [("numbers", numbers)])
    mapped = map_arrays(tmp_path / "first")["numbers"]
    before = mapped_kb()
    write_arrays(tmp_path / "second", [("numbers", mapped)])
    assert mapped_kb() < before + 4096
    assert int(mapped.sum()) == int(numbers.sum())
    assert mapped_kb() > before + 12_000, "reading it maps it again"
    forget_pages(mapped[: 1 << 20])
    assert mapped_kb() < before + 12_000
    np.testing.assert_array_equal(mapped[:5], numbers[:5])


def test_only_what_is_mapped_to_be_read_is_forgotten(tmp_path):
    own = np.arange(1 << 13)
    own.setflags(write=False)
    forget_pages(own)
    own.tofile(tmp_path / "own")
    changed = np.memmap(tmp_path / "own", own.dtype, mode="c")
    changed[:] = 7
    forget_pages(changed)
    assert (changed == 7).all()
