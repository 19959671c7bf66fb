"""How many of the machine's cores this process may use."""

from __future__ import annotations

import os
from functools import cache
from math import ceil
from pathlib import Path
from threading import Semaphore

__all__ = ["core_turns", "physical_cores", "usable_cores"]

_CGROUP = Path("/sys/fs/cgroup/cpu.max")
"""What a container may use: quota and period in microseconds (Linux, Control Group v2)."""
_TOPOLOGY = Path("/sys/devices/system/cpu")
"""Where Linux tells which processors share a core (Documentation/admin-guide/cputopology.rst)."""


def usable_cores() -> int:
    """The cores that scheduler and container leave to this process, at least one."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        cores = os.cpu_count() or 1
    return max(1, min(cores, _quota() or cores))


def physical_cores() -> int:
    """As `usable_cores`, but processors that share a core count as one where the system tells."""
    usable = usable_cores()
    try:
        shared = {
            (_TOPOLOGY / f"cpu{number}" / "topology" / "thread_siblings_list").read_text("ascii")
            for number in os.sched_getaffinity(0)
        }
    except (AttributeError, OSError):  # macOS; a container that hides it
        return usable
    return min(usable, len(shared))


@cache
def core_turns() -> Semaphore:
    """A turn for each core, to be taken for work of 10 to 100 milliseconds that only computes.

    Threads that share a core in smaller slices empty each other's caches: where decoding and
    forward passes have a core for some pictures each, an ingest on two cores takes 2 % less
    processor time. Who holds a turn waits for nothing but memory to decode in, which only others
    that decode hold: so nobody waits for ever.
    """
    return Semaphore(usable_cores())


def _quota() -> int | None:
    try:
        quota, period = _CGROUP.read_text("ascii").split()
        return None if quota == "max" else ceil(int(quota) / int(period))
    except (OSError, ValueError):  # no container, or another kind of one
        return None
