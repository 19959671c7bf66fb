"""Fixtures that every kind of test may use."""

from __future__ import annotations

import gc
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import checkpoints
from tests.contract.backends import BACKENDS

MEMORY = Path("/dev/shm")
"""A file system in memory, where Linux has one."""
NEEDED_BYTES = 3 * 2**30
"""The temporary folders of all tests together stay below."""
ALL_SLOW = re.compile(r"^pytestmark = .*\bpytest\.mark\.slow\b", re.MULTILINE)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--image`: the photo that the tests marked `hub` look at."""
    parser.addoption("--image", help="the lecture's photo of two cats, for tests marked hub")


def pytest_configure() -> None:
    """Temporary folders lie in memory where there is room for them.

    Databases, pictures and versions are synced to the disk at every write, which on a slow disk
    takes longer than the tests themselves; a process that is killed leaves the same either way.
    """
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= NEEDED_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where slow tests are left out, files of nothing else are not even imported.

    The libraries that they load (torch) take longer than all the other imports together, once in
    every process.
    """
    if collection_path.suffix != ".py" or "not slow" not in config.option.markexpr:
        return None
    return True if ALL_SLOW.search(collection_path.read_text("utf-8")) else None


def pytest_collection_finish() -> None:
    """What the tests import stays to the end.

    The garbage collector looks through it no more: where torch is loaded that took a tenth of the
    processor's time.
    """
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Tell how much of the contract was checked.

    Here, for the process that sums up does not load the contract's own conftest.
    """
    passed = [
        r
        for r in terminalreporter.stats.get("passed", ())
        if r.when == "call" and r.nodeid.startswith("tests/contract/")
    ]
    for backend in BACKENDS:
        cases = sum(f"[{backend}" in r.nodeid for r in passed)
        if cases:
            terminalreporter.write_line(f"contract cases passed on {backend}: {cases}")


@pytest.fixture(scope="session")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny CLIP checkpoint with random weights."""
    return checkpoints.save_clip(tmp_path_factory.mktemp("checkpoint") / "clip")


@pytest.fixture(scope="session")
def other_clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another tiny CLIP checkpoint, of the same shape."""
    return checkpoints.save_clip(tmp_path_factory.mktemp("checkpoint") / "other-clip", seed=1)


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The exported models of the whole run, for `data_folder`.

    An export takes ten seconds of a core. The first test that needs one makes it, in whichever
    process of the run, and the others wait for it.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "exports"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def siglip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny SigLIP checkpoint with random weights."""
    return checkpoints.save_siglip(tmp_path_factory.mktemp("checkpoint") / "siglip")


@pytest.fixture(scope="session")
def dual_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny dual encoder of a ConvNeXt and a BERT with random weights."""
    return checkpoints.save_dual(tmp_path_factory.mktemp("checkpoint") / "dual")


@pytest.fixture(scope="session")
def owlvit_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny OWL-ViT checkpoint with random weights."""
    return checkpoints.save_owlvit(tmp_path_factory.mktemp("checkpoint") / "owlvit")


@pytest.fixture
def socket_folder() -> Iterator[Path]:
    """A folder for Unix sockets: a test's own has a path that is too long for them."""
    with tempfile.TemporaryDirectory(prefix="vitrine-test-", dir="/tmp") as folder:
        yield Path(folder)
