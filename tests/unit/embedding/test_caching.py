"""Equal queries ask the model once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.checkpoints import photo
from tests.fakes import FakeEmbedder
from vitrine.embedding.caching import CachingEmbedder
from vitrine.errors import Abandoned, ModelBusy


@pytest.fixture
def fake() -> FakeEmbedder:
    return FakeEmbedder()


def cached(fake: FakeEmbedder, size: int = 100, timeout_s: float = 60) -> CachingEmbedder:
    return CachingEmbedder(fake, size=size, timeout_s=timeout_s)


def test_the_second_time_costs_nothing(fake: FakeEmbedder) -> None:
    cache = cached(fake)
    first = cache.embed_texts(["a red dress", "a mug"])
    assert np.array_equal(cache.embed_texts(["a mug", "a red dress"]), first[::-1])
    assert np.array_equal(first, FakeEmbedder().embed_texts(["a red dress", "a mug"]))
    assert fake.texts_embedded == 2
    assert (cache.hits, cache.misses, cache.joined) == (2, 2, 0)


def test_blanks_and_unicode_forms_make_no_difference_but_case_does(fake: FakeEmbedder) -> None:
    cache = cached(fake)
    cache.embed_texts(["a  caf\u00e9\n"])  # codespell:ignore
    cache.embed_texts(["a cafe\u0301"])
    assert fake.texts_embedded == 1
    cache.embed_texts(["A caf\u00e9"])  # codespell:ignore
    assert fake.texts_embedded == 2


def test_a_text_given_twice_is_embedded_once_and_given_twice(fake: FakeEmbedder) -> None:
    rows = cached(fake).embed_texts(["x", "y", "x"])
    assert fake.texts_embedded == 2
    assert np.array_equal(rows[0], rows[2])


def test_pictures_are_known_by_their_pixels(fake: FakeEmbedder) -> None:
    cache = cached(fake)
    rows = cache.embed_images([photo(1), photo(2)])
    assert np.array_equal(cache.embed_images([photo(2).copy()])[0], rows[1])
    assert fake.images_embedded == 2
    assert np.array_equal(cache.embed_pixels(cache.preprocess([photo(1)])), rows[:1])
    assert cache.embed_images([]).shape == (0, 64)


def test_a_text_and_a_picture_never_share_a_place(fake: FakeEmbedder) -> None:
    cache = cached(fake)
    cache.embed_images([photo(1)])
    (key,) = cache._cache
    cache.embed_texts([key, key.removeprefix("picture ")])
    assert fake.texts_embedded == 2


def test_the_least_recently_used_goes_first(fake: FakeEmbedder) -> None:
    cache = cached(fake, size=2)
    for text in ("a", "b", "a", "c", "a"):
        cache.embed_texts([text])
    assert fake.texts_embedded == 3
    assert len(cache) == 2
    cache.embed_texts(["b"])
    assert fake.texts_embedded == 4


def test_a_size_of_zero_keeps_nothing(fake: FakeEmbedder) -> None:
    cache = cached(fake, size=0)
    for _ in range(3):
        cache.embed_texts(["a"])
    assert fake.texts_embedded == 3
    assert len(cache) == 0


def test_what_is_handed_out_cannot_change_what_is_kept(fake: FakeEmbedder) -> None:
    cache = cached(fake)
    cache.embed_texts(["a"])[:] = 0
    assert np.array_equal(cache.embed_texts(["a"]), FakeEmbedder().embed_texts(["a"]))


class Slow(FakeEmbedder):
    """Waits to be let go before it embeds, and may fail."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.go = threading.Event()
        self.error: Exception | None = None

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.entered.set()
        assert self.go.wait(60)
        if self.error is not None:
            raise self.error
        return super().embed_texts(texts)


def flights(slow: Slow, cache: CachingEmbedder, count: int) -> list[object]:
    """What `count` threads get that ask the same while the first is under way."""
    got: list[object] = []

    def ask() -> None:
        try:
            got.append(cache.embed_texts(["same"]).tobytes())
        except Exception as error:
            got.append(error)

    threads = [threading.Thread(target=ask) for _ in range(count)]
    threads[0].start()
    assert slow.entered.wait(60)
    for thread in threads[1:]:
        thread.start()
    while cache.joined < count - 1:
        threading.Event().wait(0.001)
    slow.go.set()
    for thread in threads:
        thread.join(60)
    return got


def test_equal_queries_at_the_same_time_fly_once() -> None:
    slow = Slow()
    cache = cached(slow)
    got = flights(slow, cache, 6)
    assert len(set(got)) == 1
    assert slow.texts_embedded == 1
    assert (cache.misses, cache.joined) == (1, 5)


def test_a_flight_that_fails_fails_for_all_on_board_and_is_tried_again() -> None:
    slow = Slow()
    slow.error = RuntimeError("no luck")
    cache = cached(slow)
    assert [str(error) for error in flights(slow, cache, 3)] == ["no luck"] * 3
    slow.error = None
    assert cache.embed_texts(["same"]).shape == (1, 64)


def test_waiting_for_anothers_flight_has_an_end() -> None:
    slow = Slow()
    cache = cached(slow, timeout_s=0.05)
    leader = threading.Thread(target=lambda: cache.embed_texts(["same"]))
    leader.start()
    assert slow.entered.wait(60)
    with pytest.raises(ModelBusy):
        cache.embed_texts(["same"])
    slow.go.set()
    leader.join(60)


def test_a_long_text_is_remembered_by_its_digest(fake: FakeEmbedder) -> None:
    cache = cached(fake)
    long = "a very long text " * 500
    assert np.array_equal(cache.embed_texts([long]), cache.embed_texts([long]))
    assert fake.texts_embedded == 1
    assert max(len(key) for key in cache._cache) < 100


def test_who_waits_for_an_equal_query_does_not_leave_with_its_asker() -> None:
    entered, open_ = threading.Event(), threading.Event()

    class Abandoning(FakeEmbedder):
        def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
            if not entered.is_set():
                entered.set()
                assert open_.wait(60)
                raise Abandoned("nobody waits")
            return super().embed_texts(texts)

    cache = cached(Abandoning())
    rows: list[NDArray[np.float32]] = []
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(cache.embed_texts, ["a mug"])
        assert entered.wait(60)
        second = pool.submit(lambda: rows.append(cache.embed_texts(["a mug"])))
        while not cache.joined:
            threading.Event().wait(0.01)
        open_.set()
        assert isinstance(first.exception(60), Abandoned)
        second.result(60)
    assert rows[0].shape[0] == 1
