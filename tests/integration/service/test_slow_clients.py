"""On the command line that `vitrine serve` runs: slow, silent and idle clients stop nobody else."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import httpx

from tests.integration.service.process import ServiceProcess

WATCHED_S = 5.0
LONGEST_S = 1.0
HEAD = b"POST /v1/search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


def connect(service: ServiceProcess, sent: bytes) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", service.port), timeout=10)
    client.sendall(sent)
    return client


def test_sixteen_slow_bodies_sixteen_half_heads_and_two_hundred_idle_clients(tmp_path: Path):
    with ServiceProcess(tmp_path, threads=8) as service:
        service.wait_until("/health/ready")
        service.get("/v1/search?q=red")
        bodies = [connect(service, HEAD + b"Content-Length: 9000\r\n\r\n{") for _ in range(16)]
        others = [connect(service, HEAD[: number * 5]) for number in range(1, 17)]
        others += [connect(service, b"") for _ in range(200)]
        end = time.monotonic() + WATCHED_S
        while time.monotonic() < end:
            for body in bodies:
                body.sendall(b" ")
            for path in ("/health/live", "/health/ready", "/v1/search?q=red"):
                assert httpx.get(service.url + path, timeout=LONGEST_S).status_code == 200
            time.sleep(0.2)
        for client in (*bodies, *others):
            client.close()


def test_half_a_body_is_refused_and_changes_nothing(tmp_path: Path):
    with ServiceProcess(tmp_path, admin_token="a-token-of-the-tests") as service:
        service.wait_until("/health/ready")
        head = (
            b"PUT /v1/admin/products HTTP/1.1\r\nHost: x\r\nContent-Length: 400\r\n"
            b"Authorization: Bearer a-token-of-the-tests\r\nContent-Type: application/x-ndjson\r\n"
        )
        with connect(service, head + b'\r\n{"id": "a", "title": "A"}\n') as client:
            client.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: client.recv(65_536), b""))
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == 400
        jobs = service.get(
            "/v1/admin/jobs", headers={"Authorization": "Bearer a-token-of-the-tests"}
        )
        assert jobs.json()["jobs"] == []
