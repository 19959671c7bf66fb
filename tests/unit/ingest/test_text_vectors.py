"""Products have the vector of their words, made when they change and not otherwise."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ingest.tasks import bulk_ingest
from tests.unit.ingest.catalogue import MAPPING, Shop
from tests.unit.ingest.memory import MemoryIndex
from vitrine.fields import Mapping
from vitrine.products import Record
from vitrine.words import product_text


@pytest.fixture
def filled(shop: Shop) -> Shop:
    shop.fill_index(40)
    shop.ingest()
    return shop


def embedded_by(shop: Shop) -> int:
    """Texts that the next ingest embeds."""
    before = shop.embedder.texts_embedded
    shop.ingest()
    return shop.embedder.texts_embedded - before


def assert_texts(shop: Shop, *fields: str) -> None:
    """Each product has the vector of its present text."""
    for record in shop.records.values():
        expected = shop.embedder.embed_texts([product_text(record.product, fields)])[0]
        np.testing.assert_allclose(record.text_vector, expected, atol=1e-6)


def test_every_product_has_the_vector_of_its_own_words(filled: Shop):
    assert filled.versions.live().info.text_vectors
    assert len(filled.records) == 40
    assert_texts(filled)


def test_equal_texts_are_embedded_once(shop: Shop):
    shop.rows = [shop.product(n, name="Shirt", color="red") for n in range(30)]
    assert embedded_by(shop) == 1
    assert_texts(shop)


def test_texts_of_new_products_are_not_looked_for(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    read_ids: list[str] = []
    get = MemoryIndex.get

    def counting(index: MemoryIndex, ids: Sequence[str]) -> dict[str, Record]:
        read_ids.extend(ids)
        return get(index, ids)

    monkeypatch.setattr(MemoryIndex, "get", counting)
    shop.fill_index(3)
    shop.ingest()
    assert read_ids == ["p0", "p1", "p2"]  # by the stage that compares


def test_an_ingest_without_changes_embeds_no_text(filled: Shop):
    assert embedded_by(filled) == 0


def test_another_price_embeds_nothing(filled: Shop):
    filled.rows = [{**row, "price": "99"} for row in filled.rows]
    assert embedded_by(filled) == 0
    assert {record.product.price for record in filled.records.values()} == {99}
    assert_texts(filled)


def test_another_title_embeds_that_text_alone_and_no_picture(filled: Shop):
    pictures = filled.embedder.images_embedded
    before = {name: record.vectors for name, record in filled.records.items()}
    filled.rows[7] = {**filled.rows[7], "name": "A hat"}
    assert embedded_by(filled) == 1
    assert filled.embedder.images_embedded == pictures
    assert filled.records["p7"].product.title == "A hat"
    for name, vectors in before.items():
        np.testing.assert_array_equal(filled.records[name].vectors, vectors)
    assert_texts(filled)


def test_another_picture_embeds_no_text(filled: Shop):
    filled.rows[3] = {**filled.rows[3], "image": "pictures/4.png"}
    assert embedded_by(filled) == 0
    assert filled.records["p3"].image_keys == filled.records["p4"].image_keys
    assert_texts(filled)


def test_another_title_is_embedded_although_the_picture_is_lost(filled: Shop):
    filled.rows[5] = {**filled.rows[5], "name": "A hat", "image": "pictures/none.png"}
    assert embedded_by(filled) == 1
    assert filled.records["p5"].product.title == "A hat"
    assert_texts(filled)


def test_a_version_made_anew_takes_over_the_texts_that_have_not_changed(filled: Shop):
    filled.rows[2] = {**filled.rows[2], "name": "A hat"}
    before = filled.embedder.texts_embedded
    assert filled.ingest(replace=True).published
    assert filled.embedder.texts_embedded == before + 1
    assert_texts(filled)


def test_fields_that_the_mapping_names_are_part_of_the_text(shop: Shop):
    stored = MAPPING.to_dict()
    stored["fields"] = {"fabric": {"from": "fabric", "type": "keyword", "embed": True}}
    shop.rows = [shop.product(n, fabric="wool") for n in range(3)]
    shop.ingest(Mapping.from_dict(stored))
    assert "wool" in product_text(shop.records["p0"].product, ("fabric",))
    assert_texts(shop, "fabric")


def test_a_version_without_text_vectors_goes_on_without(tmp_path: Path):
    shop = Shop(tmp_path, text_vectors=False)
    shop.fill_index(5)
    shop.ingest()
    assert not shop.versions.live().info.text_vectors
    shop.settings = shop.settings.model_copy(update={"text_vectors": True})
    shop.rows[1] = {**shop.rows[1], "name": "A hat"}
    assert embedded_by(shop) == 0
    assert shop.records["p1"].product.title == "A hat"
    assert all(record.text_vector is None for record in shop.records.values())


def test_texts_are_embedded_beside_the_pictures_and_not_while_products_are_written(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
):
    threads: set[str] = set()
    embed = shop.embedder.embed_texts

    def noted(texts: Sequence[str]) -> NDArray[np.float32]:
        threads.add(threading.current_thread().name)
        return embed(texts)

    monkeypatch.setattr(shop.embedder, "embed_texts", noted)
    monkeypatch.setattr(bulk_ingest, "learn_version", lambda *_: None)
    shop.fill_index(40)
    shop.ingest()
    assert threads == {"texts"}
    assert len(shop.records) == 40


def test_no_more_texts_are_gathered_than_the_writer_waits_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    shop, sizes = Shop(tmp_path, write_batch=3), []
    embed = shop.embedder.embed_texts

    def noted(texts: Sequence[str]) -> NDArray[np.float32]:
        sizes.append(len(texts))
        return embed(texts)

    monkeypatch.setattr(shop.embedder, "embed_texts", noted)
    monkeypatch.setattr(bulk_ingest, "learn_version", lambda *_: None)
    shop.fill_index(40)
    shop.ingest()
    assert sum(sizes) == 40
    assert max(sizes) <= 3
