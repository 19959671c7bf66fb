"""How much of this process's memory is mapped from files."""

from __future__ import annotations

from pathlib import Path


def mapped_kb() -> int:
    """In KiB, as Linux has it (proc(5))."""
    status = Path("/proc/self/status").read_text("ascii").splitlines()
    kinds = ("RssFile", "RssShmem")  # the latter where the folder is a tmpfs
    return sum(int(line.split()[1]) for line in status if line.startswith(kinds))
