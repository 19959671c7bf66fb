"""An embedder as a process: one for several clients, and a death in between loses no query."""

from __future__ import annotations

import os
import signal
import stat
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import psutil
import pytest

from ingest.pipeline import Progress, RunControl
from ingest.sources import open_source
from ingest.tasks.bulk_ingest import run
from tests.integration.service.process import PATIENCE_S, ROOT, ServiceProcess
from tests.unit.ingest.catalogue import MAPPING, Shop
from tests.unit.service.test_embedder import PICTURES, Model
from vitrine.embedding.load import load_embedder
from vitrine.images.decode import ImageLimits, decode
from vitrine.settings import Settings
from vitrine.wiring import Vitrine

pytestmark = pytest.mark.slow

WITH_EMBEDDER = str(ROOT / "tests" / "integration" / "service" / "launch_with_embedder.py")
LAUNCH = str(ROOT / "tests" / "integration" / "service" / "launch_embedder.py")


@pytest.fixture(autouse=True)
def temporary(socket_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder of the processes."""
    monkeypatch.setenv("TMPDIR", str(socket_folder))
    return socket_folder


@pytest.mark.parametrize("kind", ["http", "unix"])
def test_queries_outlive_the_process_that_has_the_model(
    tmp_path: Path, temporary: Path, kind: str
) -> None:
    model, path = Model(), temporary / "embedder.sock"
    command = (LAUNCH, "--socket", str(path)) if kind == "unix" else (LAUNCH,)
    with ServiceProcess(tmp_path, *command, threads=4) as process:
        url = f"unix:{path}" if kind == "unix" else process.url
        settings = Settings(
            data_dir=tmp_path, model="fake", embedder_url=url, query_timeout_s=PATIENCE_S
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


def test_an_ingest_outlives_the_process_that_has_the_model(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.fill_index(120)
    shop.write()
    with ServiceProcess(tmp_path, LAUNCH, threads=4) as process:
        process.wait_until("/health/ready")
        settings = Settings(
            data_dir=tmp_path,
            model="fake",
            embedder_url=process.url,
            query_timeout_s=PATIENCE_S,
            decode_processes=1,
            batch_size=8,
            write_batch=8,
        )
        serving = process.serving()

        def kill_once(progress: Progress) -> None:
            if progress.done and serving:
                os.kill(serving.pop(), signal.SIGKILL)

        vitrine = Vitrine(settings, versions=shop.versions, images=shop.images)  # type: ignore[arg-type]
        with closing(vitrine), pytest.MonkeyPatch.context() as patch:
            patch.setattr("ingest.pipeline.fill._TICK_S", 0.001)
            source = open_source(str(shop.catalogue), settings)
            summary = run(vitrine, source, MAPPING, control=RunControl(progress=kill_once))
        assert serving == [], "it was killed while products were written"
    assert (summary.done, summary.failed, summary.published) == (120, 0, True)
    model = Model()
    for number in range(120):
        data = (tmp_path / f"pictures/{number}.png").read_bytes()
        image = decode(data, ImageLimits.of(settings))
        np.testing.assert_array_equal(
            shop.records[f"p{number}"].vectors, model.embed_images([image])
        )


def test_a_socket_goes_with_its_embedder_and_one_that_was_killed_bars_no_start(
    tmp_path: Path, temporary: Path
) -> None:
    path = temporary / "embedder.sock"
    settings = Settings(
        model="fake", embedder_url=f"unix:{path}", query_timeout_s=PATIENCE_S, data_dir=tmp_path
    )
    with ServiceProcess(tmp_path, LAUNCH, "--socket", str(path)) as process:
        load_embedder(settings)
        family = psutil.Process(process.process.pid).children()
        process.process.kill()
        _, alive = psutil.wait_procs(family, PATIENCE_S)
        assert not alive
    assert path.is_socket()
    with ServiceProcess(tmp_path, LAUNCH, "--socket", str(path)) as process:
        assert len(load_embedder(settings).embed_texts(["mug"])) == 1
        process.process.terminate()
        assert process.ended() == 0
        assert f"the embedder answers on unix:{path}" in process.log()
    assert not path.exists()


def embedder_of(service: ServiceProcess) -> psutil.Process:
    """The process that starts the one with the model."""
    children = psutil.Process(service.process.pid).children()
    (embedder,) = [each for each in children if "launch_embedder" in " ".join(each.cmdline())]
    return embedder


def own_socket(temporary: Path) -> Path:
    """The only socket in the temporary folder."""
    (path,) = temporary.glob("*/socket")
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    return path


def test_a_service_of_several_processes_starts_one_model_for_all_and_again_when_it_dies(
    tmp_path: Path, temporary: Path
) -> None:
    deep = tmp_path / ("data" * 40)  # no socket would have so long a path
    with ServiceProcess(tmp_path, WITH_EMBEDDER, workers=2, threads=2, data_dir=deep) as service:
        service.wait_until("/health/ready")
        assert service.search("?q=red&limit=1").json()["hits"][0]["id"] == "red"
        path = own_socket(temporary)
        first = embedder_of(service)
        family = [first, *first.children()]
        assert len(family) == 2
        assert not [each for one in family for each in one.net_connections("inet")]
        for each in family:
            each.kill()
        assert service.search("?q=blue&limit=1").json()["hits"][0]["id"] == "blue"
        second = embedder_of(service)
        assert second.pid != first.pid
        second.terminate()  # gunicorn then removes the file of a socket that is its own
        second.wait(PATIENCE_S)
        assert service.search("?q=green&limit=1").json()["hits"][0]["id"] == "green"
        assert own_socket(temporary) == path
        third = embedder_of(service)
        family = [third, *third.children()]
        service.process.terminate()
        assert service.ended() == 0
        _, alive = psutil.wait_procs(family, PATIENCE_S)
        assert not alive
    assert list(temporary.iterdir()) == []


def test_the_embedder_ends_with_a_service_that_was_killed_and_the_next_removes_its_socket(
    tmp_path: Path, temporary: Path
) -> None:
    with ServiceProcess(tmp_path, WITH_EMBEDDER, workers=2, threads=2) as service:
        service.wait_until("/health/ready")
        left = own_socket(temporary)
        everyone = psutil.Process(service.process.pid).children(recursive=True)
        service.process.kill()
        _, alive = psutil.wait_procs(everyone, PATIENCE_S)
        assert not alive
    assert left.is_socket()
    with ServiceProcess(tmp_path, WITH_EMBEDDER, workers=2, threads=2) as service:
        service.wait_until("/health/ready")
        assert own_socket(temporary) != left
        assert service.search("?q=red&limit=1").json()["hits"][0]["id"] == "red"


def test_an_embedder_that_can_have_no_model_ends_the_service_with_its_sentence(
    tmp_path: Path,
) -> None:
    with ServiceProcess(tmp_path, WITH_EMBEDDER, "refused", workers=2, threads=2) as service:
        assert service.ended() == 2
        assert "no such model" in service.log()
        assert "the embedder cannot start" in service.log()
