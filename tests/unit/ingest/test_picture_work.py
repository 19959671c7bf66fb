"""Pictures are kept beside the work on the next ones, and before their outcome comes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from ingest.pictures.naming import FetchedPicture, Picture
from ingest.pipeline import preparation
from ingest.pipeline.local_work import LocalPictureWork
from ingest.pipeline.picture_work import PictureOutcome, PictureTask
from ingest.pipeline.run_pictures import picture_key
from tests.fakes import FakeEmbedder
from tests.support.turns import RecordedTurns
from tests.unit.ingest.catalogue import picture
from vitrine.errors import StorageUnavailable
from vitrine.images.decode import ImageLimits
from vitrine.images.decoded import DecodedImage
from vitrine.images.store import FileSystemStore
from vitrine.settings import Settings


class Reader:
    def read(self, named: Picture) -> FetchedPicture:
        data = named.read(Settings())
        return FetchedPicture(picture_key(data), data)


class MeetingStore(FileSystemStore):
    """Keeps a picture when another is to be kept at the same time; `full` keeps none."""

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder))
        self.full = False
        self._meeting = threading.Barrier(2)

    def put(self, data: bytes, *, key: str | None = None) -> str:
        self._meeting.wait(60)
        if self.full:
            raise StorageUnavailable("the disk is full")
        return super().put(data, key=key)


@contextmanager
def outcomes(store: FileSystemStore, count: int) -> Iterator[Iterator[PictureOutcome]]:
    limits = ImageLimits.of(Settings())
    with closing(LocalPictureWork(Reader(), store, FakeEmbedder(), limits, threads=1)) as work:
        pictures = [Picture(data=picture("red", number=number)) for number in range(count)]
        yield work.prepare([PictureTask(each) for each in pictures])


def test_the_next_pictures_are_prepared_while_one_is_kept(tmp_path: Path) -> None:
    store = MeetingStore(tmp_path)
    with outcomes(store, 20) as prepared:
        stored = [(outcome.key, store.has(outcome.key)) for outcome in prepared]
    expected = [picture_key(picture("red", number=number)) for number in range(20)]
    assert stored == [(key, True) for key in expected]


def test_an_embedded_picture_that_the_store_has_lost_is_kept_again(tmp_path: Path) -> None:
    store, limits = FileSystemStore(str(tmp_path)), ImageLimits.of(Settings())
    data = picture("red", number=1)
    key = picture_key(data)
    with closing(LocalPictureWork(Reader(), store, FakeEmbedder(), limits, threads=1)) as work:
        (outcome,) = work.prepare([PictureTask(Picture(data=data), embedded=frozenset({key}))])
    assert (outcome.key, outcome.pixels) == (key, None)
    assert store.get(key) == data


def test_what_keeps_a_picture_from_being_kept_is_raised(tmp_path: Path) -> None:
    store = MeetingStore(tmp_path)
    store.full = True
    with outcomes(store, 2) as prepared, pytest.raises(StorageUnavailable, match="disk is full"):
        next(prepared)


@pytest.mark.parametrize(("most_bytes", "turns"), [(16_000_000, 3), (1, 20)])
def test_pictures_are_read_before_a_turn_and_decoded_within_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_bytes: int, turns: int
) -> None:
    recorded, decode = RecordedTurns(), preparation.decode
    read: list[bool] = []
    decoded: list[bool] = []

    class Watched(Reader):
        def read(self, named: Picture) -> FetchedPicture:
            read.append(recorded.held)
            return super().read(named)

    def watched(data: bytes, limits: ImageLimits, *, at_least: int | None) -> DecodedImage:
        decoded.append(recorded.held)
        return decode(data, limits, at_least=at_least)

    monkeypatch.setattr(preparation, "core_turns", recorded)
    monkeypatch.setattr(preparation, "decode", watched)
    monkeypatch.setattr(preparation, "_BYTES_IN_TURN", most_bytes)
    store, limits = FileSystemStore(str(tmp_path)), ImageLimits.of(Settings())
    with closing(LocalPictureWork(Watched(), store, FakeEmbedder(), limits, threads=1)) as work:
        tasks = [PictureTask(Picture(data=picture("red", number=each))) for each in range(20)]
        assert [outcome.refusal for outcome in work.prepare(tasks)] == [None] * 20
    assert (read, decoded, recorded.taken) == ([False] * 20, [True] * 20, turns)
