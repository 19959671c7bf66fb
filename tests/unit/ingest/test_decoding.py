"""Pictures decoded by processes: the same outcomes as in threads, whatever becomes of a process."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ingest.children import process
from ingest.database import ingest_database
from ingest.decoding import block
from ingest.decoding.process import DecoderUnavailable
from ingest.decoding.program import DecoderSpec
from ingest.decoding.work import PLACES, ProcessPictureWork
from ingest.failures import Ledger
from ingest.pictures.naming import FetchedPicture, Picture
from ingest.pipeline.local_work import LocalPictureWork
from ingest.pipeline.picture_work import PictureOutcome, PictureTask
from ingest.pipeline.run_pictures import picture_key
from ingest.sources import open_source
from ingest.tasks import picture_work
from ingest.tasks.bulk_ingest import run
from ingest.tasks.picture_work import decoding_processes
from tests.fakes import FakeEmbedder, FakeRules
from tests.support.waiting import until
from tests.unit.ingest.catalogue import MAPPING, Shop, picture
from tests.unit.test_rooms import HEAVY
from vitrine.errors import (
    Cancelled,
    Conflict,
    InvalidFilter,
    InvalidImage,
    NotFound,
    StorageUnavailable,
    VitrineError,
)
from vitrine.images.decode import ImageLimits
from vitrine.images.store import FileSystemStore
from vitrine.settings import Settings
from vitrine.wiring import Vitrine

DEADLY, GREEDY, BROKEN = (13, 13), (17, 17), (19, 19)
"""Sizes of pictures at which `HostileRules` end their process, take all memory, or fail."""
DEADLINE_S = 240.0


@dataclass(frozen=True)
class HostileRules(FakeRules):
    """Pictures of some sizes do to their process what no picture should."""

    def levels(self, images: Sequence[Image.Image]) -> NDArray[np.uint8]:
        for image in images:
            if image.size == DEADLY:
                os.kill(os.getpid(), signal.SIGKILL)
            if image.size == GREEDY:
                np.ones(10**11, np.uint8)
            if image.size == BROKEN:
                raise StorageUnavailable("the disk is full")
        return super().levels(images)


class Hosts:
    """Stands in for the fetcher: addresses and what they hold; None cannot be had."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.pictures: dict[str, bytes | None] = {}

    def read(self, named: Picture) -> FetchedPicture:
        data = named.read(self._settings) if named.url is None else self.pictures[named.url]
        if data is None:
            raise InvalidImage("unreachable", "the host does not answer")
        return FetchedPicture(picture_key(data), data)


class Workshop:
    """A work of processes over a store in a folder."""

    def __init__(self, folder: Path, processes: int = 1) -> None:
        self.settings = Settings(data_dir=folder)
        self.store = FileSystemStore(str(folder / "images"))
        self.embedder = FakeEmbedder()
        self.hosts = Hosts(self.settings)
        limits = ImageLimits.of(self.settings)
        rules = HostileRules(self.embedder.info.image_size)
        spec = DecoderSpec(self.settings, self.store, rules, limits, PLACES, processes)
        self.work = ProcessPictureWork(spec, self.hosts, self.embedder)
        self.threads = LocalPictureWork(
            self.hosts,
            self.store,
            self.embedder,
            limits,
            threads=1,
        )

    def outcomes(self, *pictures: bytes) -> list[PictureOutcome]:
        return list(self.work.prepare([PictureTask(Picture(data=data)) for data in pictures]))


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    shop = Workshop(tmp_path_factory.mktemp("workshop"))
    yield shop
    shop.work.close()


def refusals(outcomes: Sequence[PictureOutcome]) -> list[str]:
    return ["" if each.refusal is None else each.refusal.reason for each in outcomes]


def await_end(pids: Sequence[int]) -> None:
    """Wait until all processes have ended."""
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "the processes end")


@pytest.mark.slow
def test_the_outcomes_are_those_of_threads(workshop: Workshop, tmp_path: Path) -> None:
    file = tmp_path / "file.png"
    file.write_bytes(picture("green"))
    good = [picture("red", number=number) for number in range(2 * PLACES)]
    tasks = [PictureTask(Picture(data=data)) for data in (*good, b"", b"GIF8 no picture")]
    tasks += [
        PictureTask(Picture(path=str(file), root=str(tmp_path))),
        PictureTask(Picture(path=str(tmp_path / "gone.png"), root=str(tmp_path))),
        PictureTask(None, "f" * 64),
    ]
    by_threads, by_processes = (
        list(work.prepare(tasks)) for work in (workshop.threads, workshop.work)
    )
    assert refusals(by_processes) == refusals(by_threads)
    assert set(refusals(by_processes)) == {"", "empty", "damaged", "missing"}
    for first, other in zip(by_threads, by_processes, strict=True):
        assert (first.key, first.size, first.warnings) == (other.key, other.size, other.warnings)
        assert str(first.refusal) == str(other.refusal)
        assert np.array_equal(first.pixels, other.pixels)
    assert all(workshop.store.has(each.key) for each in by_processes if each.refusal is None)
    stored = PictureTask(None, by_threads[0].key)
    known = PictureTask(Picture(data=good[0]), embedded=frozenset([stored.key or ""]))
    again, spared = workshop.work.prepare([stored, known])
    assert np.array_equal(again.pixels, by_threads[0].pixels)
    assert spared.pixels is None
    assert spared.key == stored.key


@pytest.mark.slow
def test_addresses_are_fetched_here_and_decoded_there(workshop: Workshop) -> None:
    workshop.hosts.pictures |= {"http://a/1": picture("blue"), "http://a/2": None}
    tasks = [PictureTask(Picture(url=f"http://a/{number}")) for number in (1, 2, 1)]
    first, second, third = workshop.work.prepare(tasks)
    assert np.array_equal(first.pixels, third.pixels)
    assert {"fetch", "decode"} <= set(first.seconds)
    assert refusals([second]) == ["unreachable"]


@pytest.mark.slow
def test_a_killed_process_costs_no_picture(workshop: Workshop) -> None:
    assert refusals(workshop.outcomes(picture("red"))) == [""]
    (pid,) = workshop.work.pids
    os.kill(pid, signal.SIGKILL)
    assert refusals(workshop.outcomes(picture("red"), picture("blue"))) == ["", ""]
    assert workshop.work.pids != [pid]


@pytest.mark.slow
def test_a_process_killed_while_it_starts_is_started_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    killed = tmp_path / "killed"
    once = f"""
import os
if not os.path.exists({str(killed)!r}):
    os.mkdir({str(killed)!r})
    os.kill(os.getpid(), {signal.SIGKILL:d})
"""
    monkeypatch.setattr(process, "_PROGRAM", once + process._PROGRAM)
    shop = Workshop(tmp_path)
    assert refusals(shop.outcomes(picture("red"))) == [""]
    assert killed.exists()
    shop.work.close()
    monkeypatch.setattr(process, "_PROGRAM", "raise SystemExit(3)")
    shop = Workshop(tmp_path)
    with pytest.raises(
        DecoderUnavailable, match=r"exit status 3\); lower VITRINE_DECODE_PROCESSES"
    ):
        shop.outcomes(picture("red"))
    shop.work.close()


@pytest.mark.slow
def test_a_process_that_is_ended_while_it_starts_is_not_started_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started = tmp_path / "started"
    mark = f"import os, time; os.mkdir({str(started)!r}); time.sleep({DEADLINE_S})"
    monkeypatch.setattr(process, "_PROGRAM", mark)
    shop = Workshop(tmp_path)
    with ThreadPoolExecutor(1) as pool:
        outcomes = pool.submit(shop.outcomes, picture("red"))
        until(started.exists, "the process starts")
        shop.work.close()
        with pytest.raises(Cancelled):
            outcomes.result(DEADLINE_S)


def minor_faults(pid: int) -> int:
    """Pages of memory that a process has had from the system (minflt, proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return int(fields[7])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_what_a_picture_freed_serves_the_next_one(workshop: Workshop) -> None:
    pictures = [picture("red", size=(1000, 800), number=number) for number in range(8)]
    workshop.outcomes(*pictures)
    (pid,) = workshop.work.pids
    before = minor_faults(pid)
    workshop.outcomes(*pictures)
    assert minor_faults(pid) - before < 8 * 100, "each has 780 pages of pixels"


@pytest.mark.slow
def test_a_picture_that_ends_its_process_is_one_row_and_no_more(workshop: Workshop) -> None:
    pictures = [picture("red"), picture("blue", size=DEADLY), picture("green")]
    outcomes = workshop.outcomes(*pictures)
    assert refusals(outcomes) == ["", "ended_decoder", ""]
    assert "SIGKILL" in str(outcomes[1].refusal)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process's memory")
def test_a_picture_that_takes_all_memory_is_refused(workshop: Workshop) -> None:
    outcomes = workshop.outcomes(picture("red", size=GREEDY), picture("green"))
    assert refusals(outcomes) == ["too_complex", ""]


@pytest.mark.slow
def test_what_is_no_picture_s_fault_is_raised(workshop: Workshop) -> None:
    with pytest.raises(StorageUnavailable, match="disk is full"):
        workshop.outcomes(picture("red"), picture("red", size=BROKEN))
    assert refusals(workshop.outcomes(picture("red"))) == [""]


@pytest.mark.slow
def test_a_closed_work_leaves_no_process_and_takes_nothing_more(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, processes=2)
    assert refusals(shop.outcomes(picture("red"))) == [""]
    pids = shop.work.pids
    assert len(pids) == 1, "a second process is started when the first is busy"
    shop.work.close()
    await_end(pids)
    with pytest.raises(Cancelled):
        shop.outcomes(picture("red"))


LONELY = """
import sys
from pathlib import Path
from tests.unit.ingest.catalogue import picture
from tests.unit.ingest.test_decoding import Workshop

shop = Workshop(Path(sys.argv[1]))
shop.outcomes(picture("red"))
print(*shop.work.pids, flush=True)
sys.stdin.read()
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_nothing_is_left_of_a_work_that_was_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LONELY, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert len(pids) == 1
        files = os.listdir(f"/proc/{pids[0]}/fd")
        links = [os.readlink(f"/proc/{pids[0]}/fd/{each}") for each in files]
        parent.kill()
    await_end(pids)
    assert not any("/dev/shm" in link for link in links), links  # looked for, not used
    assert any("memfd" in link for link in links)


def test_where_memory_has_no_descriptors_a_file_without_a_name_serves(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    descriptor = block.unnamed_file(block.PixelBlock.size(2, (3, 4)))
    first = block.PixelBlock(descriptor, 2, (3, 4))
    other = block.PixelBlock(descriptor, 2, (3, 4))
    os.close(descriptor)
    first.put(1, np.full((3, 4, 3), 7, np.uint8))
    assert other.copy(2)[1].min() == 7
    assert list(tmp_path.iterdir()) == []


def test_a_decoding_process_loads_neither_model_nor_index() -> None:
    told = subprocess.run(
        [sys.executable, "-c", "import sys, ingest.decoding.program; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert not set(HEAVY) & {name.partition(".")[0] for name in told}


def test_errors_travel_between_processes() -> None:
    errors: list[VitrineError] = [
        InvalidImage("empty", "the file is empty"),
        Conflict("busy", job_id="j1"),
        InvalidFilter.of("price", "must be a number"),
        NotFound("no such product"),
    ]
    for error in errors:
        other = pickle.loads(pickle.dumps(error))
        assert (type(other), str(other), vars(other)) == (type(error), str(error), vars(error))


@pytest.mark.parametrize(
    ("cores", "device", "processes"),
    [(1, "cpu", 0), (2, "cpu", 0), (16, "cpu", 4), (1, "cuda", 1), (16, "cuda:1", 14)],
)
def test_processes_follow_cores_and_device(cores: int, device: str, processes: int) -> None:
    assert decoding_processes(cores, device) == processes


@pytest.mark.slow
def test_an_ingest_by_processes_gives_the_same_version_and_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where all memory for pictures counts as 64 MB, and on one core with a card.

    A picture that ends its process is a row of the ledger then, and costs no other one.
    """
    results = []
    monkeypatch.setattr(picture_work, "usable_cores", lambda: 1)
    for processes in (0, 2):
        shop = Shop(tmp_path / str(processes), decode_budget_mb=64)
        shop.settings = shop.settings.model_copy(update={"decode_processes": processes})
        shop.fill_index(40)
        shop.rows += [shop.product(n, image=f"gone-{n}.png") for n in (50, 51)]
        if processes:
            shop.embedder.pictures = HostileRules(shop.embedder.info.image_size)
            shop.rows.insert(20, shop.product(60))
            (shop.root / "pictures" / "60.png").write_bytes(picture("blue", size=DEADLY))
        shop.write()
        vitrine = Vitrine(shop.settings, embedder=lambda _, shop=shop: shop.embedder)
        summary = run(vitrine, open_source(str(shop.catalogue), shop.settings), MAPPING)
        live = vitrine.versions.live()
        records = live.get([row["id"] for row in shop.rows])
        ledger = Ledger(ingest_database(shop.settings.data_dir))
        failures = {(each.id, each.reason) for each in ledger.entries()[0]}
        results.append((summary.done, summary.failed, failures, records))
        vitrine.close()
    (done, failed, failures, first), (done2, failed2, failures2, other) = results
    assert (done, failed) == (40, 2)
    assert (done2, failed2, failures2) == (40, 3, failures | {("p60", "ended_decoder")})
    assert first.keys() == other.keys()
    for name, record in first.items():
        assert record.image_keys == other[name].image_keys
        assert np.array_equal(record.vectors, other[name].vectors)
