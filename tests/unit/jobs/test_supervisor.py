"""The supervisor behind `vitrine up`, over programs of a few lines, in a process of its own as
it handles signals."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.waiting import DEADLINE_S, until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]

SUPERVISE = """
import logging, sys
import ingest.supervisor as s
logging.basicConfig(level=logging.INFO, stream=sys.stderr)
s._FIRST_WAIT_S = 0.2
programs = [
    s.Program(f"program-{n}", [sys.executable, "-c", code])
    for n, code in enumerate(sys.argv[2:])
]
sys.exit(s.supervise(programs, grace_s=float(sys.argv[1])))
"""
STEADY = "import time; time.sleep(300)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('deaf', flush=True); time.sleep(300)"
)


class Supervisor:
    """A running supervisor."""

    def __init__(self, *programs: str, grace_s: float = 20) -> None:
        command = [sys.executable, "-c", SUPERVISE, str(grace_s), *programs]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def children(self, count: int) -> list[psutil.Process]:
        """The programs, when as many run."""
        supervisor = psutil.Process(self.process.pid)
        until(lambda: len(supervisor.children()) == count, f"{count} programs run")
        return supervisor.children()

    def end(self, with_signal: int | None = None) -> tuple[int, str]:
        """Its exit status and what it logged."""
        if with_signal is not None:
            self.process.send_signal(with_signal)
        _, log = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode, log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_all_programs(number: int):
    supervisor = Supervisor(STEADY, STEADY)
    children = supervisor.children(2)
    status, _ = supervisor.end(number)
    assert status == 0
    assert not any(child.is_running() for child in children)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell programs of it")
def test_programs_end_with_a_supervisor_that_is_killed():
    supervisor = Supervisor(STEADY, STEADY)
    children = supervisor.children(2)
    supervisor.end(signal.SIGKILL)
    _, alive = psutil.wait_procs(children, DEADLINE_S)
    assert not alive


def test_a_program_that_dies_is_started_again_and_the_others_run_on():
    supervisor = Supervisor(STEADY, STEADY)
    first, second = supervisor.children(2)
    first.kill()
    first.wait(DEADLINE_S)
    again = supervisor.children(2)
    assert second.pid in {child.pid for child in again}
    assert first.pid not in {child.pid for child in again}
    status, log = supervisor.end(signal.SIGTERM)
    assert status == 0
    assert "exited with status -9; restarting it" in log


def test_a_program_that_dies_again_and_again_is_given_ever_more_time():
    supervisor = Supervisor("raise SystemExit(1)")
    assert supervisor.process.stderr is not None
    waits = []
    while len(waits) < 4:
        line = supervisor.process.stderr.readline()
        waits += [float(line.split()[-2])] if "restarting it in" in line else []
    assert supervisor.end(signal.SIGTERM)[0] == 0
    assert waits == [0.2, 0.4, 0.8, 1.6]


def test_a_program_that_says_it_cannot_run_ends_all():
    supervisor = Supervisor(STEADY, "raise SystemExit(2)")
    status, log = supervisor.end()
    assert status == 2
    assert "program-1 cannot run" in log


def test_a_program_that_does_not_stop_is_killed_after_the_grace():
    supervisor = Supervisor(STUBBORN, grace_s=0.5)
    (child,) = supervisor.children(1)
    assert supervisor.process.stdout is not None
    assert supervisor.process.stdout.readline() == "deaf\n"
    status, log = supervisor.end(signal.SIGTERM)
    assert status == 0
    assert not child.is_running()
    assert "killing it" in log
