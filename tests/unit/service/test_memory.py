"""A serving process keeps what it freed, but for what a large request freed."""

from __future__ import annotations

import os
import subprocess
import sys

from service.memory import FreedMemory

MB = 1_000_000
ROUNDS = """
import resource
from service.memory import keep_freed_memory

keep_freed_memory()

def search():
    return [bytearray(1_000_000) for _ in range(10)]

for _ in range(5):
    search()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    search()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(**environment: str) -> int:
    """Pages that the system had to give again in ten rounds of ten megabytes."""
    given = {
        name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")
    } | environment
    done = subprocess.run(
        [sys.executable, "-c", ROUNDS],
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
        env=given,
    )
    return int(done.stdout)


def test_what_a_search_frees_the_next_one_has_again():
    assert faults() < 1000
    assert faults(MALLOC_TRIM_THRESHOLD_="1000000") > 10_000, "a setting of the environment decides"


class Process:
    """A process whose memory and clock the test sets."""

    def __init__(self) -> None:
        self.in_use = self.needed = 200 * MB
        self.now = 0.0
        self.memory = FreedMemory(
            in_use=lambda: self.in_use, trim=self._trim, clock=lambda: self.now
        )
        self.look(after=60)

    def _trim(self) -> None:
        self.in_use = self.needed

    def look(self, *, after: float, busy: bool = False) -> bool:
        """Whether memory was given back when that time had passed."""
        self.now += after
        due = self.memory.is_due(busy=busy)
        if due:
            self.memory.give_back()
        return due


def test_what_a_large_request_freed_is_given_back_soon():
    process = Process()
    process.in_use = 800 * MB
    assert process.look(after=2.5)
    assert process.in_use == 200 * MB
    assert not process.look(after=60)


def test_what_searches_free_stays():
    process = Process()
    for in_use in (230, 260, 210, 270):
        process.in_use = in_use * MB
        assert not process.look(after=60)


def test_what_is_needed_is_not_asked_for_again_and_again():
    process = Process()
    process.in_use = process.needed = 500 * MB
    assert process.look(after=60)
    assert not process.look(after=60)
    process.needed = process.in_use = 300 * MB
    assert not process.look(after=60)
    process.in_use = 400 * MB
    assert process.look(after=60)


def test_while_requests_are_answered_it_is_done_seldom():
    process = Process()
    process.in_use = 800 * MB
    assert not process.look(after=10, busy=True)
    assert process.look(after=10, busy=True)


def test_what_requests_hold_is_not_taken_for_what_is_needed():
    process = Process()
    process.in_use = process.needed = 800 * MB
    assert process.look(after=20, busy=True)
    process.needed = 200 * MB
    assert process.look(after=5)
    assert process.in_use == 200 * MB


LARGE = """
from service.memory import FreedMemory, _anonymous_bytes, keep_freed_memory

keep_freed_memory()
memory = FreedMemory()
memory.give_back()
before = _anonymous_bytes()
small = [(bytearray(900_000), bytearray(100)) for _ in range(300)]
kept = [pair[1] for pair in small][::10]
del small
freed = _anonymous_bytes()
memory.give_back()
print(freed - before, _anonymous_bytes() - before)
"""


def test_the_system_has_it_back():
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    command = [sys.executable, "-c", LARGE]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=240, check=True, env=clean
    )
    held, left = map(int, done.stdout.split())
    assert left < 30 * MB
    assert held > left
