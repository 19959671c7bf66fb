"""Programs that cannot run under their settings end at once, with one sentence and status 2."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

VITRINE = ("-c", "from vitrine.cli import main; main()")


@pytest.mark.parametrize(
    "command",
    [
        (*VITRINE, "worker"),
        (*VITRINE, "up"),
        (*VITRINE, "ingest", "SOURCE", "--map", "image_folder"),
        ("-m", "ingest.worker"),
    ],
    ids=["worker", "up", "ingest", "module"],
)
def test_a_data_folder_that_cannot_be_written_is_told_in_one_sentence(
    tmp_path: Path, command: tuple[str, ...]
):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "file").touch()
    arguments = [part.replace("SOURCE", str(tmp_path / "pictures")) for part in command]
    data = tmp_path / "file" / "data"
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "VITRINE_DATA_DIR": str(data)},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    (sentence,) = done.stderr.strip().splitlines()
    assert sentence.startswith(f"vitrine: VITRINE_DATA_DIR: {data} cannot be written by user ")
    assert "give this user the right" in sentence


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("VITRINE_JOB_LEASE_S", "soon", "VITRINE_JOB_LEASE_S: "),
        ("VITRINE_QUEUE_URL", "amqp://host", "must start with sqlite:, redis:// or rediss://"),
    ],
)
def test_a_worker_tells_its_errors_in_a_sentence(tmp_path: Path, name: str, value: str, said: str):
    done = subprocess.run(
        [sys.executable, "-m", "ingest.worker"],
        env={**os.environ, "VITRINE_DATA_DIR": str(tmp_path), name: value},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_without_its_queue_a_worker_says_so_once_and_stays(tmp_path: Path):
    environment = {
        "VITRINE_DATA_DIR": str(tmp_path),
        "VITRINE_QUEUE_URL": "redis://127.0.0.1:1/0",
    }
    worker = subprocess.Popen(
        [sys.executable, "-m", "ingest.worker"],
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert worker.stderr is not None
    said = "the worker cannot fetch work: the job store in Redis cannot answer now"
    while said not in (line := worker.stderr.readline()):
        assert line, "the worker ended"
    with pytest.raises(subprocess.TimeoutExpired):
        worker.wait(4)  # its threads look again every second
    worker.terminate()
    rest = worker.communicate(timeout=90)[1]
    assert worker.returncode == 0
    assert said not in rest
    assert "Traceback" not in rest
