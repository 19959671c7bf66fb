"""Whole requests are answered as RFC 9112 says.

What is no request never reaches the application.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from tests.unit.service.edge.conftest import PATIENCE_S, everything

HOST = b"Host: shop\r\n"
CLOSE = HOST + b"Connection: close\r\n"
CHUNKED = b"POST / HTTP/1.1\r\n" + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n"


def body(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def test_a_body_with_a_length_arrives_whole(serve):
    answer = serve().send(b"POST /a HTTP/1.1\r\n" + CLOSE + b"Content-Length: 5\r\n\r\nhello")
    assert (status(answer), body(answer)) == (200, b"hello")


def test_a_chunked_body_arrives_whole_and_with_its_length(serve):
    server = serve()
    assert body(server.send(CHUNKED + b"3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n")) == b"hello"
    assert server.application.calls[0]["CONTENT_LENGTH"] == "5"


def test_requests_follow_each_other_on_one_connection(serve):
    server = serve()
    with server.connect() as client:
        for word in (b"one", b"two"):
            client.sendall(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\n" + word)
            assert client.recv(65_536).endswith(word)


def test_requests_sent_ahead_are_answered_in_order(serve):
    one = b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\none"
    two = b"POST / HTTP/1.1\r\n" + CLOSE + b"Content-Length: 3\r\n\r\ntwo"
    answers = serve().send(one + two)
    assert answers.index(b"one") < answers.index(b"two")


def test_an_old_client_gets_its_answer_and_the_end_of_the_connection(serve):
    assert status(serve().send(b"GET / HTTP/1.0\r\n\r\n")) == 200


def test_a_client_that_has_ended_its_side_still_gets_its_answer(serve):
    server = serve()
    with server.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        client.shutdown(1)
        assert status(everything(client)) == 200


def test_head_brings_no_body(serve):
    answer = serve().send(b"HEAD /large HTTP/1.1\r\n" + CLOSE + b"\r\n")
    assert (status(answer), body(answer)) == (200, b"")


def test_a_client_that_waits_for_100_is_told_to_go_on(serve):
    with serve().connect() as client:
        fields = CLOSE + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        client.sendall(b"POST / HTTP/1.1\r\n" + fields)
        assert client.recv(65_536).startswith(b"HTTP/1.1 100 ")
        client.sendall(b"ok")
        assert body(everything(client)) == b"ok"


def test_fields_that_a_proxy_cannot_tell_apart_are_left_out(serve):
    server = serve()
    server.send(
        b"GET /x HTTP/1.1\r\n" + CLOSE + b"X_Real: 1\r\nX-Two: 2\r\nSCRIPT_NAME: /x\r\n\r\n"
    )
    environ = server.application.calls[0]
    assert "HTTP_X_REAL" not in environ
    assert (environ["HTTP_X_TWO"], environ["SCRIPT_NAME"]) == ("2", "")


@pytest.mark.parametrize("path", [b"/fail", b"/panic"])
def test_a_failure_of_the_application_is_a_problem_document(serve, path: bytes):
    answer = serve().send(b"GET " + path + b" HTTP/1.1\r\n" + CLOSE + b"\r\n")
    assert status(answer) == 500
    assert b"application fails" not in answer


MALFORMED = {
    "chunk size": CHUNKED + b"zz\r\nhello\r\n0\r\n\r\n",
    "negative chunk size": CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n",
    "0x chunk size": CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n",
    "chunk without end": CHUNKED + b"5\r\nhelloworld\r\n0\r\n\r\n",
    "trailer": CHUNKED + b"5\r\nhello\r\n0\r\nAuthorization: Bearer x\r\n\r\n",
    "broken trailer": CHUNKED + b"5\r\nhello\r\n0\r\n: x\r\n\r\n",
    "tiny chunks": CHUNKED + b"1\r\na\r\n" * 20_000,
    "two lengths": b"POST / HTTP/1.1\r\n" + CLOSE + b"Content-Length: 5, 6\r\n\r\nhello",
    "length and chunks": CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\n")
    + b"0\r\n\r\n",
    "negative length": b"POST / HTTP/1.1\r\n" + CLOSE + b"Content-Length: -5\r\n\r\nhello",
    "two hosts": b"GET / HTTP/1.1\r\n" + CLOSE + HOST + b"\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "bare line feed": b"GET / HTTP/1.1\n" + CLOSE + b"\r\n",
    "a raw byte in the address": b"GET /\xff HTTP/1.1\r\n" + CLOSE + b"\r\n",
    "another version": b"GET / HTTP/2.0\r\n" + CLOSE + b"\r\n",
    "an address of another scheme": b"GET ftp://x/ HTTP/1.1\r\n" + CLOSE + b"\r\n",
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    "a folded field": b"GET / HTTP/1.1\r\n" + CLOSE + b" folded: x\r\nX\r\n\r\n",
}
REFUSED = {
    **{name: (400, request) for name, request in MALFORMED.items()},
    "long address": (414, b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n" + CLOSE + b"\r\n"),
    "very long address": (414, b"GET /" + b"x" * 100_000),
    "many fields": (431, b"GET / HTTP/1.1\r\n" + CLOSE + b"X: y\r\n" * 120 + b"\r\n"),
    "large fields": (431, b"GET / HTTP/1.1\r\n" + CLOSE + b"X: " + b"y" * 100_000),
    "unknown coding": (501, CHUNKED.replace(b"chunked", b"gzip")),
    "large body": (413, b"POST / HTTP/1.1\r\n" + CLOSE + b"Content-Length: 1000001\r\n\r\n"),
    "large chunked body": (413, CHUNKED + b"fffff\r\n" + b"x" * 1_000_001),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_sound_request_is_refused_with_a_problem_document(serve, name: str):
    expected, request = REFUSED[name]
    server = serve()
    answer = server.send(request)
    head, _, document = answer.partition(b"\r\n\r\n")
    assert status(answer) == expected
    assert json.loads(document)["status"] == expected
    assert json.loads(document)["request_id"]
    if expected == 413:
        assert "may have 1 MB (VITRINE_MAX_BODY_MB)" in json.loads(document)["detail"]
    for header in (
        b"Content-Type: application/problem+json",
        b"X-Content-Type-Options: nosniff",
        b"Content-Security-Policy: ",
        b"Connection: close",
    ):
        assert header in head
    assert server.application.calls == []
    assert len(server.refused) == 1


@pytest.mark.parametrize("sent", [b"", b"half"])
@pytest.mark.parametrize(
    "framing", [b"Content-Length: 10\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n7\r\n"]
)
def test_a_body_that_breaks_off_is_not_carried_out(serve, framing: bytes, sent: bytes):
    server = serve()
    with server.connect() as client:
        client.sendall(b"PUT / HTTP/1.1\r\n" + HOST + framing + sent)
        client.shutdown(1)
        assert status(everything(client)) == 400
    assert server.application.calls == []


@pytest.mark.parametrize("origins", [{"https://shop.example"}, {"*"}])
def test_a_page_that_may_call_the_api_can_read_why_it_was_refused(serve, origins: set[str]):
    request = b"POST / HTTP/1.1\r\n" + CLOSE + b"Origin: %s\r\nContent-Length: 1000001\r\n\r\n"
    allowed = b"Access-Control-Allow-Origin: https://shop.example\r\n"
    assert allowed in serve(origins=frozenset(origins)).send(request % b"https://shop.example")
    assert b"Access-Control" not in serve().send(request % b"https://shop.example")


@pytest.mark.parametrize("named", [False, True], ids=["client without a name", "named client"])
def test_over_a_unix_socket_there_is_no_address_of_the_client(
    serve, socket_folder: Path, named: bool, caplog: pytest.LogCaptureFixture
):
    server = serve(at=str(socket_folder / "server"))
    with socket.socket(socket.AF_UNIX) as client, caplog.at_level("INFO", "service.access"):
        client.settimeout(PATIENCE_S)
        if named:
            client.bind(str(socket_folder / "client"))
        client.connect(server.address)
        client.sendall(b"GET /a HTTP/1.1\r\n" + HOST + b"\r\nGET /b HTTP/1.1\r\n\r\n")
        answers = everything(client)
    assert [status(part) for part in answers.split(b"HTTP/1.1")[1:]] == [200, 400]
    environ = server.application.calls[0]
    assert (environ["REMOTE_ADDR"], environ["REMOTE_PORT"]) == ("", "0")
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("localhost", "80")
    assert [record.client for record in caplog.records] == [""]
