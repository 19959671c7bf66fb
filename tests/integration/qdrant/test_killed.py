"""kill -9 of `vitrine backup` and `vitrine restore` on Qdrant, in the middle of each."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.contract.catalogue import DIMENSION, SCHEMA, make_catalogue
from tests.contract.test_backups import content, equal
from tests.integration.qdrant.engine import Engine
from tests.integration.qdrant.grpc_server import Trouble, serve
from vitrine.backup import back_up, restore
from vitrine.backup.folder import MANIFEST
from vitrine.errors import Conflict, StorageUnavailable
from vitrine.index import IndexQuery, IndexVersions
from vitrine.index.qdrant import open_versions
from vitrine.settings import Settings

pytestmark = pytest.mark.timeout(600)  # a busy machine is slow

SIZE, BATCH = 30, 20
"""Products: more than a backup reads, or a restore writes, in one request."""

PROGRAM = f"""
import vitrine.backup.restoring, vitrine.backup.writing
from vitrine.cli import main

vitrine.backup.restoring._BATCH = vitrine.backup.writing._BATCH = {BATCH}
main()
"""


@dataclass
class Shop:
    """A published version on a server, and commands that are killed at one of their requests."""

    folder: Path
    port: int
    trouble: Trouble
    versions: IndexVersions
    source: str = ""
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "VITRINE_BACKEND": "qdrant",
            "VITRINE_QDRANT_URL": "http://127.0.0.1:1",
            "VITRINE_QDRANT_GRPC_PORT": str(self.port),
            "VITRINE_QDRANT_TIMEOUT_S": "120",
            "VITRINE_DATA_DIR": str(self.folder),
        }

    def killed_at(self, call: str, number: int, *command: str) -> None:
        """Run a command of `vitrine`, which dies with its request of this number to a method."""
        seen = 0

        def kill(arrived: str) -> None:
            nonlocal seen
            seen += arrived == call
            if arrived == call and seen >= number:
                child.kill()
                raise RuntimeError("nobody waits for this request any more")

        self.trouble.seen = kill
        with subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *command],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as child:
            assert child.wait(300) == -signal.SIGKILL
        self.trouble.seen = lambda call: None

    def still_serves(self) -> bool:
        live = self.versions.live()
        return live.info.name == self.source and live.search(IndexQuery()).total == SIZE


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with ExitStack() as ended, closing(Engine()) as engine:
        trouble = Trouble()
        port = ended.enter_context(serve(engine, trouble=trouble))
        versions = open_versions(
            Settings(qdrant_url="http://127.0.0.1:1", qdrant_grpc_port=port, qdrant_timeout_s=120)
        )
        ended.callback(versions.close)
        made = Shop(tmp_path / "data", port, trouble, versions)
        made.folder.mkdir()
        index = versions.create(
            model="m", fingerprint="f", dimension=DIMENSION, schema=SCHEMA, mapping={}
        )
        index.upsert(make_catalogue(SIZE, 61, images=(1, 2)))
        versions.complete(index.info.name)
        versions.publish(index.info.name)
        made.source = index.info.name
        yield made


@pytest.mark.parametrize(
    ("call", "number", "state"),
    [
        ("Points.Upsert", 2, "building"),
        ("Collections.Update", 2, "building"),  # the one that says that it is complete
        ("Collections.UpdateAliases", 1, "ready"),
    ],
    ids=["while it is filled", "before it is complete", "before it is published"],
)
def test_a_restore_that_is_killed_is_never_served_and_the_next_one_is_whole(
    shop: Shop, tmp_path: Path, call: str, number: int, state: str
):
    folder = tmp_path / "backup"
    back_up(shop.versions.live(), folder)
    shop.killed_at(call, number, "restore", str(folder))
    assert shop.still_serves()
    (half,) = [v for v in shop.versions.list() if v.name != shop.source]
    assert half.state == state
    if state == "building":
        with pytest.raises(Conflict):
            shop.versions.publish(half.name)
    assert (half.count == SIZE) == (call != "Points.Upsert")
    restored = restore(shop.versions, folder, data_dir=shop.folder)
    assert equal(content(restored), content(shop.versions.open(shop.source)))
    if state == "building":
        assert half.name not in {v.name for v in shop.versions.list()}


def test_a_backup_that_is_killed_is_no_backup_and_the_same_command_makes_it_whole(
    shop: Shop, tmp_path: Path
):
    folder = tmp_path / "backup"
    shop.killed_at("Points.Scroll", 2, "backup", str(folder))
    assert not (folder / MANIFEST).exists()
    with pytest.raises(StorageUnavailable, match="not finished"):
        restore(shop.versions, folder, data_dir=shop.folder)
    assert [v.name for v in shop.versions.list()] == [shop.source]
    assert back_up(shop.versions.live(), folder).products == SIZE
    restored = restore(shop.versions, folder, data_dir=shop.folder)
    assert equal(content(restored), content(shop.versions.open(shop.source)))
