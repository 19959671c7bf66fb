"""An embedder as a process: one for several clients, and a death in between loses no query."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import numpy as np
import pytest

from tests.integration.service.process import PATIENCE_S, ROOT, ServiceProcess
from tests.unit.service.test_embedder import PICTURES, Model
from vitrine.embedding.load import load_embedder
from vitrine.settings import Settings

pytestmark = pytest.mark.slow

LAUNCH = str(ROOT / "tests" / "integration" / "service" / "launch_embedder.py")


def test_queries_outlive_the_process_that_has_the_model(tmp_path: Path) -> None:
    model = Model()
    with ServiceProcess(tmp_path, LAUNCH, threads=4) as process:
        process.wait_until("/health/ready")
        settings = Settings(
            data_dir=tmp_path, model="fake", embedder_url=process.url, query_timeout_s=PATIENCE_S
        )
        clients = [load_embedder(settings) for _ in range(2)]
        (serving,) = process.serving()
        killed = threading.Event()
        answered: list[bool] = []

        def ask(number: int) -> None:
            for turn in range(10):
                if turn == 5:
                    killed.wait(PATIENCE_S)
                text = f"query {number} {turn}"
                rows = clients[number].embed_texts([text])
                answered.append(bool(np.array_equal(rows, model.embed_texts([text]))))

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        os.kill(serving, signal.SIGKILL)
        killed.set()
        for thread in threads:
            thread.join(2 * PATIENCE_S)
        assert answered == [True] * 20
        assert process.serving() != [serving]
        rows = clients[0].embed_images(PICTURES)
        assert np.array_equal(rows, model.embed_images(PICTURES))
