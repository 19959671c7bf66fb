"""A serving process keeps what it freed, but for what a large request freed."""

from __future__ import annotations

import gc
import io
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from service.memory import FreedMemory
from tests.unit.service.conftest import Shop
from vitrine.freed_memory import collect_cycles_seldom

MB = 1_000_000
ROUNDS = """
import resource
from vitrine.freed_memory import keep_freed_memory

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


@pytest.fixture
def cycles() -> Iterator[list[object]]:
    """What the search for cycles finds until the test ends: it is kept, not freed."""
    thresholds = gc.get_threshold()
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    yield gc.garbage
    gc.set_debug(0)
    gc.garbage.clear()
    gc.set_threshold(*thresholds)


def test_cycles_are_looked_for_after_thousands_of_new_objects(cycles: list[object]):
    collect_cycles_seldom()
    for _ in range(5_000):
        cycle: list[object] = []
        cycle.append(cycle)
    assert cycles == []
    gc.collect()
    assert len(cycles) >= 4_999  # the last one has a name still


@pytest.mark.parametrize(
    "body",
    [b'{"text": "red"}', b'{"text": "red", "filter": {"x": "%s"}}', b'{"text": "%s'],
    ids=["answered", "refused", "broken"],
)
def test_a_request_leaves_next_to_nothing_to_the_search_for_cycles(
    unchanged: Shop, cycles: list[object], body: bytes
):
    sent = body.replace(b"%s", b"x" * 1_000_000)
    gc.disable()
    for _ in range(3):
        environ = {
            "REQUEST_METHOD": "POST", "PATH_INFO": "/v1/search", "REMOTE_ADDR": "127.0.0.1",
            "SERVER_NAME": "shop", "SERVER_PORT": "80", "wsgi.url_scheme": "http",
            "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(sent)),
            "wsgi.input": io.BytesIO(sent), "wsgi.errors": sys.stderr,
        }  # fmt: skip
        b"".join(unchanged.app.wsgi_app(environ, lambda *_: None))
    gc.enable()
    gc.collect()
    assert len(cycles) < 3 * 50
    held = [each for left in cycles for each in gc.get_referents(left)]
    assert not [each for each in held if isinstance(each, str | bytes) and len(each) > 500_000]


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
from service.memory import FreedMemory, _anonymous_bytes
from vitrine.freed_memory import keep_freed_memory

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
