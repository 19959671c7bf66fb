"""The query box on Qdrant: it learns, reads, answers, completes and measures as on the embedded
index."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pytest

from tests.fakes import FakeEmbedder
from tests.integration.qdrant.engine import Engine
from tests.integration.qdrant.grpc_server import serve
from tests.unit.test_learning import MAPPING, catalogue, words, written_now
from vitrine.evaluation import Judgement, evaluate
from vitrine.index import IndexVersions, VectorIndex
from vitrine.index.faiss import open_versions as open_faiss
from vitrine.index.qdrant import open_versions as open_qdrant
from vitrine.learning import is_stale, learn_if_stale, learn_search_model, learn_version
from vitrine.queries import SearchQuery, Sort
from vitrine.results import Page
from vitrine.search import SearchEngine
from vitrine.serving import EmbedderPool, LiveIndex
from vitrine.settings import Settings
from vitrine.words.suggestions import Suggestion

EMBEDDER = FakeEmbedder()
PRODUCTS = catalogue(EMBEDDER, 160, 1)


@dataclass
class Shop:
    versions: IndexVersions
    index: VectorIndex
    engine: SearchEngine


@contextmanager
def open_served() -> Iterator[IndexVersions]:
    """No versions yet, on an engine of their own."""
    with closing(Engine()) as engine, serve(engine) as port:
        settings = Settings(qdrant_url="http://127.0.0.1:1", qdrant_grpc_port=port)
        with closing(open_qdrant(settings)) as versions:
            yield versions


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, Shop]]:
    """The same catalogue on the embedded index and on Qdrant, which have learnt the same."""
    folder = tmp_path_factory.mktemp("embedded")
    with closing(open_faiss(Settings(data_dir=folder))) as faiss, open_served() as served:
        embedded, qdrant = new_shop(faiss), new_shop(served)
        model = qdrant.index.search_model
        assert model is not None
        embedded.versions.learn(embedded.index.info.name, model)
        yield embedded, qdrant


def new_shop(versions: IndexVersions) -> Shop:
    info = EMBEDDER.info
    index = versions.create(
        model="m",
        fingerprint=info.fingerprint,
        dimension=info.dimension,
        schema=MAPPING.schema(),
        mapping=MAPPING.to_dict(),
    )
    index.upsert(PRODUCTS)
    assert learn_version(versions, index, EMBEDDER) is not None
    versions.complete(index.info.name)
    versions.publish(index.info.name)
    engine = SearchEngine(LiveIndex(versions, EmbedderPool(lambda _: EMBEDDER)), Settings())
    return Shop(versions, versions.live(), engine)


QUESTIONS = [
    *(words(text) for text in ("red mug", "jaket", "SKU 0012", "combine harvester", "acme", "?")),
    *(words(text) for text in (PRODUCTS[5].product.title.upper(), "mug under 50", "lamp not red")),
    words("mug", sort=Sort("price")),
    words("dress", sort=Sort.parse("-in_stock,relevance"), facets=("brand", "price")),
    words("blue sofa", collapse="brand", facets=("brand",)),
    words("blue sofa", cutoff="off", limit=100),
    words("vase", ranking="words", explain=True),
    words("kettle", ranking="vector"),
    words("red dress", unlike=("SKU-0001", "SKU-0009")),
    SearchQuery(like=("SKU-0003",)),
    words("gift for a grandson"),
    words("mug between 20 and 90", literal=("between 20 and 90",)),
]


@pytest.mark.parametrize("number", range(3))
def test_all_that_an_answer_says_is_the_same(shops: tuple[Shop, Shop], number: int):
    for query in QUESTIONS[number::3]:
        for page in range(3):
            embedded, qdrant = (shop.engine.search(query) for shop in shops)
            assert said(qdrant) == said(embedded), f"page {page} of {query}"
            scores = [hit.score for hit in embedded.hits]
            assert [hit.score for hit in qdrant.hits] == pytest.approx(scores, abs=1e-5)
            if embedded.next_cursor is None:
                break
            queries = [replace(query, cursor=p.next_cursor) for p in (embedded, qdrant)]
            embedded, qdrant = (
                shop.engine.search(q) for shop, q in zip(shops, queries, strict=True)
            )
            assert said(qdrant) == said(embedded), f"page {page} of {query}"


def said(page: Page) -> object:
    return (
        [hit.product.id for hit in page.hits],
        (page.total, page.beyond, page.notes, page.understanding, page.facets),
    )


def test_words_are_completed_the_same(shops: tuple[Shop, Shop]):
    for typed in ("m", "red", "jak", "acme cl", "SKU-00", "blu"):
        embedded, qdrant = (completed(shop, typed) for shop in shops)
        assert qdrant == embedded, typed
    assert completed(shops[1], "mu")


def completed(shop: Shop, typed: str) -> list[Suggestion]:
    return list(shop.engine.answer(lambda version: version.suggest(typed, limit=8)))


def test_judged_queries_have_the_same_measures(shops: tuple[Shop, Shop]):
    kinds = ("mug", "dress", "jacket")
    judged = [
        Judgement(
            kind, kind, None, {p.product.id: 1 for p in PRODUCTS if kind in p.product.title.lower()}
        )
        for kind in kinds
    ]
    embedded, qdrant = (evaluate(shop.engine.search, judged, open_image=no_image) for shop in shops)
    assert qdrant == embedded
    assert qdrant.values["nDCG@10"] > 0.9


def no_image(path: Path) -> None:
    raise AssertionError(path)


def test_either_learns_the_same_from_the_same_products(shops: tuple[Shop, Shop]):
    """Each reads them in an order of its own; vectors that Qdrant stores differ in the last
    digit."""
    embedded, qdrant = (learn_search_model(shop.index, EMBEDDER) for shop in shops)
    assert qdrant.vocabulary.to_bytes() == embedded.vocabulary.to_bytes()
    assert qdrant.values.to_bytes() == embedded.values.to_bytes()
    assert qdrant.phrases == embedded.phrases
    for part in ("text", "image", "words"):
        for name, value in asdict(getattr(embedded.constants, part)).items():
            learnt = getattr(getattr(qdrant.constants, part), name)
            assert learnt == pytest.approx(value, rel=1e-3, abs=1e-6), (part, name)


def test_a_version_learns_anew_when_a_fifth_has_changed():
    with open_served() as versions:
        shop = new_shop(versions)
        assert not is_stale(shop.index)
        shop.index.upsert([written_now(EMBEDDER, n, f"Zorblax {n}") for n in range(33)])
        assert shop.engine.search(words("zorblax")).hits[0].product.title.startswith("Zorblax")
        before = shop.index.search_model
        after = learn_if_stale(shop.versions, shop.index, EMBEDDER)
        assert after is not None
        assert before is not None
        assert "zorblax" in after.vocabulary
        assert shop.index.search_model is not None
        assert shop.index.search_model.key == after.key != before.key
        assert not is_stale(shop.index)
