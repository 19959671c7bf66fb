"""What a signal's handler asks of the main thread, in a process that is interrupted everywhere."""

from __future__ import annotations

import subprocess
import sys
from time import monotonic

from ingest.stop_request import StopRequest
from tests.support.waiting import DEADLINE_S

INTERRUPTED = """
import signal
from ingest.stop_request import StopRequest

signals, request = 0, StopRequest()

def ask(*_):
    global signals
    signals += 1
    request.set()
    if signals < 500:
        signal.setitimer(signal.ITIMER_REAL, 0.001)

signal.signal(signal.SIGALRM, ask)
signal.setitimer(signal.ITIMER_REAL, 0.001)
while signals < 500:
    request._is_set = False  # so that it is awaited again and again
    request.wait(1e-5)
print(signals)
"""


def test_asking_while_it_is_awaited_never_hangs():
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=True,
    )
    assert done.stdout == "500\n"


def test_it_is_awaited_for_so_long_at_most_and_not_once_it_was_asked_for():
    request = StopRequest()
    assert not request.wait(0.001)
    assert not request.is_set()
    request.set()
    began = monotonic()
    assert request.wait(DEADLINE_S)
    assert request.wait(DEADLINE_S)
    assert monotonic() - began < DEADLINE_S
    assert request.is_set()
