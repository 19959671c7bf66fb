"""The import graph of our own packages: no circle, nothing points up, and no chain grows too deep.

It is read from the source, so an import inside a function or under TYPE_CHECKING counts, and so
does a module's dotted name as an argument, with which an adapter is loaded when it is needed.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Set
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TypeAlias

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("vitrine", "ingest", "service", "demo")
EMBEDDED_INDEX = "vitrine.index.faiss"
DEEPEST_CHAIN = 8

FLOORS = (
    "vitrine.abandonment",
    "vitrine.cohort",
    "vitrine.cores",
    "vitrine.errors",
    "vitrine.extras",
    "vitrine.unix_sockets",
    "vitrine.folding",
    "vitrine.validation",
    "vitrine.freed_memory",
    "vitrine.products",
    "vitrine.settings",
    "vitrine.logs",
    "vitrine.storage",
    "vitrine.signing",
    "vitrine.fields",
    "vitrine.words",
    "vitrine.understanding",
    "vitrine.relevance",
    "vitrine.filters",
    "vitrine.queries",
    "vitrine.results",
    "vitrine.images",
    "vitrine.damage",
    "vitrine.embedding",
    "vitrine.index",
    "vitrine.index.faiss.columns",
    "vitrine.index.faiss.lru_cache",
    "vitrine.index.faiss.records",
    "vitrine.index.faiss.vectors",
    "vitrine.index.faiss.segment",
    "vitrine.index.faiss.query",
    "vitrine.index.faiss.snapshots",
    "vitrine.index.faiss.reader",
    "vitrine.index.faiss.index",
    "vitrine.index.faiss.versions",
    "vitrine.index.faiss",
    "vitrine.index.qdrant",
    "vitrine",
    "ingest.sources",
    "ingest.database",
    "ingest.failures",
    "ingest.runs",
    "ingest.pictures",
    "ingest.children",
    "ingest.reading",
    "ingest.notices",
    "ingest.catalogue",
    "ingest.jobs",
    "ingest.accepted",
    "ingest.text_vectors",
    "ingest.pipeline",
    "ingest.decoding",
    "ingest.cluster",
    "ingest.tasks",
    "ingest.uploads",
    "ingest.stop_request",
    "ingest.supervisor",
    "ingest.admin",
    "ingest.worker",
    "ingest",
    "service.models",
    "service",
    "demo",
)
"""From the ground up. A module stands on the floor with the longest name that it begins with, and
imports from its own floor and those beneath."""

Graph: TypeAlias = Mapping[str, frozenset[str]]


@cache
def import_graph() -> Graph:
    """Each of our modules and those of ours that it imports."""
    sources = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
    }
    return {
        module: imported_modules(path.read_text("utf-8"), sources.keys()) - {module}
        for module, path in sources.items()
    }


def imported_modules(source: str, modules: Set[str]) -> frozenset[str]:
    imported: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            imported |= {name if name in modules else node.module for name in names}
        elif isinstance(node, ast.Call):
            values = (str(arg.value) for arg in node.args if isinstance(arg, ast.Constant))
            imported |= {value for value in values if "." in value}
    return frozenset(imported & modules)


def floor_of(module: str) -> str:
    return max((f for f in FLOORS if f"{module}.".startswith(f"{f}.")), key=len)


def floor_graph(graph: Graph) -> Graph:
    """Each floor and the other floors that its modules import from."""
    floors: dict[str, set[str]] = {floor: set() for floor in FLOORS}
    for module, imported in graph.items():
        floors[floor_of(module)] |= {floor_of(name) for name in imported}
    return {floor: frozenset(others - {floor}) for floor, others in floors.items()}


def circle(graph: Graph) -> list[str]:
    """The modules of one circle, empty where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def upward(graph: Graph) -> list[str]:
    return [
        f"{module} imports {name}"
        for module, imported in sorted(graph.items())
        for name in sorted(imported)
        if FLOORS.index(floor_of(name)) > FLOORS.index(floor_of(module))
    ]


def deepest_chain(graph: Graph) -> list[str]:
    """The longest way down: each of it imports the next."""
    chains: dict[str, list[str]] = {}
    for name in TopologicalSorter(graph).static_order():
        beneath = [chains[other] for other in graph.get(name, ())]
        chains[name] = [name, *max(beneath, key=len, default=[])]
    return max(chains.values(), key=len)


def test_no_modules_import_each_other_in_a_circle():
    assert circle(import_graph()) == []


def test_nothing_imports_from_a_floor_above_its_own():
    assert upward(import_graph()) == []


def test_the_rooms_of_the_embedded_index_form_no_deep_chain():
    # the package's own __init__ is its front door, not a floor
    rooms = {
        floor: frozenset(name for name in beneath if name.startswith(f"{EMBEDDED_INDEX}."))
        for floor, beneath in floor_graph(import_graph()).items()
        if floor.startswith(f"{EMBEDDED_INDEX}.")
    }
    chain = deepest_chain(rooms)
    assert len(chain) <= DEEPEST_CHAIN, " > ".join(chain)


@pytest.mark.parametrize(
    ("source", "imported"),
    [
        ("import a.b", {"a.b"}),
        ("from a import b, c", {"a", "a.b"}),
        ("def f():\n    from a.b import c", {"a.b"}),
        ("if TYPE_CHECKING:\n    import a.b as b", {"a.b"}),
        ('load("a.b")', {"a.b"}),
        ("import os", set()),
    ],
)
def test_every_kind_of_import_is_seen(source: str, imported: set[str]):
    assert imported_modules(source, {"a", "a.b"}) == imported


def test_circles_upward_imports_and_chains_are_noticed():
    down = {"service.app": frozenset({"vitrine.search"}), "vitrine.search": frozenset[str]()}
    up = down | {"vitrine.search": frozenset({"service.app"})}
    assert (circle(down), upward(down)) == ([], [])
    assert set(circle(up)) == {"service.app", "vitrine.search"}
    assert upward(up) == ["vitrine.search imports service.app"]
    assert deepest_chain(down) == ["service.app", "vitrine.search"]
