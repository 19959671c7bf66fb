"""A source read by a process of its own: the same rows, whatever becomes of the process."""

from __future__ import annotations

import errno
import logging
import os
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from ingest.reading.outcomes import RowChunk, RowOutcome, SourceProduct, read_chunks
from ingest.reading.process import ProcessRows, ReaderUnavailable
from tests.support.waiting import until
from tests.unit.ingest.reading.sources import ENDLESS, HostileSource
from tests.unit.ingest.test_decoding import await_end
from tests.unit.test_rooms import HEAVY
from vitrine.errors import InvalidInput

MEMORY_MB = 500

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def never() -> bool:
    return False


def rows_of(source: HostileSource) -> ProcessRows:
    return ProcessRows(source.reading(), memory_mb=MEMORY_MB)


def outcomes(chunks: Iterable[RowChunk]) -> list[RowOutcome]:
    return [outcome for chunk in chunks for outcome in chunk.outcomes]


def readers() -> list[psutil.Process]:
    """The processes that this one has started to read."""
    children = psutil.Process().children()
    return [child for child in children if "ingest.reading.program" in child.cmdline()]


@pytest.mark.slow
def test_a_killed_reader_costs_and_doubles_no_row(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = HostileSource(tmp_path, deed="die", times=1)
    rows = rows_of(source)
    with caplog.at_level(logging.WARNING):
        by_process = outcomes(rows.chunks(never))
    assert source.deaths() == 1
    assert "was ended by SIGKILL; another goes on" in caplog.text
    here = outcomes(read_chunks(HostileSource(tmp_path).reading()))
    assert [outcome.row for outcome in by_process if isinstance(outcome, SourceProduct)] == list(
        range(300)
    )
    assert by_process == here
    assert rows.notes() == ("guessed",)


@pytest.mark.slow
def test_a_reader_that_dies_again_ends_the_reading_with_what_it_came_to(tmp_path: Path) -> None:
    source, taken = HostileSource(tmp_path, deed="die"), list[RowChunk]()
    with pytest.raises(ReaderUnavailable) as told:
        taken.extend(rows_of(source).chunks(never))
    assert source.deaths() == 2
    assert len(outcomes(taken)) == 128, "what was sent before row 200"
    assert "hostile cannot be read on" in str(told.value)
    assert str(told.value).count("was ended by SIGKILL (row 129)") == 2
    assert "VITRINE_READ_MEMORY_MB=500" in str(told.value)
    assert "VITRINE_DECODE_PROCESSES=0" in str(told.value)
    assert readers() == []


@pytest.mark.slow
def test_an_error_there_is_the_error_here(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the row of all rows"):
        outcomes(rows_of(HostileSource(tmp_path, deed="fail")).chunks(never))


@pytest.mark.slow
def test_a_file_that_cannot_be_read_there_is_no_death_of_the_reader(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(OSError, match="Input/output error") as told:
        outcomes(rows_of(HostileSource(tmp_path, deed="lose the disk")).chunks(never))
    assert told.value.errno == errno.EIO
    assert caplog.text == ""


def test_without_processes_the_error_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(ReaderUnavailable, match=r"cannot be started \(.* unavailable\) \(row 1\)"):
        outcomes(rows_of(HostileSource(tmp_path)).chunks(never))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process's memory")
def test_a_source_that_takes_all_memory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"hostile takes more memory than .*_MB=500 allows"):
        outcomes(rows_of(HostileSource(tmp_path, deed="greed")).chunks(never))


@pytest.mark.slow
def test_reading_stops_at_once_when_it_is_told_to_even_where_the_source_hangs(
    tmp_path: Path,
) -> None:
    source, hangs = HostileSource(tmp_path, deed="hang"), list[bool]()

    def when_it_hangs() -> bool:
        hangs.append((tmp_path / "hangs").exists())
        return len(hangs) > 20 and hangs[-1]

    rows = rows_of(source)
    taken = outcomes(rows.chunks(when_it_hangs))
    assert len(taken) <= 192
    assert rows.notes() == ("guessed",), "what is known here"
    assert readers() == []


@pytest.mark.slow
@linux
def test_the_reader_is_ahead_by_no_more_than_the_socket_holds(tmp_path: Path) -> None:
    source = HostileSource(tmp_path, length=ENDLESS, title="thing " * 800)
    with closing(rows_of(source).chunks(never)) as chunks:
        next(chunks)
        (reader,) = readers()

        def stands_still() -> bool:
            before = source.rows_read()
            return reader.status() == psutil.STATUS_SLEEPING and source.rows_read() == before

        until(stands_still, "it waits for room")
        assert source.rows_read() < 1000, "rows of 5 kB"
    await_end([reader.pid])


LONELY = """
import sys
from pathlib import Path
from tests.unit.ingest.reading.sources import HostileSource
from tests.unit.ingest.reading.test_process_rows import never, readers, rows_of

chunks = rows_of(HostileSource(Path(sys.argv[1]), deed="hang")).chunks(never)
next(chunks)
print(*(reader.pid for reader in readers()), flush=True)
sys.stdin.read()
"""


@pytest.mark.slow
@linux
def test_a_reader_ends_with_its_parent_even_where_the_source_hangs(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LONELY, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert len(pids) == 1
        until((tmp_path / "hangs").exists, "the source hangs")
        parent.kill()
    await_end(pids)


def test_a_reader_loads_neither_model_nor_index() -> None:
    told = subprocess.run(
        [sys.executable, "-c", "import sys, ingest.reading.program; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert not set(HEAVY) & {name.partition(".")[0] for name in told}
    assert not [name for name in told if name.startswith("vitrine.index.")]
