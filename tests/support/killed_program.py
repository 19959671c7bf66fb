"""A program that ends by kill -9, and what it has printed until then."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

__all__ = ["printed_by_killed"]

_PATIENCE_S = 240.0


def printed_by_killed(program: str, temporary: Path) -> str:
    """What the program prints, whose temporary folder this is, before it kills itself."""
    killed = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        env={**os.environ, "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
    )
    return killed.stdout.strip()
