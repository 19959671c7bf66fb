"""What is installed: the programs and what they read, nothing that only makes or measures them."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
INSTALLED = {"vitrine", "ingest", "service", "demo"}
DEV_ONLY = {"cv2", "scipy", "pytest", "hypothesis", "psutil", "playwright", "qdrant_edge", "tests"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    """The wheel of this tree, built from a copy so that no build folder of an earlier run lends
    it files."""
    folder = tmp_path_factory.mktemp("wheel")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.split("\n")
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            (folder / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / "tree" / name)
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(folder)]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", *options, str(folder / "tree")],
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    return ZipFile(path)


def test_the_wheel_installs_the_programs_and_nothing_that_trains_measures_or_tests(wheel: ZipFile):
    top = {name.split("/")[0] for name in wheel.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == INSTALLED
    assert not [name for name in wheel.namelist() if "training" in name or "words.toml" in name]


def test_no_installed_module_imports_what_only_developers_install(wheel: ZipFile):
    imported = {
        name
        for path in wheel.namelist()
        if path.endswith(".py")
        for node in ast.walk(ast.parse(wheel.read(path)))
        for name in imported_names(node)
    }
    assert imported.isdisjoint(DEV_ONLY | {"training", "benchmarks"})


def imported_names(node: ast.AST) -> list[str]:
    """Top-level names that an import statement loads."""
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module.split(".")[0]]
    return []


def test_the_wheel_holds_every_file_that_the_programs_read(wheel: ZipFile):
    suffixes = {".toml", ".html", ".css", ".js", ".svg", ".json", ".safetensors", ".py"}
    listed = subprocess.run(
        ["git", "ls-files", *sorted(INSTALLED)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.split()
    missing = {
        name for name in listed if Path(name).suffix in suffixes and (ROOT / name).is_file()
    } - set(wheel.namelist())
    assert not missing


def test_every_command_of_the_wheel_is_a_module_in_it(wheel: ZipFile):
    table = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    entries = [*table["entry-points"]["vitrine.commands"].values(), *table["scripts"].values()]
    modules = {entry.split(":")[0].replace(".", "/") + ".py" for entry in entries}
    assert modules <= set(wheel.namelist())


def test_the_wheel_carries_its_license_and_says_what_it_is(wheel: ZipFile):
    (folder,) = {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
    assert "Apache License" in wheel.read(f"{folder}/licenses/LICENSE").decode()
    metadata = wheel.read(f"{folder}/METADATA").decode()
    for line in ("License-Expression: Apache-2.0", "Requires-Python: >=3.11", "Name: vitrine"):
        assert line in metadata.splitlines()
