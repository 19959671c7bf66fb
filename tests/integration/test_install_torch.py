"""Which build of torch is installed: the choice of deploy/install-torch.sh, with a Python that
only writes down what pip is told."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "deploy" / "install-torch.sh"
PINNED = next(
    line
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if line.startswith("torch==")
)
CPU_INDEX = "https://download.pytorch.org/whl/cpu"

PYTHON = """#!/bin/sh
if [ "$1" = -c ]; then
    case $2 in
        *version*) cat "$STATE/version" 2>/dev/null ;;
        *platlib*) echo "$STATE" ;;
    esac
    exit 0
fi
echo "$*" >> "$STATE/calls"
case "$*" in *"$UNREACHABLE"*) exit 1 ;; esac
echo VERSION+told > "$STATE/version"
""".replace("VERSION", PINNED.partition("==")[2])


@pytest.fixture
def install(tmp_path: Path):
    """Runs the script; gives its result and the calls of pip."""
    state, bin_folder = tmp_path / "state", tmp_path / "bin"
    (state / "torch").mkdir(parents=True)
    bin_folder.mkdir()
    python = tmp_path / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)

    def run(*, card: bool = False, **environment: str):
        if card:
            (bin_folder / "nvidia-smi").write_text("#!/bin/sh\n")
            (bin_folder / "nvidia-smi").chmod(0o755)
        path = f"{bin_folder}:{os.environ['PATH']}"
        variables = {"PATH": path, "STATE": str(state), "UNREACHABLE": "nothing"} | environment
        done = subprocess.run(
            ["sh", str(SCRIPT), str(python)],
            env=variables,
            check=False,
            capture_output=True,
            text=True,
            timeout=240,
        )
        calls = state / "calls"
        return done, calls.read_text().splitlines() if calls.exists() else []

    return run


def test_a_machine_without_a_card_gets_the_build_for_cpus_and_is_told_its_size(install):
    done, calls = install(TORCH="cpu")
    assert done.returncode == 0, done.stderr
    assert len(calls) == 1
    assert f"--index-url {CPU_INDEX}" in calls[0]
    assert calls[0].endswith(PINNED)
    assert "+told: the build for CPUs" in done.stderr
    assert "MB installed" in done.stderr


def test_a_card_is_seen_and_brings_the_default_build(install):
    done, calls = install(card=True)
    assert done.returncode == 0, done.stderr
    assert len(calls) == 1
    assert "--index-url" not in calls[0]
    assert "wanted for: cuda" in done.stderr


def test_an_index_that_cannot_be_reached_is_said_and_the_default_one_serves(install):
    done, calls = install(TORCH="cpu", UNREACHABLE=CPU_INDEX)
    assert done.returncode == 0, done.stderr
    assert len(calls) == 2
    assert "--index-url" not in calls[1]
    assert f"{CPU_INDEX} could not be used" in done.stderr


def test_an_index_that_was_named_is_the_only_one_tried(install):
    done, calls = install(TORCH_INDEX_URL="https://example.org/cu130")
    assert done.returncode == 0, done.stderr
    assert "--index-url https://example.org/cu130" in calls[0]
    failed, calls = install(
        TORCH_INDEX_URL="https://example.org/gone", UNREACHABLE="gone", STATE="/nonexistent"
    )
    assert failed.returncode != 0
    assert len(calls) == 1


def test_what_is_installed_already_stays(install):
    install(TORCH="cpu")
    done, calls = install(TORCH="cuda")
    assert done.returncode == 0
    assert len(calls) == 1
    assert "kept as it is" in done.stderr


def test_an_unknown_build_is_refused(install):
    done, calls = install(TORCH="gpu")
    assert done.returncode == 2
    assert not calls
    assert "TORCH=gpu is unknown; set it to cpu or cuda" in done.stderr
