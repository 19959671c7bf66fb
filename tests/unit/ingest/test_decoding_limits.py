"""Decoding processes without room, without descriptors, or that hang: an error in words, and
nothing left open."""

from __future__ import annotations

import errno
import gc
import logging
import os
import resource
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ingest.children import process
from ingest.children.process import ChildDied
from ingest.decoding import block
from ingest.decoding import process as decoder
from ingest.decoding.process import DecoderProcess, DecoderUnavailable
from ingest.pictures.naming import Picture
from ingest.pipeline.picture_work import PictureTask
from tests.unit.ingest.catalogue import picture
from tests.unit.ingest.test_decoding import DEADLY, Workshop, await_end, refusals

BYTES = 100_000


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """As on a full disk, the system refuses to make any file longer, one in memory included."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def descriptors() -> set[str]:
    """What this process has open."""
    gc.collect()
    return set(os.listdir("/dev/fd"))


@pytest.fixture(params=["memory", "temporary file"])
def kind_of_file(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Memory with a descriptor where the system has that; else a temporary file."""
    if request.param == "temporary file":
        monkeypatch.delattr(os, "memfd_create", raising=False)
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.mark.usefixtures("kind_of_file")
def test_all_of_a_block_is_taken_before_anybody_writes_into_it() -> None:
    """A write into a mapped hole that cannot be filled would be SIGBUS."""
    descriptor = block.unnamed_file(BYTES)
    status = os.fstat(descriptor)
    os.close(descriptor)
    assert (status.st_size, status.st_blocks * 512 >= BYTES) == (BYTES, True)


@pytest.mark.usefixtures("kind_of_file")
def test_a_block_without_room_is_an_error_and_leaves_nothing_open() -> None:
    before = descriptors()
    with files_of_at_most(BYTES // 2), pytest.raises(OSError, match="File too large"):
        block.unnamed_file(BYTES)
    assert descriptors() == before


def test_without_room_the_error_names_the_setting_and_nothing_stays_open(tmp_path: Path) -> None:
    before = descriptors()
    shop = Workshop(tmp_path)
    with (
        files_of_at_most(1000),
        pytest.raises(DecoderUnavailable, match=r"File too large.*VITRINE_DECODE_PROCESSES"),
    ):
        shop.outcomes(picture("red"))
    assert shop.work.pids == []
    shop.work.close()
    assert descriptors() == before


def test_without_descriptors_the_error_names_the_setting_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, "memfd_create", refuse, raising=False)
    with pytest.raises(DecoderUnavailable, match=r"Too many open.*VITRINE_DECODE_PROCESSES"):
        Workshop(tmp_path)


@pytest.mark.slow
def test_deaths_and_the_end_of_a_work_leave_nothing_open(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)  # a kept warning would hold its error, and that the block
    before = descriptors()
    shop = Workshop(tmp_path, processes=2)
    for _ in range(2):
        assert refusals(shop.outcomes(picture("red"), picture("blue", size=DEADLY))) == [
            "",
            "ended_decoder",
        ]
    assert refusals(shop.outcomes(picture("red"))) == [""]
    (pid,) = shop.work.pids
    os.kill(pid, signal.SIGKILL)
    assert refusals(shop.outcomes(picture("red"))) == [""]
    pids = shop.work.pids
    shop.work.close()
    await_end(pids)
    del shop
    assert descriptors() == before


@pytest.fixture
def halted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DecoderProcess]:
    """A decoding process that has answered once and does nothing more."""
    monkeypatch.setattr(process, "_MESSAGE_S", 0.25)
    shop = Workshop(tmp_path)
    decoder = shop.work._processes[0]
    decoder.outcomes([PictureTask(Picture(data=picture("red")))])
    assert decoder.pid is not None
    os.kill(decoder.pid, signal.SIGSTOP)
    yield decoder
    shop.work.close()


@pytest.mark.slow
def test_a_process_that_takes_nothing_more_is_ended(halted: DecoderProcess) -> None:
    """However much it is sent: more than the system keeps for it."""
    pid = halted.pid
    with pytest.raises(ChildDied, match=r"did not answer within 0\.25 seconds"):
        halted.outcomes([PictureTask(Picture(data=bytes(4_000_000)))])
    assert halted.pid is None
    await_end([pid or 0])


@pytest.mark.slow
def test_a_process_that_gives_no_answer_is_ended(
    halted: DecoderProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = halted.pid
    monkeypatch.setattr(decoder, "_PATIENCE_S", 0.25)
    with pytest.raises(ChildDied, match=r"did not answer within 0\.25 seconds"):
        halted.outcomes([PictureTask(Picture(data=picture("red")))])
    assert halted.pid is None
    await_end([pid or 0])


def test_half_a_message_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_MESSAGE_S", 0.25)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process._limit_waits(ours)
        theirs.send(b"\0\0")
        assert ours.recv(2) == b"\0\0"
        with pytest.raises(BlockingIOError):
            ours.recv(2)


@pytest.mark.slow
def test_ctrl_c_reaches_the_process_that_has_the_model_alone(tmp_path: Path) -> None:
    shop = Workshop(tmp_path)
    assert refusals(shop.outcomes(picture("red"))) == [""]
    (pid,) = shop.work.pids
    assert os.getpgid(pid) != os.getpgid(0)
    shop.work.close()
