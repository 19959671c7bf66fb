"""Programs that cannot run under their settings end at once, with one sentence and status 2."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from ingest import worker
from ingest.job_commands import programs
from ingest.supervisor import CANNOT_START
from vitrine.cli import main
from vitrine.errors import StorageUnavailable

PATIENCE_S = 240


def ended(program: Callable[[], None], capsys: pytest.CaptureFixture[str]) -> str:
    """What a program says on standard error that ends with status 2 and prints nothing else."""
    with pytest.raises(SystemExit) as end:
        program()
    said = capsys.readouterr()
    assert (end.value.code, said.out) == (2, "")
    return said.err


@pytest.fixture
def blocked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Path:
    """The data folder of the environment, in which nothing can be written; the log stays as it
    is."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("VITRINE_DATA_DIR", str(tmp_path / "file" / "data"))
    monkeypatch.setattr(programs, "configure_logging", lambda _: None)
    monkeypatch.setattr(worker, "configure_logging", lambda _: None)
    return tmp_path / "file" / "data"


def check(said: str, data: Path) -> None:
    (sentence,) = said.strip().splitlines()
    assert sentence.startswith(f"vitrine: VITRINE_DATA_DIR: {data} cannot be written by user ")
    assert "give this user the right" in sentence


@pytest.mark.parametrize(
    "command",
    [("worker",), ("up",), ("ingest", "SOURCE", "--map", "image_folder")],
    ids=["worker", "up", "ingest"],
)
def test_a_data_folder_that_cannot_be_written_is_told_in_one_sentence(
    tmp_path: Path,
    blocked: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: tuple[str, ...],
):
    (tmp_path / "pictures").mkdir()
    arguments = [part.replace("SOURCE", str(tmp_path / "pictures")) for part in command]
    monkeypatch.setattr("sys.argv", ["vitrine", *arguments])
    check(ended(main, capsys), blocked)


def test_the_module_tells_it_as_well(blocked: Path):
    done = subprocess.run(
        [sys.executable, "-m", "ingest.worker"],
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    check(done.stderr, blocked)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("VITRINE_JOB_LEASE_S", "soon", "VITRINE_JOB_LEASE_S: "),
        ("VITRINE_QUEUE_URL", "amqp://host", "must start with sqlite:, redis:// or rediss://"),
    ],
)
def test_a_worker_tells_its_errors_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    value: str,
    said: str,
):
    monkeypatch.setenv(name, value)
    assert said in ended(worker.main, capsys)


def test_a_worker_on_a_full_disk_ends_with_the_status_that_lets_it_be_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def full(**_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def unavailable(_: object) -> NoReturn:
        raise StorageUnavailable("the disk is full")

    monkeypatch.setenv("VITRINE_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    monkeypatch.setattr(worker, "open_store", unavailable)
    monkeypatch.setattr(worker, "configure_logging", lambda _: None)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit) as end:
        worker.main()
    assert end.value.code not in (0, CANNOT_START)
    assert "vitrine: the disk is full" in capsys.readouterr().err


def test_without_its_queue_a_worker_says_so_once_and_stays(tmp_path: Path):
    environment = {
        "VITRINE_DATA_DIR": str(tmp_path),
        "VITRINE_QUEUE_URL": "redis://127.0.0.1:1/0",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "ingest.worker"],
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = "the worker cannot fetch work: the job store in Redis cannot answer now"
    while said not in (line := process.stderr.readline()):
        assert line, "the worker ended"
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(4)  # its threads look again every second
    process.terminate()
    rest = process.communicate(timeout=PATIENCE_S)[1]
    assert process.returncode == 0
    assert said not in rest
    assert "Traceback" not in rest
