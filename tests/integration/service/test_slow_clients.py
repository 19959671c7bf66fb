"""On the command line that `vitrine serve` runs: slow, silent and idle clients stop nobody else."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from tests.integration.service.process import LAUNCH, PATIENCE_S, ServiceProcess
from tests.integration.service.slow_clients import crowded, longest_waits

LONGEST_S = 1.0
"""On a machine of its own; beside other work as much again as its neighbors wait there."""
HEAD_S, KEEPALIVE_S, BODY_S, GRACE_S = 0.8, 1.2, 24, 0.8
"""A twelfth of the deadlines that hold by default, so that five seconds are what a minute is."""
WATCHED_S = 5.0


def test_sixteen_slow_bodies_sixteen_half_heads_and_two_hundred_idle_clients(tmp_path: Path):
    """Every deadline passes several times, and whoever is sent away comes again at once.

    A second service, before which nobody crowds, tells how long anything takes on this machine now.
    """
    limits = {"head_timeout_s": HEAD_S, "keepalive_s": KEEPALIVE_S, "body_timeout_s": BODY_S}
    command = (str(LAUNCH), "ready", str(GRACE_S))
    for name in ("crowded", "alone"):
        (tmp_path / name).mkdir()
    with (
        ServiceProcess(tmp_path / "crowded", *command, threads=8, **limits) as service,
        ServiceProcess(tmp_path / "alone", threads=8) as control,
        crowded(service) as crowd,
    ):
        control.wait_until("/health/ready")
        waits = longest_waits({"crowded": service, "alone": control}, crowd, WATCHED_S)
        ended = crowd.ended()
        refused = service.get("/metrics").text
    print(waits, ended)
    usual = max(waits["alone"].values())
    assert max(waits["crowded"].values()) < LONGEST_S + 5 * usual
    assert {kind for kind, times in ended.items() if times >= 2} == set(ended)
    for reason in ("slow-body", "slow-head"):
        assert f'vitrine_refused_total{{reason="{reason}"}}' in refused


def test_half_a_body_is_refused_and_changes_nothing(tmp_path: Path):
    with ServiceProcess(tmp_path, admin_token="a-token-of-the-tests") as service:
        service.wait_until("/health/ready")
        head = (
            b"PUT /v1/admin/products HTTP/1.1\r\nHost: x\r\nContent-Length: 400\r\n"
            b"Authorization: Bearer a-token-of-the-tests\r\nContent-Type: application/x-ndjson\r\n"
        )
        with socket.create_connection(("127.0.0.1", service.port), PATIENCE_S) as client:
            client.sendall(head + b'\r\n{"id": "a", "title": "A"}\n')
            client.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: client.recv(65_536), b""))
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == 400
        jobs = service.get(
            "/v1/admin/jobs", headers={"Authorization": "Bearer a-token-of-the-tests"}
        )
        assert jobs.json()["jobs"] == []
