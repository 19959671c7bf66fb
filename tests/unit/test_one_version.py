"""One request is answered by one version, whatever is published or removed while it runs."""

from __future__ import annotations

import pytest

from tests.fake_index import FakeIndex, FakeVersions
from tests.fakes import FakeEmbedder
from tests.shop import MAPPING, product
from vitrine.cohort import Cohort, is_searching, set_out
from vitrine.errors import InvalidCursor, VersionGone
from vitrine.index import IndexAnswer, IndexQuery
from vitrine.products import Record
from vitrine.queries import SearchQuery, WeightedText
from vitrine.search import SearchEngine
from vitrine.serving import EmbedderPool, LiveIndex
from vitrine.settings import Settings
from vitrine.signing import Signer
from vitrine.version_search import VersionSearch

SIGNER = Signer.random()


class CountedVersions(FakeVersions):
    """Counts how often it is asked which version is live."""

    def __init__(self) -> None:
        super().__init__()
        self.live_calls = 0

    def live(self) -> FakeIndex:
        self.live_calls += 1
        return super().live()


@pytest.fixture
def versions() -> CountedVersions:
    return CountedVersions()


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture
def engine(versions: CountedVersions, embedder: FakeEmbedder) -> SearchEngine:
    live = LiveIndex(versions, EmbedderPool(lambda _: embedder))
    return SearchEngine(live, Settings(), SIGNER)


def publish(versions: FakeVersions, embedder: FakeEmbedder, *numbers: int) -> str:
    info = embedder.info
    index = versions.create(
        model="m",
        fingerprint=info.fingerprint,
        dimension=info.dimension,
        schema=MAPPING.schema(),
        mapping={},
    )
    vector = embedder.embed_texts(["red"])[0]
    index.upsert([Record.of_picture(product(n), vector, f"picture {n}") for n in numbers])
    versions.complete(index.info.name)
    versions.publish(index.info.name)
    return index.info.name


RED = SearchQuery(texts=(WeightedText("red"),))


def test_a_request_stays_on_its_version_when_another_is_published_in_its_middle(
    engine: SearchEngine, versions: CountedVersions, embedder: FakeEmbedder
):
    first = publish(versions, embedder, 1, 2)

    def request(version: VersionSearch) -> list[str]:
        schema = version.schema
        publish(versions, embedder, 3)
        assert version.schema is schema
        page = version.search(RED)
        assert version.product("p00001").product.id == "p00001"
        return [page.version, *(hit.product.id for hit in page.hits)]

    assert engine.answer(request) == [first, "p00001", "p00002"]


def test_a_request_asks_once_which_version_is_live(
    engine: SearchEngine, versions: CountedVersions, embedder: FakeEmbedder
):
    publish(versions, embedder, 1, 2)
    engine.search(RED)
    versions.live_calls = 0
    engine.answer(lambda version: (version.schema, version.search(RED), version.product("p00001")))
    engine.similar("p00001", SearchQuery())
    assert versions.live_calls == 2


def test_a_version_that_was_removed_meanwhile_is_noticed_and_the_request_runs_once_more(
    engine: SearchEngine,
    versions: CountedVersions,
    embedder: FakeEmbedder,
    monkeypatch: pytest.MonkeyPatch,
):
    first = publish(versions, embedder, 1)
    engine.search(RED)
    search = FakeIndex.search

    def removed_first(index: FakeIndex, query: IndexQuery) -> IndexAnswer:
        if index.info.name == first:
            publish(versions, embedder, 2)
            versions.discard(first)
            raise VersionGone(f"version {first} is gone")
        return search(index, query)

    monkeypatch.setattr(FakeIndex, "search", removed_first)
    page = engine.search(RED)
    assert [hit.product.id for hit in page.hits] == ["p00002"]


def test_a_version_that_keeps_vanishing_is_told_after_the_second_time(
    engine: SearchEngine,
    versions: CountedVersions,
    embedder: FakeEmbedder,
    monkeypatch: pytest.MonkeyPatch,
):
    publish(versions, embedder, 1)
    searched: list[str] = []

    def always_gone(index: FakeIndex, query: IndexQuery) -> IndexAnswer:
        searched.append(index.info.name)
        raise VersionGone("gone")

    monkeypatch.setattr(FakeIndex, "search", always_gone)
    with pytest.raises(VersionGone):
        engine.search(RED)
    assert len(searched) == 2


def test_a_further_page_of_a_removed_version_is_an_expired_cursor(
    engine: SearchEngine, versions: CountedVersions, embedder: FakeEmbedder
):
    from vitrine.cursors import Cursor, query_digest
    from vitrine.index import PageToken

    gone = publish(versions, embedder, 1)
    publish(versions, embedder, 2)
    token = PageToken(0, None, (0.5, "p00001"), 2)
    cursor = Cursor(gone, query_digest(RED), token, embedder.embed_texts(["red"])[0]).encode(SIGNER)
    versions.discard(gone)
    with pytest.raises(InvalidCursor, match="has expired"):
        engine.search(SearchQuery(texts=RED.texts, cursor=cursor))


@pytest.mark.parametrize("cursor", [None, "unknown"])
def test_nobody_waits_for_a_request_that_needs_no_scan(
    engine: SearchEngine,
    versions: CountedVersions,
    embedder: FakeEmbedder,
    cursor: str | None,
):
    publish(versions, embedder, 1)
    cohort = Cohort(1)
    set_out(cohort)
    if cursor is None:
        engine.answer(lambda version: version.schema)
    else:
        with pytest.raises(InvalidCursor):
            engine.answer(lambda version: version.schema, cursor=cursor)
    assert cohort.complete


def test_a_request_is_one_of_those_that_wait_for_each_other(
    engine: SearchEngine, versions: CountedVersions, embedder: FakeEmbedder
):
    publish(versions, embedder, 1)
    assert engine.answer(lambda _: is_searching())
    assert not is_searching()
