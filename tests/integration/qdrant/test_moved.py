"""A Qdrant that comes back under another address behind the same name."""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest
import qdrant_client.qdrant_remote

from tests.contract.catalogue import DIMENSION, SCHEMA, make_record
from tests.integration.qdrant.engine import Engine
from tests.integration.qdrant.grpc_server import serve
from tests.integration.qdrant.test_troubles import free_port
from vitrine.errors import IndexUnavailable
from vitrine.index import IndexQuery
from vitrine.index.qdrant import open_versions
from vitrine.settings import Settings

ROOM_S = 25.0
"""Less than gRPC's own 30 seconds between two questions to the name server."""
MOST_MS = 3000.0
"""Within which a server is found under its new address."""
JITTER = 1.2
"""By how much gRPC may draw out a pause between two tries to connect ("GRPC Connection Backoff
Protocol")."""


class NameServer:
    """Answers every question for an IPv4 address with `address`, over UDP on loopback."""

    def __init__(self) -> None:
        self.address = "127.0.0.1"
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with closing(self._socket):
            self._socket.sendto(b"", ("127.0.0.1", self.port))
            self._thread.join(ROOM_S)

    def _serve(self) -> None:
        while True:
            question, client = self._socket.recvfrom(512)
            if not question:
                return
            end = 12  # after the header: the name, label by label, then type and class
            while question[end]:
                end += question[end] + 1
            (kind,) = struct.unpack(">H", question[end + 1 : end + 3])
            record = struct.pack(">HHHIH", 0xC00C, 1, 1, 0, 4) + socket.inet_aton(self.address)
            answer = record if kind == 1 else b""
            header = question[:2] + struct.pack(">HHHHH", 0x8180, 1, bool(answer), 0, 0)
            self._socket.sendto(header + question[12 : end + 5] + answer, client)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    """A name server that gRPC asks, with Vitrine's own options for the rest."""
    with closing(NameServer()) as server:
        get_channel = qdrant_client.qdrant_remote.get_channel

        def channel(host: str, **arguments: Any) -> Any:
            return get_channel(host=f"dns://127.0.0.1:{server.port}/{host}", **arguments)

        monkeypatch.setattr(qdrant_client.qdrant_remote, "get_channel", channel)
        yield server


@pytest.mark.timeout(600)  # a busy machine is slow
def test_a_server_whose_address_changes_is_reached_again_soon(names: NameServer):
    port = free_port()
    with ExitStack() as ended, closing(Engine()) as engine:
        first = ended.enter_context(ExitStack())
        first.enter_context(serve(engine, port=port))
        settings = Settings(qdrant_url="http://qdrant.example:1", qdrant_grpc_port=port)
        versions = ended.enter_context(closing(open_versions(settings)))
        index = versions.create(
            model="m", fingerprint="f", dimension=DIMENSION, schema=SCHEMA, mapping={}
        )
        index.upsert([make_record("one", random.Random(1))])
        names.address = "127.0.0.2"
        first.close()
        with pytest.raises(IndexUnavailable, match="cannot be reached"):
            index.search(IndexQuery())
        ended.enter_context(serve(engine, port=port, host="127.0.0.2"))
        back = time.monotonic()
        while True:
            try:
                assert index.search(IndexQuery()).total == 1
                break
            except IndexUnavailable:
                assert time.monotonic() - back < ROOM_S
                time.sleep(0.05)


def test_the_name_server_and_the_new_address_are_asked_within_three_seconds(
    monkeypatch: pytest.MonkeyPatch,
):
    """The schedule of the test above, which a wall clock cannot tell on a busy machine: at worst a
    question to the name server was just missed, and then a try to connect."""
    made: list[dict[str, float]] = []
    get_channel = qdrant_client.qdrant_remote.get_channel

    def channel(**arguments: Any) -> Any:
        made.append(arguments["options"])
        return get_channel(**arguments)

    monkeypatch.setattr(qdrant_client.qdrant_remote, "get_channel", channel)
    settings = Settings(qdrant_url="http://127.0.0.1:1", qdrant_retries=0)
    with closing(open_versions(settings)) as versions, pytest.raises(IndexUnavailable):
        versions.list()
    assert made
    for options in made:
        asked_every = options["grpc.dns_min_time_between_resolutions_ms"]
        connects_every = JITTER * options["grpc.max_reconnect_backoff_ms"]
        assert asked_every + connects_every <= MOST_MS
