"""On the command line that `vitrine serve` runs: slow, silent and idle clients stop nobody else."""

from __future__ import annotations

from pathlib import Path

from tests.integration.service.process import LAUNCH, ServiceProcess
from tests.integration.service.slow_clients import PATHS, crowded
from tests.support.waiting import until

NEVER_S, SOON_S = 600, 0.8
"""The longest deadline that may be set, far beyond what the tests wait for; and a short one."""


def service_with(folder: Path, limit_s: float) -> ServiceProcess:
    """A service all of whose deadlines for clients are the same."""
    folder.mkdir()
    limits = {f"{name}_timeout_s": limit_s for name in ("head", "body")}
    command = (str(LAUNCH), "ready", str(limit_s))
    return ServiceProcess(folder, *command, threads=8, keepalive_s=limit_s, **limits)


def test_others_are_answered_whatever_the_number_of_slow_and_idle_clients(tmp_path: Path):
    """No deadline ever sends the crowd away: had anybody to wait for it, it would be for ever."""
    with service_with(tmp_path / "service", NEVER_S) as service, crowded(service) as crowd:
        for _ in range(5):
            crowd.step()
            for path in PATHS:
                assert service.get(path).status_code == 200, path
        assert set(crowd.ended().values()) == {0}


def test_slow_and_idle_clients_are_sent_away_again_and_again(tmp_path: Path):
    with service_with(tmp_path / "service", SOON_S) as service, crowded(service) as crowd:

        def all_ended_twice() -> bool:
            crowd.step()
            return min(crowd.ended().values()) >= 2

        until(all_ended_twice, "each kind of client is sent away")
        counts = service.get("/metrics").text
    for reason in ("slow-body", "slow-head"):
        assert f'vitrine_refused_total{{reason="{reason}"}}' in counts
