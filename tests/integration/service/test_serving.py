"""The service under gunicorn: start, several processes, replacement, graceful stop, and starts
that fail."""

from __future__ import annotations

import json
import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.service.process import (
    LAUNCH,
    PATIENCE_S,
    ServiceProcess,
    attempts,
    taken_port,
)


def everything(client: socket.socket) -> bytes:
    """All that comes until the service ends the connection."""
    return b"".join(iter(lambda: client.recv(65_536), b""))


def searches(service: ServiceProcess) -> float:
    families = text_string_to_metric_families(service.get("/metrics").text)
    samples = [
        s for family in families for s in family.samples if s.name == "vitrine_requests_total"
    ]
    return sum(s.value for s in samples if s.labels["route"] == "/v1/search")


def test_several_processes_answer_and_count_together(tmp_path: Path):
    with ServiceProcess(tmp_path, workers=2, threads=2) as service:
        service.wait_until("/health/ready")
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda _: service.get("/v1/search?q=red&limit=1"), range(20)))
        assert [r.json()["hits"][0]["id"] for r in found] == ["red"] * 20
        assert {searches(service) for _ in range(6)} == {20}


def test_a_killed_process_is_replaced_and_its_counts_are_kept(tmp_path: Path):
    with ServiceProcess(tmp_path, workers=2, threads=2) as service:
        service.wait_until("/health/ready")
        for _ in range(10):
            service.get("/v1/search")
        before = set(service.serving())
        os.kill(min(before), signal.SIGKILL)
        for _ in attempts():
            if len(set(service.serving()) - before) == 1:
                break
        service.wait_until("/health/ready")
        assert searches(service) == 10


def test_running_requests_are_answered_before_the_service_stops(tmp_path: Path):
    with ServiceProcess(tmp_path, workers=2) as service:
        service.wait_until("/health/ready")
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(service.get, "/v1/search?q=slow+red")
            for _ in attempts():
                if searches_begun(service):
                    break
            service.process.terminate()
            assert service.ended() == 0
            assert running.result(PATIENCE_S).status_code == 200
        with pytest.raises(httpx.TransportError):
            service.get("/health/live")
        assert "Traceback" not in service.log()


def searches_begun(service: ServiceProcess) -> bool:
    return "embedding slowly" in service.log()


def test_requests_that_reached_the_machine_before_the_stop_are_answered(tmp_path: Path):
    """While the serving process sleeps, the kernel greets clients on its behalf."""
    with ServiceProcess(tmp_path) as service, ExitStack() as clients:
        service.wait_until("/health/ready")
        (serving,) = service.serving()
        os.kill(serving, signal.SIGSTOP)
        waiting = []
        for number in range(20):
            client = clients.enter_context(
                socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE_S)
            )
            client.sendall(b"GET /v1/search?q=%d HTTP/1.1\r\nHost: x\r\n\r\n" % number)
            waiting.append(client)
        service.process.terminate()
        for _ in attempts():
            if is_pending(serving, signal.SIGTERM):
                break  # it is told of the stop before it wakes
        os.kill(serving, signal.SIGCONT)
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
    with ServiceProcess(tmp_path, str(LAUNCH), "slow") as service:
        service.wait_until("/health/live")
        response = service.wait_until("/health/ready", 503)
        assert "being loaded" in response.json()["detail"]
        assert response.headers["Retry-After"]
        service.wait_until("/health/ready")


def test_lines_of_the_log_are_json_and_every_answer_has_one(tmp_path: Path):
    with ServiceProcess(tmp_path, log_format="json") as service:
        service.wait_until("/health/ready")
        for number in range(3):
            service.get("/v1/search", headers={"X-Request-ID": f"request-{number}"})
        service.process.terminate()
        service.ended()
        lines = [json.loads(line) for line in service.log().splitlines()]
    searches = [
        line
        for line in lines
        if line["logger"] == "service.access" and line["path"] == "/v1/search"
    ]
    assert [line["request_id"] for line in searches] == ["request-0", "request-1", "request-2"]
    assert any(f"http://127.0.0.1:{service.port}" in line["message"] for line in lines)


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


def test_a_data_folder_that_cannot_be_written_ends_the_start_with_one_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("no folder")
    said = failed_start(tmp_path, "-m", "service", data_dir=tmp_path / "file" / "data")
    assert f"{tmp_path}/file/data cannot be written by user " in said
    assert "name another folder" in said


def test_several_processes_on_an_index_of_one_end_the_start_with_one_sentence(tmp_path: Path):
    line = failed_start(tmp_path, workers=2, backend="qdrant", qdrant_url=str(tmp_path / "index"))
    assert "VITRINE_WORKERS: must be 1 where VITRINE_QDRANT_URL is a folder" in line
    assert "start a Qdrant server" in line


def test_a_taken_port_ends_the_start_with_one_sentence(tmp_path: Path):
    with taken_port() as port:
        said = failed_start(tmp_path, "-m", "service", port=port)
    assert f"cannot listen on 127.0.0.1:{port}" in said
    assert "in use" in said


@pytest.mark.parametrize(("name", "value"), [("threads", "many"), ("backend", "elastic")])
def test_a_wrong_setting_ends_the_start_with_one_sentence(tmp_path: Path, name: str, value: object):
    assert f"VITRINE_{name.upper()}" in failed_start(tmp_path, "-m", "service", **{name: value})


def test_an_address_of_another_machine_ends_the_start_with_one_sentence(tmp_path: Path):
    assert "cannot listen on 192.0.2.1" in failed_start(tmp_path, "-m", "service", host="192.0.2.1")


def test_an_address_too_long_to_read_is_a_problem_document_that_tells_the_way_out(tmp_path: Path):
    with ServiceProcess(tmp_path) as service:
        service.wait_until("/health/ready")
        response = service.get(f"/v1/search?q={'x' * 9000}")
        assert (response.status_code, response.headers["Content-Type"]) == (
            414,
            "application/problem+json",
        )
        assert "by POST" in response.json()["detail"]
        cursor = service.get("/v1/search?q=red&limit=2").json()["next_cursor"]
        assert httpx.post(
            f"{service.url}/v1/search", json={"text": "red", "limit": 2, "cursor": cursor}
        ).json()["hits"]


def raw(service: ServiceProcess, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE_S) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_requests_as_no_client_sends_them_are_refused(tmp_path: Path):
    with ServiceProcess(tmp_path, max_body_mb=0.01) as service:
        service.wait_until("/health/ready")
        head = b"Host: x\r\nConnection: close\r\n"
        assert (
            b" 400 "
            in raw(service, b"GET /v1/products/\xff HTTP/1.1\r\n" + head + b"\r\n").split(b"\r\n")[
                0
            ]
        )
        chunk = b'4e20\r\n{"text": "' + b"x" * 19_990 + b"\r\n0\r\n\r\n"
        chunked = (
            head + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk
        )
        assert b" 413 " in raw(service, b"POST /v1/search HTTP/1.1\r\n" + chunked).split(b"\r\n")[0]
        lying = head + b"Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{"
        assert b" 400 " in raw(service, b"POST /v1/search HTTP/1.1\r\n" + lying).split(b"\r\n")[0]
        assert service.get("/health/live").status_code == 200
