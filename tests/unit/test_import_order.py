"""Imports run downwards only: no circle, and nothing beneath reaches for what stands above it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

INGEST = (
    ("ingest.pictures", "ingest.database", "ingest.supervisor", "ingest.notices"),
    ("ingest.jobs", "ingest.accepted", "ingest.text_vectors"),
    ("ingest.sources", "ingest.failures", "ingest.runs"),
    ("ingest.pipeline",),
    ("ingest.decoding",),
    ("ingest.cluster",),
    ("ingest.tasks", "ingest.catalogue"),
    ("ingest.uploads",),
    ("ingest.admin", "ingest.worker"),
    (
        "ingest.commands",
        "ingest.catalogue_commands",
        "ingest.library",
        "ingest.job_commands",
        "ingest.picture_commands",
        "ingest.schedule_commands",
        "ingest.__main__",
    ),
)
"""The floors of ingest, the lowest first; a module imports from its own floor and those beneath."""


def _modules(room: str) -> dict[str, Path]:
    modules = {}
    for path in sorted((ROOT / room).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return modules


def _imported(path: Path, modules: dict[str, Path]) -> Iterator[str]:
    """The room's modules that a file imports, at its head or inside its functions."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module in modules:
            inner = {f"{node.module}.{alias.name}" for alias in node.names} & modules.keys()
            yield from inner or {node.module}


def _graph(room: str) -> dict[str, set[str]]:
    modules = _modules(room)
    return {name: set(_imported(path, modules)) - {name} for name, path in modules.items()}


@pytest.mark.parametrize("room", ["ingest", "service"])
def test_no_module_imports_itself_by_way_of_others(room: str):
    try:
        TopologicalSorter(_graph(room)).prepare()
    except CycleError as error:
        pytest.fail("an import circle: " + " -> ".join(error.args[1]))


def test_nothing_in_ingest_imports_what_stands_above_it():
    graph = _graph("ingest")
    floors = {
        module: floor
        for module in graph
        for floor, names in enumerate(INGEST)
        if module.startswith(names)
    }
    assert graph.keys() - floors.keys() == {"ingest"}, "a module stands on no floor"
    upwards = [
        f"{module} imports {name}"
        for module, names in graph.items()
        for name in names
        if module != "ingest" and floors[name] > floors[module]
    ]
    assert not upwards, "\n".join(upwards)
