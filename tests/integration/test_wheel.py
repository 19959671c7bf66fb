"""What is installed: the programs and what they read, nothing that only makes or measures them."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.docker_context import in_context

ROOT = Path(__file__).parents[2]
INSTALLED = {"vitrine", "ingest", "service", "demo"}
DEV_ONLY = {"cv2", "scipy", "pytest", "hypothesis", "psutil", "playwright", "qdrant_edge", "tests"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    """The wheel of this tree, built as the image's stage does: from what Docker is sent, alone."""
    folder = tmp_path_factory.mktemp("wheel")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    ).stdout.split("\n")
    ignore = (ROOT / ".dockerignore").read_text()
    for name in in_context(ignore, filter(None, listed)):
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
        timeout=400,
    )
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    return ZipFile(path)


def test_nothing_is_in_the_image_but_files_of_the_programs(wheel: ZipFile):
    """What the stages copy is the environment of the declared packages and this wheel."""
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *sorted(INSTALLED)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    ).stdout.splitlines()
    others = {name for name in wheel.namelist() if name not in tracked}
    assert {name.partition("/")[0] for name in others} == {"vitrine-0.1.0.dist-info"}
    assert sum(entry.file_size for entry in wheel.infolist()) < 40_000_000  # the bundled models


STAGE = re.compile(r"^FROM \S+ AS (\S+)\n(.*?)(?=^FROM|\Z)", re.MULTILINE | re.DOTALL)
COPIED = re.compile(r"^(?:COPY|ADD) (.+)$", re.MULTILINE)


def test_the_stages_that_are_run_copy_an_environment_and_nothing_else():
    stages = dict(STAGE.findall((ROOT / "Dockerfile").read_text()))
    copied = {name: COPIED.findall(stages[name]) for name in ("base", "serve", "runtime", "demo")}
    assert copied == {
        "base": [],
        "serve": ["--from=packages-serve /venv /venv"],
        "runtime": ["--from=packages /venv /venv"],
        "demo": [],
    }


def test_the_environments_hold_what_is_declared_and_nothing_of_developers():
    script = [sys.executable, "deploy/requirements.py"]
    table = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for extras in ([], ["models", "catalogues", "evaluation"]):
        printed = subprocess.run(
            [*script, *extras], cwd=ROOT, capture_output=True, text=True, check=True, timeout=240
        ).stdout.split("\n")
        declared = [table["dependencies"], *(table["optional-dependencies"][e] for e in extras)]
        assert sorted(filter(None, printed)) == sorted(line for part in declared for line in part)
    dev = {re.split(r"\W", line)[0] for line in table["optional-dependencies"]["dev"]}
    used = {re.split(r"\W", line)[0] for part in declared for line in part}
    assert {"pytest", "ruff", "mypy"} <= dev
    assert used.isdisjoint({"pytest", "ruff", "mypy", "playwright", "psutil", "hypothesis"})


PRIVATE = (
    *(".env", "settings.env", ".git/config", ".venv/bin/python", "deploy/nginx/tls/key.pem"),
    *("data/secret.key", "vitrine/__pycache__/cli.cpython-311.pyc", "service/static/x.pyc"),
    *("tests/test_x.py", "training/run.py", "benchmarks/run.py", "node_modules/x/index.js"),
    *("id_rsa", "notes.md", "deploy/kubernetes/secret.yaml", "docs/production.md"),
)


def test_docker_is_sent_no_secret_no_data_and_no_tests():
    ignore = (ROOT / ".dockerignore").read_text()
    assert in_context(ignore, PRIVATE) == set()
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=240
    ).stdout.splitlines()
    sent = in_context(ignore, tracked)
    scripts = {f"deploy/{name}" for name in ("install-torch.sh", "requirements.py", "slim.sh")}
    single = {"constraints.txt", "pyproject.toml", "README.md", "LICENSE"} | scripts
    assert {name for name in sent if name.partition("/")[0] not in INSTALLED} == single
    needed = re.findall(r"source=(\S+?),target", (ROOT / "Dockerfile").read_text())
    assert {name for name in needed if not name.startswith("/")} <= sent


@pytest.mark.parametrize(
    ("rules", "through"),
    [
        ("*\n!a\n", {"a/b/c.py", "a/x.pyc"}),
        ("*\n!a\n**/*.pyc\n", {"a/b/c.py"}),
        ("a\n", {"b.md", ".env"}),
        ("# all\n*\n!a\na/b\n!a/b/c.py\n**/x.pyc", {"a/b/c.py"}),
    ],
)
def test_rules_are_read_as_docker_reads_them(rules: str, through: set[str]):
    assert in_context(rules, ["a/b/c.py", "a/x.pyc", "b.md", ".env"]) == through


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
        timeout=240,
    ).stdout.split()
    missing = {
        name for name in listed if Path(name).suffix in suffixes and (ROOT / name).is_file()
    } - set(wheel.namelist())
    assert not missing


def test_every_entry_point_of_the_wheel_is_a_module_in_it(wheel: ZipFile):
    table = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [table["scripts"], *table["entry-points"].values()]
    entries = [entry for group in groups for entry in group.values()]
    files = {name.removesuffix(".py").removesuffix("/__init__") for name in wheel.namelist()}
    assert {entry.split(":")[0].replace(".", "/") for entry in entries} <= files


def test_the_wheel_carries_its_license_and_says_what_it_is(wheel: ZipFile):
    (folder,) = {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
    assert "Apache License" in wheel.read(f"{folder}/licenses/LICENSE").decode()
    metadata = wheel.read(f"{folder}/METADATA").decode()
    for line in ("License-Expression: Apache-2.0", "Requires-Python: >=3.11", "Name: vitrine"):
        assert line in metadata.splitlines()
