"""On your own machine: a shop that ingests, serves and searches looks no name up and leaves no
file outside its data folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.jobs.test_up import COUNT, write_catalogue
from tests.redis_server import free_port
from vitrine.telemetry import OFF

ROOT = Path(__file__).parents[2]
NAMESPACES = ("unshare", "--user", "--map-root-user", "--net", "--mount")
PROGRAM = "tests.integration.private_network"
LISTEN_S = 12
"""ONNX Runtime, when it may, mostly looks its collector up within five seconds of its import."""


@dataclass(frozen=True)
class Observation:
    """What a command printed, the names that were looked up, and the files that it left behind."""

    output: str
    names: list[str]
    files: list[str]


def observe(folder: Path, environment: dict[str, str], *command: str) -> Observation:
    """Run the command with an empty home in a network without a world behind it."""
    home = folder / "home"
    home.mkdir()
    report = folder / "names.txt"
    clean = {name: value for name, value in os.environ.items() if name not in OFF}
    done = subprocess.run(
        [*NAMESPACES, sys.executable, "-m", PROGRAM, str(report), "0", *command],
        cwd=home,
        env=clean
        | {"HOME": str(home), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=1400,
    )
    assert done.returncode == 0, done.stderr
    names = report.read_text().split() if report.exists() else []
    files = sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file())
    return Observation(done.stdout, names, files)


@pytest.mark.timeout(1500)
def test_a_shop_that_ingests_serves_and_searches_tells_nobody(tmp_path: Path, clip_folder: Path):
    catalogue, _, mapping = write_catalogue(tmp_path)
    settings = {
        "VITRINE_DATA_DIR": str(tmp_path / "data"),
        "VITRINE_MODEL": str(clip_folder),
        "VITRINE_RUNTIME": "onnx",
        "VITRINE_DEVICE": "cpu",
    }
    arguments = [catalogue, mapping, str(free_port()), str(LISTEN_S)]
    shop = observe(
        tmp_path, settings, sys.executable, "-m", "tests.integration.small_shop", *arguments
    )
    assert json.loads(shop.output.splitlines()[-1]) == {"products": COUNT}
    assert shop.names == []
    assert shop.files == []


def test_a_program_that_tells_is_seen(tmp_path: Path):
    """The instruments see what they are there to see: without it the test above could not fail."""
    program = (
        "import contextlib, pathlib, socket\n"
        "pathlib.Path.home().joinpath('.cache').mkdir()\n"
        "pathlib.Path.home().joinpath('.cache', 'device').write_text('id')\n"
        "with contextlib.suppress(OSError):\n"
        "    socket.getaddrinfo('events.collector.example', 443)\n"
    )
    talkative = observe(tmp_path, {}, sys.executable, "-c", program)
    assert "events.collector.example" in talkative.names
    assert talkative.files == [".cache/device"]


@pytest.mark.parametrize("variable", sorted(OFF))
def test_what_the_package_switches_off_stays_off_in_the_programs_that_it_starts(
    tmp_path: Path, variable: str
):
    """ONNX Runtime reads its variable at its own import, and only then: which of its processes
    tells, and after how many seconds, is not for a test to wait for."""
    child = f"import os; print(os.environ[{variable!r}])"
    program = f"import vitrine, subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    assert observe(tmp_path, {}, sys.executable, "-c", program).output.strip() == OFF[variable]
