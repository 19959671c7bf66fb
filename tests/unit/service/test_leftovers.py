"""What a killed service leaves in the temporary folder is removed by the next one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from service.gunicorn_settings import counting_together
from tests.support.killed_program import printed_by_killed
from vitrine.settings import Settings

SEVERAL = Settings(workers=2)
KILLED = """
import os, signal
from service.gunicorn_settings import counting_together
from vitrine.settings import Settings
with counting_together(Settings(workers=2)):
    print(os.environ["PROMETHEUS_MULTIPROC_DIR"], flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_counters_of_a_killed_service_are_removed_and_those_of_a_running_one_are_not(
    temporary: Path,
):
    left = Path(printed_by_killed(KILLED, temporary))
    assert left.is_dir()
    (temporary / "vitrine-metrics-file").write_bytes(b"no folder")
    with counting_together(SEVERAL):
        assert not left.exists()
        running = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
        with counting_together(SEVERAL):
            assert running.is_dir()
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(running)
        assert running.is_dir()
    assert [path.name for path in temporary.iterdir()] == ["vitrine-metrics-file"]
