"""Which process holds something, and whether it has died."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

from ingest.jobs.processes import ProcessName, this_process

TELL = "from ingest.jobs.processes import this_process; print(this_process(), flush=True); input()"


def test_a_process_is_told_from_one_that_got_its_number_later():
    me = this_process()
    assert ProcessName.parse(str(me)) == me
    assert me.number == os.getpid()
    assert not me.has_died
    assert replace(me, started="1").has_died


def test_a_process_has_died_when_it_was_killed_here_and_never_when_it_runs_elsewhere():
    child = subprocess.Popen(
        [sys.executable, "-c", TELL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    name = ProcessName.parse(child.stdout.readline().strip())
    assert name is not None
    assert not name.has_died
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert name.has_died, "a zombie does no work"
    child.communicate(timeout=60)
    assert name.has_died
    assert not replace(name, host="elsewhere").has_died
    assert not replace(name, namespace="pid:[1]").has_died


def test_other_texts_name_no_process():
    assert ProcessName.parse("ingest 1") is None
    assert ProcessName.parse("host/space/number/1") is None
