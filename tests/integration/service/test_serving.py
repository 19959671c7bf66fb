"""The service under gunicorn: start, several processes, replacement, graceful stop, and starts
that fail."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from service import serving
from tests.integration.service.process import LAUNCH, PATIENCE_S, ServiceProcess
from tests.support.waiting import until
from vitrine.errors import InvalidSettings
from vitrine.settings import load_settings
from vitrine.wiring import Vitrine

BEARER = {"Authorization": "Bearer a-token-of-the-tests"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """One service of two processes for all tests that do not stop it."""
    settings = {
        "max_body_mb": 0.01,
        "log_format": "json",
        "admin_token": BEARER["Authorization"][7:],
    }
    with ServiceProcess(
        tmp_path_factory.mktemp("service"), workers=2, threads=2, **settings
    ) as service:
        service.wait_until("/health/ready")
        yield service


def everything(client: socket.socket) -> bytes:
    """All that comes until the service ends the connection."""
    return b"".join(iter(lambda: client.recv(65_536), b""))


def searches(service: ServiceProcess) -> float:
    """How many searches were answered, and not sent away because the model is being loaded."""
    families = text_string_to_metric_families(service.get("/metrics").text)
    samples = [
        s for family in families for s in family.samples if s.name == "vitrine_requests_total"
    ]
    answered = {"route": "/v1/search", "status": "200"}
    return sum(s.value for s in samples if answered.items() <= s.labels.items())


def test_several_processes_answer_and_count_together(service: ServiceProcess):
    before = searches(service)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: service.search("?q=red&limit=1"), range(20)))
    assert [r.json()["hits"][0]["id"] for r in found] == ["red"] * 20
    assert {searches(service) - before for _ in range(6)} == {20}


def test_the_start_says_how_many_processes_and_threads_there_are(service: ServiceProcess):
    until(lambda: "(2 processes of 2 threads)" in service.log(), "the first process says it")


def test_a_killed_process_is_replaced_and_its_counts_are_kept(service: ServiceProcess):
    counted = searches(service)
    for _ in range(10):
        service.search()
    before = set(service.serving())
    os.kill(min(before), signal.SIGKILL)
    until(lambda: len(set(service.serving()) - before) == 1, "a new process")
    service.wait_until("/health/ready")
    assert searches(service) == counted + 10


def test_once_one_process_is_ready_no_search_reaches_another_that_is_not(tmp_path: Path):
    with ServiceProcess(tmp_path, str(LAUNCH), "first", workers=2) as service:
        service.wait_until("/health/ready")
        answers = [service.get(f"/v1/search?q={number}").status_code for number in range(40)]
        assert set(answers) == {200}
        for process in service.serving():  # the new ones wait for the model
            os.kill(process, signal.SIGKILL)
        service.wait_until("/health/ready", 503)


def test_running_requests_are_answered_before_the_service_stops(tmp_path: Path):
    with ServiceProcess(tmp_path, workers=2) as service:
        service.wait_until("/health/ready")
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(service.search, "?q=slow+red")
            until(lambda: "embedding slowly" in service.log(), "the search begins")
            service.process.terminate()
            assert service.ended() == 0
            assert running.result(PATIENCE_S).status_code == 200
        with pytest.raises(httpx.TransportError):
            service.get("/health/live")
        assert "Traceback" not in service.log()


def test_requests_that_reached_the_machine_before_the_stop_are_answered(tmp_path: Path):
    """While the serving process sleeps, the kernel greets clients on its behalf."""
    with ServiceProcess(tmp_path) as service, ExitStack() as clients:
        service.wait_until("/health/ready")
        (process,) = service.serving()
        os.kill(process, signal.SIGSTOP)
        waiting = []
        for number in range(20):
            client = clients.enter_context(
                socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE_S)
            )
            client.sendall(b"GET /v1/search?q=%d HTTP/1.1\r\nHost: x\r\n\r\n" % number)
            waiting.append(client)
        service.process.terminate()
        until(lambda: is_pending(process, signal.SIGTERM), "it is told of the stop before it wakes")
        os.kill(process, signal.SIGCONT)
        answers = [everything(client) for client in waiting]
        assert {answer.partition(b"\r\n")[0] for answer in answers} == {b"HTTP/1.1 200 OK"}
        assert all(b"Connection: close" in answer for answer in answers)
        assert service.ended() == 0
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE_S)


def is_pending(pid: int, number: signal.Signals) -> bool:
    """Whether a signal waits for a process that sleeps (proc(5), ShdPnd)."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    (pending,) = [line.split()[1] for line in status.splitlines() if line.startswith("ShdPnd")]
    return bool(int(pending, 16) >> (number - 1) & 1)


def test_live_answers_while_the_model_is_loading_and_ready_says_so(tmp_path: Path):
    with ServiceProcess(tmp_path, str(LAUNCH), "waits") as service:
        service.wait_until("/health/live")
        response = service.get("/health/ready")
        assert response.status_code == 503
        assert "being loaded" in response.json()["detail"]
        assert response.headers["Retry-After"]
        (tmp_path / "data" / "go").touch()
        service.wait_until("/health/ready")


def test_lines_of_the_log_are_json_and_every_answer_has_one(service: ServiceProcess):
    for number in range(3):
        service.get("/v1/search", headers={"X-Request-ID": f"request-{number}"})

    def lines() -> list[dict[str, Any]]:
        whole = service.log().rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def requests() -> list[str]:
        return [
            line["request_id"]
            for line in lines()
            if line["logger"] == "service.access" and "request-" in line["request_id"]
        ]

    until(lambda: len(requests()) >= 3, "the lines of three requests")
    assert sorted(requests()) == ["request-0", "request-1", "request-2"]
    assert any(f"http://127.0.0.1:{service.port}" in line["message"] for line in lines())


def failed_start(folder: Path, *command: str, **settings: object) -> str:
    """The one line that a start that failed leaves on standard error."""
    with ServiceProcess(folder, *command, **settings) as service:
        assert service.ended() == 2, service.log()
        lines = service.log().strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_an_unknown_model_ends_the_start_with_one_sentence(tmp_path: Path):
    said = failed_start(tmp_path, str(LAUNCH), "unknown", workers=2)
    assert said == "vitrine: the model 'fake' cannot be found; set VITRINE_MODEL to one that can"


def test_a_taken_port_ends_the_start_with_one_sentence(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = failed_start(tmp_path, "-m", "service", port=port)
    assert f"cannot listen on 127.0.0.1:{port}" in said
    assert "in use" in said


@pytest.fixture
def refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """The sentence with which a start is refused, in this process, whose log stays as it is."""
    for name in ("configure_service_logging", "keep_freed_memory", "collect_cycles_seldom"):
        monkeypatch.setattr(serving, name, lambda *_: None)

    def refuse(**settings: object) -> str:
        chosen = {"data_dir": tmp_path / "data", "model": "fake", "port": 0, **settings}
        with pytest.raises(InvalidSettings) as refused:
            serving.run(Vitrine(load_settings(**chosen)))
        return str(refused.value)

    return refuse


def test_a_data_folder_that_cannot_be_written_ends_the_start(
    tmp_path: Path, refusal: Callable[..., str]
):
    (tmp_path / "file").write_text("no folder")
    said = refusal(data_dir=tmp_path / "file" / "data")
    assert f"{tmp_path}/file/data cannot be written by user " in said
    assert "name another folder" in said


def test_several_processes_on_an_index_of_one_end_the_start(
    tmp_path: Path, refusal: Callable[..., str]
):
    said = refusal(workers=2, backend="qdrant", qdrant_url=str(tmp_path / "index"))
    assert "VITRINE_WORKERS: must be 1 where VITRINE_QDRANT_URL is a folder" in said
    assert "start a Qdrant server" in said


@pytest.mark.parametrize(("name", "value"), [("threads", "many"), ("backend", "elastic")])
def test_a_wrong_setting_ends_the_start(refusal: Callable[..., str], name: str, value: object):
    assert f"VITRINE_{name.upper()}" in refusal(**{name: value})


@pytest.mark.parametrize("host", ["192.0.2.1", "shop..example"])
def test_an_address_that_this_machine_does_not_have_ends_the_start(
    refusal: Callable[..., str], host: str
):
    assert f"cannot listen on {host}" in refusal(host=host)


def test_an_address_too_long_to_read_is_a_problem_document_that_tells_the_way_out(
    service: ServiceProcess,
):
    response = service.get(f"/v1/search?q={'x' * 9000}")
    assert (response.status_code, response.headers["Content-Type"]) == (
        414,
        "application/problem+json",
    )
    assert "by POST" in response.json()["detail"]
    cursor = service.search("?q=red&limit=2").json()["next_cursor"]
    body = {"text": "red", "limit": 2, "cursor": cursor}

    def next_page() -> httpx.Response:
        return httpx.post(f"{service.url}/v1/search", json=body, timeout=PATIENCE_S)

    until(lambda: next_page().status_code != 503, "every process has its model")
    assert next_page().json()["hits"]


def raw(service: ServiceProcess, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE_S) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return everything(connection)


def status_line(answer: bytes) -> bytes:
    return answer.partition(b"\r\n")[0]


def test_requests_as_no_client_sends_them_are_refused(service: ServiceProcess):
    head = b"Host: x\r\nConnection: close\r\n"
    odd = raw(service, b"GET /v1/products/\xff HTTP/1.1\r\n" + head + b"\r\n")
    assert b" 400 " in status_line(odd)
    chunk = b'4e20\r\n{"text": "' + b"x" * 19_990 + b"\r\n0\r\n\r\n"
    kind = b"Content-Type: application/json\r\n"
    chunked = head + kind + b"Transfer-Encoding: chunked\r\n\r\n" + chunk
    assert b" 413 " in status_line(raw(service, b"POST /v1/search HTTP/1.1\r\n" + chunked))
    lying = head + kind + b"Content-Length: 500\r\n\r\n{"
    assert b" 400 " in status_line(raw(service, b"POST /v1/search HTTP/1.1\r\n" + lying))
    assert service.get("/health/live").status_code == 200


def test_half_a_body_is_refused_and_changes_nothing(service: ServiceProcess):
    head = (
        b"PUT /v1/admin/products HTTP/1.1\r\nHost: x\r\nContent-Length: 400\r\n"
        b"Authorization: Bearer a-token-of-the-tests\r\nContent-Type: application/x-ndjson\r\n"
    )
    answer = raw(service, head + b'\r\n{"id": "a", "title": "A"}\n')
    assert b" 400 " in status_line(answer)
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == 400
    assert service.get("/v1/admin/jobs", headers=BEARER).json()["jobs"] == []
