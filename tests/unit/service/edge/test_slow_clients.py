"""A client that is slow, silent or gone costs a socket and no thread."""

from __future__ import annotations

import socket
import struct

import pytest

from service.edge import connection, workload
from service.edge.connection import GRACE_S, Phase
from tests.support.waiting import until
from tests.unit.service.edge.conftest import Clock, Server, everything

HOST = b"Host: shop\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
WAIT = GET.replace(b"GET /", b"GET /wait")
POST = b"POST / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n"


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def test_silent_clients_and_halves_of_requests_take_no_thread(serve):
    server = serve(threads=1, queue=0)
    halves = [b"", b"G", b"GET / HTTP/1.1\r\n", POST + b"Content-Length: 9\r\n\r\nx"]
    clients = [server.connect() for _ in range(40)]
    for number, client in enumerate(clients):
        client.sendall(halves[number % len(halves)])
    assert status(server.send(GET)) == 200


def after(server: Server, request: bytes, phase: Phase, clock: Clock, seconds: float) -> bytes:
    """What a client gets so many seconds after its connection has come to wait for that."""
    with server.connect() as client:
        client.sendall(request)
        until(lambda: server.phases() == [phase])
        clock.now += seconds
        return everything(client)


def test_a_head_that_does_not_come_is_refused(serve, clock: Clock):
    server = serve(head_timeout_s=3)
    assert status(after(server, b"GET / HTTP/1.1\r\n", Phase.HEAD, clock, 3)) == 408
    assert server.refused == ["slow-head"]


def test_a_client_that_says_nothing_is_left(serve, clock: Clock):
    assert after(serve(head_timeout_s=3), b"", Phase.IDLE, clock, 3) == b""


def test_a_connection_that_idles_is_closed(serve, clock: Clock):
    server = serve(keepalive_s=3)
    with server.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        assert status(client.recv(65_536)) == 200
        until(lambda: server.phases() == [Phase.IDLE])
        clock.now += 3
        assert everything(client) == b""


def test_a_body_that_trickles_is_refused(serve, clock: Clock):
    server = serve(least_rate=1000)
    body = POST + b"Content-Length: 900\r\n\r\nx"
    assert status(after(server, body, Phase.BODY, clock, GRACE_S)) == 408
    assert server.refused == ["slow-body"]


def test_a_body_that_takes_too_long_in_all_is_refused(serve, clock: Clock):
    server = serve(body_timeout_s=GRACE_S / 2)
    body = POST + b"Content-Length: 9\r\n\r\nx"
    assert status(after(server, body, Phase.BODY, clock, GRACE_S / 2)) == 408


def test_a_client_that_does_not_take_its_answer_holds_no_thread(serve):
    server = serve(threads=1, held_bytes=100_000_000)
    with server.connect() as lazy:
        lazy.sendall(GET.replace(b"GET /", b"GET /large"))
        until(lambda: server.edge.workload.unsent_bytes > 0)
        assert status(server.send(GET)) == 200
        assert len(everything(lazy)) > 20_000_000
    until(lambda: server.edge.workload.unsent_bytes == 0)


def test_of_too_many_answers_that_wait_the_oldest_is_given_up(serve):
    server = serve(held_bytes=20_000_000)
    with server.connect() as old, server.connect() as new:
        old.sendall(GET.replace(b"GET /", b"GET /large"))
        until(lambda: server.edge.workload.unsent_bytes > 0)
        new.sendall(GET.replace(b"GET /", b"GET /large"))
        until(lambda: server.edge.connections == 1)
        assert len(everything(new)) > 20_000_000
        assert len(everything(old)) < 20_000_000


def test_an_answer_that_is_never_taken_is_given_up(serve, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connection, "GRACE_S", 0.1)
    server = serve(body_timeout_s=0.2)
    with server.connect() as lazy:
        lazy.sendall(GET.replace(b"GET /", b"GET /large"))
        until(lambda: bool(server.application.calls))
        until(lambda: server.edge.connections == 0)
        assert len(everything(lazy)) < 20_000_000
    assert server.edge.workload.unsent_bytes == 0


def busy(server: Server) -> list:
    """As many requests as there are threads and places in the queue."""
    clients = [server.connect() for _ in range(2)]
    for number, client in enumerate(clients, start=1):
        client.sendall(WAIT)
        until(lambda: server.edge.workload.accepted == number)  # noqa: B023  # called at once
    until(lambda: len(server.application.calls) == 1)
    return clients


def test_one_request_too_many_is_refused_before_its_body_is_read(serve):
    server = serve(threads=1, queue=1)
    clients = busy(server)
    answer = server.send(POST + b"Content-Length: 900000\r\n\r\n")
    assert status(answer) == 503
    assert b"Retry-After: " in answer
    assert status(server.send(GET)) == 503
    server.application.go.set()
    assert [status(everything(client)) for client in clients] == [200, 200]
    assert status(server.send(GET)) == 200


@pytest.mark.parametrize("path", [b"/health/live", b"/health/ready"])
def test_probes_answer_while_everything_is_busy(serve, path: bytes):
    server = serve(threads=1, queue=1)
    busy(server)
    assert status(server.send(GET.replace(b"GET /", b"GET " + path))) == 200
    server.application.go.set()


def test_large_bodies_leave_threads_to_the_others(serve, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(workload, "LARGE_BODY", 1000)
    server = serve(threads=4, queue=10)
    large = POST.replace(b"POST /", b"POST /wait") + b"Content-Length: 1000\r\n\r\n" + b"x" * 1000
    clients = [server.connect() for _ in range(5)]
    for number, client in enumerate(clients, start=1):
        client.sendall(large)
        until(lambda: server.edge.workload.accepted == number)  # noqa: B023  # called at once
    until(lambda: len(server.application.calls) == 2)
    assert status(server.send(GET)) == 200
    assert [call["PATH_INFO"] for call in server.application.calls] == ["/wait", "/wait", "/"]
    server.application.go.set()
    assert [status(everything(client)) for client in clients] == [200] * 5


def test_a_request_that_waited_too_long_is_not_carried_out(serve, clock: Clock):
    server = serve(threads=1, queue=1, queue_timeout_s=3)
    clients = busy(server)
    clock.now += 4
    server.application.go.set()
    assert [status(everything(client)) for client in clients] == [200, 503]
    assert len(server.application.calls) == 1


def reset(client: socket.socket) -> None:
    """End a connection as a machine does that has gone."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def test_a_request_whose_client_has_gone_is_not_carried_out(serve):
    server = serve(threads=1, queue=1)
    first, second = busy(server)
    reset(second)
    until(lambda: server.edge.connections == 1)
    server.application.go.set()
    assert status(everything(first)) == 200
    until(lambda: server.edge.workload.accepted == 0)
    assert len(server.application.calls) == 1


def test_the_application_can_tell_that_its_client_has_gone(serve):
    server = serve(threads=1)
    client = server.connect()
    client.sendall(WAIT)
    until(lambda: bool(server.application.calls))
    reset(client)
    until(lambda: server.edge.connections == 0)
    server.application.go.set()
    until(lambda: server.application.gone == [True])


def test_of_too_many_bodies_the_oldest_gives_way(serve):
    server = serve(held_bytes=1_000_000)
    with server.connect() as old, server.connect() as new:
        for client in (old, new):
            client.sendall(POST + b"Content-Length: 700000\r\n\r\n" + b"x" * 600_000)
            until(lambda: server.edge.workload.held_bytes > 0)
        assert status(everything(old)) == 408
        new.sendall(b"x" * 100_000)
        assert status(everything(new)) == 200
    until(lambda: server.edge.workload.held_bytes == 0)


def test_of_too_many_connections_the_longest_idle_one_is_closed(serve):
    server = serve(connections=3)
    clients = [server.connect() for _ in range(4)]
    assert everything(clients[0]) == b""
    clients[3].sendall(GET)
    assert status(everything(clients[3])) == 200


def test_a_connection_beyond_the_limit_is_told_so(serve):
    server = serve(connections=2)
    clients = [server.connect() for _ in range(2)]
    for client in clients:
        client.sendall(b"G")
    until(lambda: server.phases() == [Phase.HEAD] * 2)
    with server.connect() as late:
        assert status(everything(late)) == 503
