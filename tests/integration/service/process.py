"""The service as a process of its own, on a free port."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import psutil

from tests.redis_server import free_port
from tests.support.waiting import until

ROOT = Path(__file__).parents[3]
LAUNCH = ROOT / "tests" / "integration" / "service" / "launch.py"
PATIENCE_S = 240
"""On a busy machine a start takes minutes; on an idle one nothing waits for it."""


class ServiceProcess:
    """Started on entry, killed on exit when it has not ended by then.

    `log()` is what it wrote to standard error.
    """

    def __init__(self, folder: Path, *command: str, **settings: object) -> None:
        self.port = int(settings.setdefault("port", free_port()))
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = folder / f"service-{self.port}.log"
        self._command = command or (str(LAUNCH), "ready")
        named = {
            f"VITRINE_{name.upper()}": str(value)
            for name, value in {
                "data_dir": folder / "data",
                "model": "fake",
                "workers": 1,
                **settings,
            }.items()
        }
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith("VITRINE_")
        }
        self._environment = {**kept, **named, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self._command],
                stderr=log,
                stdout=log,
                env=self._environment,
                cwd=ROOT,
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            serving = psutil.Process(self.process.pid).children(recursive=True)
            for one in [*serving, self.process]:
                one.kill()
        self.process.wait(PATIENCE_S)

    def log(self) -> str:
        return self._log.read_text("utf-8")

    def get(self, path: str, **given: object) -> httpx.Response:
        return httpx.get(
            self.url + path, timeout=PATIENCE_S, **given
        )  # a connection of its own each time, so any process may answer

    def search(self, query: str = "") -> httpx.Response:
        """The answer of the first process that is asked and has its model."""
        answers: list[httpx.Response] = []

        def has_model() -> bool:
            answers.append(self.get(f"/v1/search{query}"))
            return answers[-1].status_code != 503

        until(has_model, "the model is there")
        return answers[-1]

    def wait_until(self, path: str, status: int = 200) -> httpx.Response:
        """Ask until the path answers with the status."""
        answers: list[httpx.Response] = []

        def answered() -> bool:
            assert self.process.poll() is None, f"ended with {self.process.returncode}"
            try:
                answers.append(self.get(path))
            except httpx.TransportError:
                return False
            return answers[-1].status_code == status

        try:
            until(answered, f"{path} answers {status}")
        except AssertionError as error:
            raise AssertionError(f"{error}:\n{self.log()}") from None
        return answers[-1]

    def ended(self) -> int:
        """Wait for the end and give the exit status."""
        return self.process.wait(PATIENCE_S)

    def serving(self) -> list[int]:
        return [child.pid for child in psutil.Process(self.process.pid).children()]
