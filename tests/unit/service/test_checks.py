"""`vitrine doctor` says when the service could not have its address."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from service.checks import port
from tests.unit.service.conftest import Shop
from vitrine.settings import Settings
from vitrine.wiring import Vitrine


class Quiet(WSGIRequestHandler):
    """Logs nothing."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def served(shop: Shop) -> Iterator[int]:
    """The port at which the service answers."""
    with make_server("127.0.0.1", 0, shop.app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def faults(folder: Path, host: str, number: int) -> list[str]:
    return list(port(Vitrine(Settings(data_dir=folder, host=host, port=number))))


def test_a_free_port_is_in_order(tmp_path: Path):
    assert faults(tmp_path, "127.0.0.1", 0) == []


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_port_that_the_service_itself_has_is_in_order(tmp_path: Path, served: int, host: str):
    assert faults(tmp_path, host, served) == []


def test_a_port_that_another_program_has_is_told(tmp_path: Path):
    def close_at_once(listening: socket.socket) -> None:
        listening.accept()[0].close()

    with socket.create_server(("127.0.0.1", 0)) as other:
        thread = threading.Thread(target=close_at_once, args=(other,))
        thread.start()
        number = other.getsockname()[1]
        (fault,) = faults(tmp_path, "127.0.0.1", number)
        thread.join()
    assert fault == f"port {number} is taken by another program; stop it, or set VITRINE_PORT"


@pytest.mark.parametrize(
    ("host", "remedy"),
    [
        ("192.0.2.1", "correct VITRINE_HOST"),
        ("no such host", "is not an address"),
        ("a..b", "is not an address"),
    ],
)
def test_an_address_that_is_not_this_machines_is_told(tmp_path: Path, host: str, remedy: str):
    (fault,) = faults(tmp_path, host, 8000)
    assert host in fault
    assert remedy in fault
