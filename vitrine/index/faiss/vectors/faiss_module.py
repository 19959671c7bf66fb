"""The FAISS library, loaded at first use."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["load_faiss"]


def load_faiss() -> Any:
    """The module; of any type, because its stubs lack much of what it has.

    One query cannot be divided among threads, and helper threads that wait for work spin: the
    calling thread works alone.
    """
    module = import_module("faiss")
    module.omp_set_num_threads(1)
    return module
