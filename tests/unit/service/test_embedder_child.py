"""The embedder that a service starts for itself is reached by that service alone."""

from __future__ import annotations

import errno
import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from service import serving
from service.embedding import child as child_module
from service.embedding.child import EmbedderChild, embedder_beside
from service.embedding.commands import embedder
from service.embedding.unix_socket import listen_at
from tests.support.killed_program import printed_by_killed
from vitrine.errors import InvalidSettings
from vitrine.settings import Settings
from vitrine.unix_sockets import LONGEST_PATH
from vitrine.wiring import Vitrine

PATIENCE_S = 240
SEVERAL = Settings(workers=2)
KILLED = """
import os, signal
from service.embedding.child import EmbedderChild
from vitrine.settings import Settings
print(EmbedderChild(Settings(workers=2)).named_in(Settings()).embedder_url, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def temporary(socket_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(socket_folder))
    return socket_folder


@contextmanager
def child() -> Iterator[tuple[EmbedderChild, Path]]:
    """One that is not started, and the path of its socket."""
    made = EmbedderChild(SEVERAL)
    try:
        yield made, path_in(made.named_in(SEVERAL).embedder_url)
    finally:
        made.stop()


def path_in(url: str) -> Path:
    assert url.startswith("unix:/")
    return Path(url.removeprefix("unix:"))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_its_own_user_may_open_its_socket_and_nothing_of_it_stays(temporary: Path) -> None:
    before = os.umask(0)
    try:
        with child() as (_, path):
            assert path.is_socket()
            assert (mode(path.parent), mode(path)) == (0o700, 0o600)
            assert path.parent.parent == temporary
    finally:
        os.umask(before)
    assert list(temporary.iterdir()) == []


def test_two_services_do_not_meet() -> None:
    with child() as (one, path), child() as (other, other_path):
        assert path.is_socket()
        assert other_path.is_socket()
        assert path.parent != other_path.parent
        tokens = {each.named_in(SEVERAL).embedder_token.get_secret_value() for each in (one, other)}
        assert len(tokens) == 2


def test_what_a_killed_service_leaves_is_removed_by_the_next(temporary: Path) -> None:
    left = path_in(printed_by_killed(KILLED, temporary))
    assert left.is_socket()
    with child() as (_, path):
        assert path.is_socket()
        assert not left.parent.exists()


def test_where_the_temporary_folder_is_too_deep_the_systems_is_taken(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(temporary)
    room = LONGEST_PATH - len("/vitrine-embedder-12345678/socket")
    for length, parent in ((room, None), (room + 1, Path("/tmp"))):
        deep = temporary / ("x" * (length - len(folder) - 1))
        deep.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(deep))
        with child() as (_, path):
            assert path.is_socket()
            assert path.parent.parent == (parent or deep)


def test_a_temporary_folder_that_takes_no_socket_is_told(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(temporary / "away"))
    with (
        pytest.raises(
            InvalidSettings, match=r"TMPDIR: .*No such file.*or set VITRINE_WORKERS to 1"
        ),
        embedder_beside(Vitrine(SEVERAL)),
    ):
        pass


def test_where_no_socket_can_be_bound_no_folder_stays(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> socket.socket:
        raise OSError(errno.EPERM, f"no socket at {path}")

    monkeypatch.setattr(child_module, "listen_at", refuse)
    with pytest.raises(OSError, match="no socket at"):
        EmbedderChild(SEVERAL)
    assert list(temporary.iterdir()) == []


def test_a_socket_that_nobody_listens_at_any_more_is_replaced(temporary: Path) -> None:
    path = temporary / "embedder.sock"
    listen_at(path).close()
    assert path.is_socket()
    with listen_at(path) as again, socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        again.accept()[0].close()
        assert mode(path) == 0o600


def test_neither_a_socket_in_use_nor_another_file_is_replaced(temporary: Path) -> None:
    path, file = temporary / "embedder.sock", temporary / "notes.txt"
    file.write_text("kept")
    with listen_at(path) as listening:
        with pytest.raises(OSError, match="Address already in use"):
            listen_at(path)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            listening.accept()[0].close()
    with pytest.raises(OSError, match="Address already in use"):
        listen_at(file)
    assert file.read_text() == "kept"


def test_the_command_listens_at_the_path_that_is_given(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(temporary)
    sockets: list[socket.socket] = []
    monkeypatch.setattr(serving, "run", lambda *_, listening: sockets.append(listening))
    answer = CliRunner().invoke(embedder, ["--socket", "own.sock"], catch_exceptions=False)
    assert answer.exit_code == 0
    (listening,) = sockets
    with listening:
        assert Path(listening.getsockname()) == temporary / "own.sock"
        with pytest.raises(InvalidSettings, match=r"--socket: cannot listen at own\.sock .Address"):
            CliRunner().invoke(embedder, ["--socket", "own.sock"], catch_exceptions=False)
    for path, why in (("x" * 108, "too long"), ("away/own.sock", "No such file or directory")):
        with pytest.raises(InvalidSettings, match=f"--socket: cannot listen at {path} .*{why}"):
            CliRunner().invoke(embedder, ["--socket", path], catch_exceptions=False)
