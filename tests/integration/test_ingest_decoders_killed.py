"""An ingest whose decoding processes are killed again and again, or that has no room for what they
share, ends as if undisturbed or says which setting helps."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import psutil
import pytest

from ingest.failures import open_ledger
from tests.integration.ingest_process import main
from tests.support.forked import Forked
from tests.unit.ingest.catalogue import picture
from tests.unit.ingest.test_decoding import await_end
from vitrine.images.store import open_store
from vitrine.index.faiss import open_versions
from vitrine.settings import Settings

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
]

PRODUCTS = 200
BROKEN = (7, 111, 199)
SIGNALS = (signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM)
MAPPING = '[product]\nid = "id"\ntitle = "name"\nimage = "image"\n'
PATIENCE_S = 400


def catalogue(folder: Path) -> list[str]:
    """Arguments of an ingest: a catalogue, its mapping, a data folder and no pause."""
    rows = []
    for number in range(PRODUCTS):
        file = folder / f"{number}.png"
        file.write_bytes(b"no picture" if number in BROKEN else picture(number=number))
        rows.append({"id": f"p{number:03}", "name": f"thing {number}", "image": file.name})
    (folder / "products.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "shop.toml").write_text(MAPPING)
    return [str(folder / name) for name in ("products.jsonl", "shop.toml", "data")]


def outcome(data_dir: str) -> object:
    """The products with their vectors, what is in the ledger, and the keys of all pictures."""
    settings = Settings(data_dir=Path(data_dir))
    with closing(open_versions(settings)) as versions:
        assert [info.state for info in versions.list()] == ["live"]
        records = {
            record.product.id: (record.product, record.image_keys, record.vectors.tobytes())
            for batch in versions.live().scan()
            for record in batch
        }
    failures, _ = open_ledger(settings).entries()
    ledger = sorted((each.id, each.reason, each.row) for each in failures)
    assert not list(Path(data_dir).rglob("*.part"))
    return records, ledger, sorted(open_store(settings).walk_keys())


@pytest.fixture
def undisturbed(tmp_path: Path) -> tuple[list[str], object]:
    """Arguments of an ingest and what it comes to when nothing happens."""
    source, mapping, data = catalogue(tmp_path)
    program = Forked(main, source, mapping, f"{data}-undisturbed", 0)
    program.rest()
    assert program.status == 0
    return [source, mapping, data], outcome(f"{data}-undisturbed")


def children(program: Forked) -> list[psutil.Process]:
    try:
        return psutil.Process(program.pid).children()
    except psutil.NoSuchProcess:
        return []


def is_reader(process: psutil.Process) -> bool:
    """Whether it reads the catalogue; the second death of that ends the run."""
    return "ingest.reading.program" in process.cmdline()


def test_whatever_process_is_killed_at_random_moments_no_product_is_lost(
    undisturbed: tuple[list[str], object],
) -> None:
    """Two decoding processes in each run, for the third death of one that starts ends the run; then
    the one that started them. The last run takes what two deaths at the same picture refused."""
    arguments, expected = undisturbed
    seed = random.randrange(10**6)
    print("seed", seed)
    chance = random.Random(seed)
    for images in [*chance.sample(range(16, 36), 3), sys.maxsize]:
        program = Forked(partial(main, processes=3, images=images), *arguments, 0.005)
        kills, seen = 0, set()
        while program.line():  # when more products are written
            running = children(program)
            seen.update(each.pid for each in running)
            if running and kills < 2 and chance.random() < 0.7:
                with suppress(psutil.NoSuchProcess):
                    victim = chance.choice(running)
                    reader = is_reader(victim)
                    victim.send_signal(chance.choice(SIGNALS))
                    kills += 2 if reader else 1
        program.rest()
        assert program.status == (-signal.SIGKILL if images < PRODUCTS else 0)
        await_end(sorted(seen))
    again = Forked(partial(main, processes=1), *arguments, 0)
    again.rest()
    assert again.status == 0
    assert outcome(arguments[2]) == expected


IN_SMALL_FOLDERS = """
set -e
mount -t tmpfs -o size=64k tmpfs /dev/shm
mount -t tmpfs -o size=16k tmpfs "$0"
head -c 65536 /dev/zero > /dev/shm/full
head -c 8192 /dev/zero > "$0/full"
export TMPDIR="$0"
"$@"
ls /dev/shm "$0"
"""
"""A shell script: the command after the name of a folder runs where /dev/shm is full and that, the
place for temporary files, has room for 8 kB."""
INGEST = """
import os, sys
from tests.integration.ingest_process import main
if sys.argv[1] == "without memfd":
    del os.memfd_create
main(*sys.argv[2:], 0.0, processes=2)
"""


def in_small_folders(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a mount namespace of its own, in which only full memory is to be had."""
    unshare = ("unshare", "--map-root-user", "--mount", "sh", "-c", IN_SMALL_FOLDERS)
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(
            [*unshare, folder, *command],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder outside /dev/shm, where namespaces may be made; test_decoding_limits.py shows the
    same errors everywhere."""
    try:
        possible = in_small_folders("true").returncode == 0
    except FileNotFoundError:
        possible = False
    if not possible:
        pytest.skip("this user may make no mount namespace")
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


def test_a_full_shm_is_no_matter(folder: Path) -> None:
    arguments = catalogue(folder)
    done = in_small_folders(sys.executable, "-c", INGEST, "with memfd", *arguments)
    assert done.returncode == 0, done.stderr
    assert f'"done": {PRODUCTS - len(BROKEN)}' in done.stdout
    left = done.stdout.partition("/dev/shm:")[2].split()
    assert left == ["full", left[1], "full"], "nothing is left in /dev/shm and the other folder"


def test_where_pixels_are_in_files_a_full_disk_is_told_and_costs_nothing(folder: Path) -> None:
    """A decoding process that ran into a hole in its block would end by SIGBUS, and its pictures
    would be refused."""
    arguments = catalogue(folder)
    done = in_small_folders(sys.executable, "-c", INGEST, "without memfd", *arguments)
    assert done.returncode == 1
    assert "No space left on device); lower VITRINE_DECODE_PROCESSES" in done.stderr
    assert "SIGBUS" not in done.stderr
    again = subprocess.run(
        [sys.executable, "-c", INGEST, "with memfd", *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    assert f'"done": {PRODUCTS - len(BROKEN)}' in again.stdout
