"""The check of the pages' scripts and styles goes on without npm, but never silently."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

CHECK = Path(__file__).parents[3] / ".ci" / "check-pages"


def test_without_npm_the_check_says_that_it_checked_nothing(tmp_path: Path) -> None:
    for tool in ("bash", "dirname"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or f"no {tool}")
    ended = subprocess.run(
        [tmp_path / "bash", CHECK],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ended.returncode == 0
    assert "NOT checked: npm is not installed" in ended.stderr
