"""The documents point at things that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from service import incoming
from vitrine import filters, recognition
from vitrine.embedding import detection
from vitrine.settings import Settings

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *sorted(ROOT.glob("docs/*.md")),
    ROOT / "training/README.md",
]
ROOMS = (
    "vitrine",
    "ingest",
    "service",
    "demo",
    "training",
    "benchmarks",
    "tests",
    "docs",
    "deploy",
)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_local_link_leads_to_a_file_and_a_heading(document: Path):
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text("utf-8")):
        if target.startswith(("http:", "https:", "mailto:")):
            continue
        name, _, heading = target.partition("#")
        path = (document.parent / name).resolve() if name else document
        assert path.exists(), f"{target} does not exist"
        if heading:
            assert heading in headings(path), f"{target}: there is no such heading"


def headings(path: Path) -> set[str]:
    """The anchors that a Markdown file has."""
    lines = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


def test_every_path_in_the_map_of_the_code_exists():
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    named = {
        path
        for path in re.findall(r"`([\w./-]+/[\w./-]+)`", text)
        if path.split("/")[0] in ROOMS and "NAME" not in path
    }
    assert len(named) > 20
    assert not [path for path in sorted(named) if not (ROOT / path).exists()]


def test_every_name_in_the_map_of_the_code_is_in_the_code():
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    names = set(re.findall(r"`([A-Z][a-z]+[A-Z]\w+|[A-Z_]{5,})`", text))
    code = "\n".join(
        path.read_text("utf-8")
        for room in ("vitrine", "ingest", "service", "tests")
        for path in (ROOT / room).rglob("*.py")
    ) + (ROOT / "docs" / "settings.md").read_text("utf-8")
    assert names
    assert not [name for name in sorted(names) if not re.search(rf"\b{name}\b", code)]


def test_the_limits_that_production_tells_are_those_that_hold():
    text = (ROOT / "docs" / "production.md").read_text("utf-8")
    defaults = re.findall(r"`VITRINE_([A-Z_]+)` \((\d[\d,.]*)", text)
    assert len(defaults) >= 8
    for name, told in defaults:
        default = Settings.model_fields[name.lower()].default
        assert float(told.replace(",", "")) == float(default), name
    table = text[text.index("| part of a request |") : text.index("Measured on two cores")]
    for said in (
        f"{incoming.MAX_VALUES:,} values (admin API: a million)",
        f"{incoming.MAX_DEPTH} levels",
        f"{filters.MAX_VALUES:,} conditions and values, {filters.MAX_CHARACTERS:,} characters, "
        f"{filters.MAX_DEPTH} levels",
        f"the best {detection.MOST_OBJECTS}; with `search` {recognition.MOST_PRODUCTS} products",
    ):
        assert said in table
    assert incoming.MAX_ADMIN_VALUES == 1_000_000
