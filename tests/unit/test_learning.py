"""A version learns of itself, and searches by words and pictures answer with what it has learnt."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fake_index import FakeVersions
from tests.fakes import COLORS, FakeEmbedder
from vitrine.errors import InvalidCursor, InvalidQuery
from vitrine.fields import Mapping
from vitrine.index import VectorIndex
from vitrine.index.faiss.versions import FaissVersions
from vitrine.learning import _Sample, learn_if_stale, learn_search_model, learn_version
from vitrine.products import Product, Record
from vitrine.queries import SearchQuery, Sort, WeightedText
from vitrine.search import SearchEngine
from vitrine.serving import EmbedderPool, LiveIndex
from vitrine.settings import Settings
from vitrine.words import (
    Analyzer,
    Postings,
    VocabularyCounts,
    document_words,
    product_text,
    query_words,
)

pytestmark = pytest.mark.slow

NAMES = ("id", "title", "image", "price", "color", "category", "brand", "in_stock")
MAPPING = Mapping.from_dict({"product": {name: name for name in NAMES}})
KINDS = ("mug", "dress", "jacket", "lamp", "sofa", "kettle", "pillow", "vase")
BRANDS = ("Acme", "Borealis", "Cinder", "Dorado")


def catalogue(embedder: FakeEmbedder, size: int, seed: int) -> list[Record]:
    rng = random.Random(seed)
    records = []
    for number in range(size):
        color, kind = rng.choice(list(COLORS)), KINDS[number % len(KINDS)]
        brand = rng.choice(BRANDS)
        product = Product(
            id=f"SKU-{number:04}",
            title=f"{brand} {rng.choice(('Classic', 'Modern', 'Plain'))} {kind.title()} {number}",
            price=float(rng.randint(5, 200)),
            currency="EUR",
            color=(color,),
            colors=(color,),
            category=(f"Shop/{kind.title()}s",),
            brand=brand,
            in_stock=rng.random() < 0.7,
        )
        row = embedder.embed_texts([f"{color} {kind}"])
        records.append(Record(product, row, (f"{number:064x}",)))
    return records


@pytest.fixture(scope="module")
def embedder() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture
def versions(tmp_path: Path) -> FaissVersions:
    settings = Settings(data_dir=tmp_path)
    return FaissVersions(tmp_path / "index", settings)


@pytest.fixture
def index(versions: FaissVersions, embedder: FakeEmbedder) -> VectorIndex:
    info = embedder.info
    index = versions.create(
        model="m",
        fingerprint=info.fingerprint,
        dimension=info.dimension,
        schema=MAPPING.schema(),
        mapping=MAPPING.to_dict(),
    )
    index.upsert(catalogue(embedder, 400, 1))
    versions.complete(index.info.name)
    versions.publish(index.info.name)
    return index


@pytest.fixture
def engine(versions: FaissVersions, embedder: FakeEmbedder) -> SearchEngine:
    return SearchEngine(LiveIndex(versions, EmbedderPool(lambda _: embedder)), Settings())


def words(text: str, **more) -> SearchQuery:
    return SearchQuery(texts=(WeightedText(text),), **more)


def test_the_same_products_teach_the_same(index: VectorIndex, embedder: FakeEmbedder):
    assert learn_search_model(index, embedder).key == learn_search_model(index, embedder).key


def test_a_product_that_is_removed_while_a_version_learns_leaves_no_row(embedder: FakeEmbedder):
    records = catalogue(embedder, 5, 3)
    analyzer, schema = Analyzer("en"), MAPPING.schema()
    sample = _Sample([["gone"], [r.product.id for r in records]], embedder.info.dimension)
    for record in records:
        sample.offer(record, document_words(record.product, schema, analyzer))
    drawn = sample.drawn()
    by_id = {record.product.id: record for record in records}
    assert sorted(product.id for product in drawn.products) == sorted(by_id)
    documents = [document_words(by_id[p.id].product, schema, analyzer) for p in drawn.products]
    vocabulary = VocabularyCounts()
    vocabulary.add(documents)
    query = query_words(records[2].product.title, vocabulary.vocabulary(), analyzer)
    assert drawn.postings.scores(query).tolist() == Postings.of(documents).scores(query).tolist()
    for row, product in enumerate(drawn.products):
        assert (drawn.pictures[row] == by_id[product.id].vectors[0]).all()


def test_what_was_learnt_holds_every_word_and_every_value(
    versions: FaissVersions, index: VectorIndex, embedder: FakeEmbedder
):
    model = learn_version(versions, index, embedder)
    assert model is not None
    assert model.vocabulary.count == 400
    assert {"acme", "mug", "jacket", "classic"} <= set(model.vocabulary.words)
    assert model.constants.products == 400
    assert "EUR" in model.values.currencies


def test_a_version_learns_anew_when_a_fifth_of_it_has_changed(
    versions: FaissVersions, index: VectorIndex, embedder: FakeEmbedder
):
    assert learn_if_stale(versions, index, embedder) is not None
    assert learn_if_stale(versions, index, embedder) is None
    index.upsert([written_now(embedder, n, "Zorblax") for n in range(60)])
    index.delete([f"SKU-{n:04}" for n in range(79)])
    assert learn_if_stale(versions, index, embedder) is None
    index.upsert([written_now(embedder, 0, "Zorblax again")])
    assert learn_if_stale(versions, index, embedder) is None
    index.delete(["SKU-0079"])
    assert learn_if_stale(versions, index, embedder) is not None


def test_a_version_without_words_learns_nothing(embedder: FakeEmbedder, index: VectorIndex):
    versions = FakeVersions()
    wordless = versions.create(
        model="m",
        fingerprint="f",
        dimension=index.info.dimension,
        schema=index.info.schema,
        mapping=index.info.mapping,
    )
    wordless.upsert([next(index.scan())[0]])
    assert learn_version(versions, wordless, embedder) is None


def test_before_anything_was_learnt_the_answer_says_that_words_do_not_count(
    engine: SearchEngine, index: VectorIndex
):
    page = engine.search(words("red mug"))
    assert [note.code for note in page.notes] == ["words_not_learned"]
    with pytest.raises(InvalidQuery, match="learned no words"):
        engine.search(words("red mug", ranking="words"))


@pytest.fixture
def learnt(
    engine: SearchEngine, versions: FaissVersions, index: VectorIndex, embedder: FakeEmbedder
) -> SearchEngine:
    learn_version(versions, index, embedder)
    return engine


@pytest.mark.parametrize("text", ["SKU-0123", "sku 0123", "SKU0123"])
def test_an_article_number_comes_first_however_it_is_typed(learnt: SearchEngine, text: str):
    page = learnt.search(words(text))
    assert page.hits[0].product.id == "SKU-0123"
    assert page.hits[0].score == 1.0


def test_every_exact_title_comes_first(learnt: SearchEngine, index: VectorIndex):
    for record in catalogue(FakeEmbedder(), 400, 1)[::7]:
        page = learnt.search(words(record.product.title.lower()))
        assert page.hits[0].product.id == record.product.id


def test_a_price_in_the_words_is_a_filter_and_can_be_refused(learnt: SearchEngine):
    page = learnt.search(words("mug under 50", limit=200))
    assert page.hits
    assert all(h.product.price < 50 for h in page.hits)
    assert page.understanding is not None
    assert page.understanding.words == "mug"
    literal = learnt.search(words("mug under 50", literal=("under 50",), limit=200))
    assert any(h.product.price >= 50 for h in literal.hits)
    plain = learnt.search(words("mug under 50", understand=False, limit=200))
    assert plain.understanding is None
    assert any(h.product.price >= 50 for h in plain.hits)


def test_a_sort_orders_what_is_relevant_and_nothing_else(learnt: SearchEngine):
    page = learnt.search(words("mug", sort=Sort("price"), limit=200))
    assert {h.product.category for h in page.hits} == {("Shop/Mugs",)}
    assert page.total == 50
    assert page.beyond == 350


def test_what_the_shop_does_not_have_is_not_found_and_anything_is(learnt: SearchEngine):
    page = learnt.search(words("combine harvester"))
    assert (page.total, page.beyond) == (0, 400)
    assert learnt.search(words("combine harvester", cutoff="off")).total == 400
    assert [(note.code, note.value) for note in page.notes] == [
        ("unknown_word", "combine"),
        ("unknown_word", "harvester"),
    ]
    assert page.notes[0].message == "no product says 'combine'"
    typed = learnt.search(words("Ku\u0308hlschrank mit Gefrierfächern"))
    assert [note.value for note in typed.notes] == ["Kühlschrank", "mit", "Gefrierfächern"]
    anything = learnt.search(words("gift for a grandson", limit=200))
    assert 0 < anything.total <= 80
    assert [note.value for note in anything.notes] == ["grandson"]
    assert not learnt.search(words("grandson")).hits


def test_a_misspelt_word_is_corrected_and_told(learnt: SearchEngine):
    page = learnt.search(words("jaket"))
    assert page.understanding is not None
    assert [(c.original, c.replacement) for c in page.understanding.corrected] == [
        ("jaket", "jacket")
    ]
    assert {h.product.category for h in page.hits} == {("Shop/Jackets",)}


def written_now(embedder: FakeEmbedder, number: int, title: str) -> Record:
    product = Product(id=f"NEW-{number}", title=title, color=("red",), colors=("red",))
    row = embedder.embed_texts(["a thing"])
    return Record(product, row, (f"{number:064x}",))


@pytest.mark.parametrize("word", ["zorblax", "jaket"])
def test_a_product_written_a_moment_ago_is_found_by_its_new_word(
    learnt: SearchEngine, index: VectorIndex, embedder: FakeEmbedder, word: str
):
    before = learnt.search(words(word))
    assert "NEW-1" not in [hit.product.id for hit in before.hits]
    index.upsert([written_now(embedder, 1, f"Aerial {word.title()} of steel")])
    page = learnt.search(words(word))
    assert page.hits[0].product.id == "NEW-1"
    assert page.understanding is not None
    assert not page.understanding.corrected
    index.delete(["NEW-1"])
    after = learnt.search(words(word))
    assert [h.product.id for h in after.hits] == [h.product.id for h in before.hits]
    assert after.understanding == before.understanding


def test_further_pages_read_a_query_as_its_first_page_did(
    learnt: SearchEngine, index: VectorIndex, embedder: FakeEmbedder
):
    index.upsert([written_now(embedder, n, f"Zorblax number {n}") for n in range(5)])
    page = learnt.search(words("zorblax", limit=2))
    ids = [hit.product.id for hit in page.hits]
    index.upsert([written_now(embedder, n, f"Something else {n}") for n in range(5, 9)])
    index.delete(["NEW-4"])
    while page.next_cursor:
        page = learnt.search(words("zorblax", limit=2, cursor=page.next_cursor))
        ids += [hit.product.id for hit in page.hits]
    assert sorted(ids) == [f"NEW-{n}" for n in range(4)]


def test_ranking_by_vector_is_the_plain_cosine(
    learnt: SearchEngine, index: VectorIndex, embedder: FakeEmbedder
):
    page = learnt.search(words("red mug", ranking="vector", limit=200))
    row = embedder.embed_texts(["red mug"])[0]
    records = {r.product.id: r for r in catalogue(embedder, 400, 1)}
    for hit in page.hits:
        assert hit.score == pytest.approx(float(records[hit.product.id].vectors[0] @ row), abs=1e-5)
    assert (page.beyond, page.understanding, page.notes) == (0, None, ())


def test_pages_of_words_embed_once_and_repeat_nothing(learnt: SearchEngine, embedder: FakeEmbedder):
    query = words("red mug", limit=10)
    page = learnt.search(query)
    embedded = embedder.texts_embedded
    ids = [h.product.id for h in page.hits]
    while page.next_cursor:
        page = learnt.search(words("red mug", limit=10, cursor=page.next_cursor))
        ids += [h.product.id for h in page.hits]
    assert embedder.texts_embedded == embedded
    assert len(ids) == len(set(ids)) == page.total


def test_a_cursor_ends_when_the_version_has_learnt_anew(
    learnt: SearchEngine, versions: FaissVersions, index: VectorIndex, embedder: FakeEmbedder
):
    page = learnt.search(words("mug", limit=1))
    index.upsert(catalogue(embedder, 500, 2))
    learn_version(versions, index, embedder)
    with pytest.raises(InvalidCursor, match="learned again"):
        learnt.search(words("mug", limit=1, cursor=page.next_cursor))


def test_less_like_this_stays_inside_what_is_relevant(learnt: SearchEngine):
    dresses = learnt.search(words("dress", limit=50))
    first = dresses.hits[0].product.id
    page = learnt.search(SearchQuery(texts=(WeightedText("dress"),), unlike=(first,), limit=50))
    assert {h.product.category for h in page.hits} == {("Shop/Dresss",)}
    assert first not in [h.product.id for h in page.hits]
    assert page.total == dresses.total - 1


def test_an_explanation_names_the_signals(learnt: SearchEngine):
    page = learnt.search(words("SKU-0008", explain=True))
    explain = page.hits[0].explain
    assert explain is not None
    assert explain["exact"] == 1.0
    assert explain["relevance"] == 1.0
    assert {"picture", "words", "vector_log_odds"} <= explain.keys()


def test_an_explanation_counts_the_text_vector(
    versions: FaissVersions, engine: SearchEngine, embedder: FakeEmbedder
):
    info = embedder.info
    index = versions.create(
        model="m",
        fingerprint=info.fingerprint,
        dimension=info.dimension,
        schema=MAPPING.schema(),
        mapping=MAPPING.to_dict(),
        text_vectors=True,
    )
    records = catalogue(embedder, 100, 2)
    texts = embedder.embed_texts([product_text(record.product) for record in records])
    index.upsert([replace(r, text_vector=t) for r, t in zip(records, texts, strict=True)])
    learn_version(versions, index, embedder)
    versions.complete(index.info.name)
    versions.publish(index.info.name)
    for hit in engine.search(words("red mug", explain=True, cutoff="off", limit=20)).hits:
        assert hit.explain is not None
        assert hit.explain["relevance"] == pytest.approx(hit.score, abs=1e-5)
        assert hit.explain["text"] != 0


def test_what_is_typed_is_completed_by_words_brands_categories_and_titles(learnt: SearchEngine):
    suggestions = learnt.answer(lambda version: version.suggest("JA", limit=8))
    assert (suggestions[0].kind, suggestions[0].text) == ("words", "jacket")
    assert ("category", "Jackets", "Shop/Jackets") in [
        (s.kind, s.text, s.value) for s in suggestions
    ]
    brands = learnt.answer(lambda version: version.suggest("bor", limit=8))
    assert ("brand", "Borealis") in [(s.kind, s.text) for s in brands]
    titles = learnt.answer(lambda version: version.suggest("acme plain ja", limit=8))
    assert "title" in {s.kind for s in titles}
    assert all("acme" in s.text.lower() for s in titles)


def test_a_misspelt_word_is_completed_as_a_search_would_read_it(learnt: SearchEngine):
    suggestions = learnt.answer(lambda version: version.suggest("jaket", limit=8))
    assert "jacket" in [s.text for s in suggestions]


def test_nothing_completes_what_begins_no_name(learnt: SearchEngine):
    assert not learnt.answer(lambda version: version.suggest("qqqq", limit=8))
    assert learnt.answer(lambda version: version.suggest("  ", limit=8)) == ()


def test_before_anything_was_learnt_nothing_is_suggested(engine: SearchEngine, index: VectorIndex):
    assert engine.answer(lambda version: version.suggest("ja", limit=8)) == ()


def test_a_search_model_that_cannot_be_read_counts_as_none_and_is_learnt_anew(
    learnt: SearchEngine,
    versions: FaissVersions,
    index: VectorIndex,
    embedder: FakeEmbedder,
    caplog: pytest.LogCaptureFixture,
):
    (path,) = versions.root.glob("*/search-model.zip")
    path.write_bytes(b"noise")
    for _ in range(2):
        assert "learned no words" in learnt.search(words("mug")).notes[0].message
    assert [r.levelname for r in caplog.records] == ["WARNING"]
    assert "`vitrine learn` makes it anew" in caplog.text
    assert learn_if_stale(versions, index, embedder) is not None
    assert learnt.search(words("SKU-0001")).hits[0].score == 1.0
