"""Which version a run continues, publishes, removes or refuses to touch."""

from __future__ import annotations

from typing import Any

import pytest

from ingest.pipeline import IngestTask, RunControl, fill_index
from ingest.sources import open_source
from ingest.tasks.bulk_ingest import open_context
from tests.fakes import FakeEmbedder
from tests.unit.ingest.catalogue import MAPPING, Shop
from vitrine.errors import Conflict, ModelMismatch, NoLiveVersion
from vitrine.fields import Mapping


def test_a_cancelled_first_ingest_is_not_published_and_goes_on_later(shop: Shop) -> None:
    shop.fill_index(100)
    calls = iter(range(10**6))
    summary = shop.ingest(control=RunControl(cancelled=lambda: next(calls) > 4))
    assert summary.cancelled
    assert 0 < summary.done < 100
    with pytest.raises(NoLiveVersion):
        shop.versions.live()
    again = shop.ingest()
    assert (again.done, again.unchanged) == (100 - summary.done, summary.done)
    assert again.published
    assert again.version == summary.version
    assert shop.embedder.images_embedded == 100


def test_an_abandoned_version_is_removed_when_another_is_published(shop: Shop) -> None:
    shop.fill_index(100)
    calls = iter(range(10**6))
    abandoned = shop.ingest(control=RunControl(cancelled=lambda: next(calls) > 4)).version
    richer = Mapping.from_dict(
        {**MAPPING.to_dict(), "fields": {"label": {"from": "name", "type": "text"}}}
    )
    published = shop.ingest(richer).version
    assert published != abandoned
    assert set(shop.versions.indexes) == {published}


def test_a_version_of_somebody_else_is_neither_continued_nor_removed(shop: Shop) -> None:
    shop.fill_index(5)
    others = shop.versions.create(
        model="fake",
        fingerprint=shop.embedder.info.fingerprint,
        dimension=64,
        schema=MAPPING.schema(),
        mapping={},
    )
    shop.write()
    vitrine = shop.vitrine()
    source = open_source(str(shop.catalogue), shop.settings)
    # MemoryIndex writes only
    fill_index(IngestTask(source, MAPPING, others), open_context(vitrine))  # type: ignore[arg-type]
    assert shop.ingest().version != others.info.name
    assert others.info.name in shop.versions.indexes


def test_a_crash_right_after_publishing_leaves_nothing_to_continue(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.fill_index(5)

    def power_cut(**_: Any) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as broken:
        broken.setattr(shop.versions, "prune", power_cut)
        with pytest.raises(RuntimeError, match="power cut"):
            shop.ingest()
    first = shop.versions.live().info.name
    shop.ingest()
    assert shop.ingest(replace=True).version != first


def test_a_catalogue_without_one_good_product_is_not_published(shop: Shop) -> None:
    shop.fill_index(3)
    shop.rows = [{**row, "price": "?"} for row in shop.rows]
    summary = shop.ingest()
    assert (summary.failed, summary.published) == (3, False)
    with pytest.raises(NoLiveVersion):
        shop.versions.live()


def test_another_mapping_is_refused_until_the_index_may_be_replaced(shop: Shop) -> None:
    shop.fill_index(10)
    first = shop.ingest().version
    richer = Mapping.from_dict(
        {**MAPPING.to_dict(), "fields": {"label": {"from": "name", "type": "text"}}}
    )
    with pytest.raises(Conflict, match=r"it adds label; .* --replace"):
        shop.ingest(richer)
    embedded = shop.embedder.images_embedded
    summary = shop.ingest(richer, replace=True)
    assert (summary.done, summary.embedded, summary.published) == (10, 0, True)
    assert shop.embedder.images_embedded == embedded, "the pictures are known to the version before"
    assert summary.version != first
    assert shop.records["p1"].product.attributes["label"] == shop.records["p1"].product.title


def test_what_a_mapping_decides_only_for_new_versions_is_told(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    shop.fill_index(3)
    shop.ingest()
    shop.ingest()
    assert "--replace" not in caplog.text
    shop.ingest(MAPPING.model_copy(update={"language": "de"}))
    assert "keeps the language (en, not de) of the mapping" in caplog.text
    assert "--replace takes those of this mapping" in caplog.text


def test_another_model_is_refused_with_what_to_do(shop: Shop) -> None:
    shop.fill_index(3)
    shop.ingest()
    shop.embedder = FakeEmbedder(name="other")
    with pytest.raises(ModelMismatch, match=r"its files, or .*; run `vitrine reindex` first"):
        shop.ingest()
    settings = shop.settings.model_copy(update={"model": "other"})
    shop.settings = settings
    with pytest.raises(ModelMismatch, match="vitrine reindex --model other"):
        shop.ingest()
