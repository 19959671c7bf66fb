"""A serving process keeps what it freed."""

from __future__ import annotations

import os
import subprocess
import sys

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
        timeout=60,
        check=True,
        env=given,
    )
    return int(done.stdout)


def test_what_a_search_frees_the_next_one_has_again():
    assert faults() < 1000
    assert faults(MALLOC_TRIM_THRESHOLD_="1000000") > 10_000, "a setting of the environment decides"
