"""The structure that must not drift: who may import whom, and which libraries load when."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import vitrine.errors

ROOT = Path(__file__).parents[2]
HEAVY = (
    "torch",
    "transformers",
    "faiss",
    "qdrant_client",
    "onnxruntime",
    "datasets",
    "skia",
    "ray",
)


def _imports(room: str) -> Iterator[tuple[Path, str]]:
    for path in sorted((ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((path, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield path, node.module


@pytest.mark.parametrize(
    ("room", "forbidden"),
    [
        (
            "vitrine",
            {
                *("service", "ingest", "demo", "training", "benchmarks", "tests"),
                *("flask", "gunicorn"),
            },
        ),
        ("ingest", {"service", "demo", "training", "benchmarks", "tests", "flask"}),
        (
            "service",
            {
                *("demo", "training", "benchmarks", "tests"),
                *("torch", "transformers", "faiss", "qdrant_client"),
            },
        ),
        ("demo", {"training", "benchmarks", "tests", "cv2", "scipy"}),
        ("training", {"service", "ingest", "benchmarks", "tests"}),
    ],
)
def test_a_room_imports_only_what_lies_beneath_it(room: str, forbidden: set[str]):
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path, name in _imports(room)
        if name.split(".")[0] in forbidden
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "module", ["vitrine.wiring", "vitrine.cli", "vitrine.commands", "service", "ingest"]
)
def test_no_heavy_library_loads_before_it_is_needed(module: str):
    program = f"import sys, {module}; print(*[m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == []


def test_the_tree_of_exceptions_in_the_docstring_is_the_real_one():
    listed = {
        line.strip("│├└─ ").split()[0]
        for line in (vitrine.errors.__doc__ or "").splitlines()[2:]
        if line.strip()
    }
    assert listed == set(vitrine.errors.__all__) - {"FieldError"}
