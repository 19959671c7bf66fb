"""What a run writes, skips and reports."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ingest.failures import Failure, open_ledger
from ingest.pictures.polite import FetchedPicture, PoliteFetcher
from ingest.pipeline import IngestTask, Progress, RunControl, fill_index
from ingest.sources import open_source
from ingest.tasks.bulk_ingest import open_context
from tests.unit.ingest.catalogue import MAPPING, Shop, picture
from vitrine.errors import IndexUnavailable, InvalidMapping, ModelBusy


def reasons(shop: Shop) -> dict[str, str]:
    return {entry.id: entry.reason for entry in open_ledger(shop.settings).entries(limit=1000)[0]}


def test_products_pictures_and_vectors_arrive(shop: Shop) -> None:
    shop.fill_index(40)
    summary = shop.ingest()
    assert (
        summary.done,
        summary.embedded,
        summary.unchanged,
        summary.failed,
        summary.published,
    ) == (40, 40, 0, 0, True)
    assert set(shop.records) == {f"p{n}" for n in range(40)}
    record = shop.records["p7"]
    assert (record.product.title, record.product.price, record.product.colors) == (
        "green thing 7",
        7.5,
        ("green",),
    )
    assert shop.images.get(record.image_key) == (shop.root / "pictures/7.png").read_bytes()
    from vitrine.images.decode import ImageLimits, decode

    expected = shop.embedder.embed_images(
        [decode(shop.images.get(record.image_key), ImageLimits.of(shop.settings))]
    )[0]
    np.testing.assert_allclose(record.vector, expected, atol=1e-6)


def test_two_batches_are_with_the_model_at_once_and_none_is_broken_up(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.settings = shop.settings.model_copy(update={"batch_size": 10})
    shop.fill_index(45)
    both, sizes, plain = threading.Barrier(2, timeout=240), list[int](), shop.embedder.embed_pixels

    def embed(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        sizes.append(len(pixels))
        if len(pixels) == 10:
            both.wait()  # breaks, and fails the ingest, unless another batch comes meanwhile
        return plain(pixels)

    monkeypatch.setattr(shop.embedder, "embed_pixels", embed)
    assert shop.ingest().embedded == 45
    assert sorted(sizes) == [5, 10, 10, 10, 10]


def test_an_unchanged_catalogue_is_neither_embedded_nor_written(shop: Shop) -> None:
    shop.fill_index(30)
    shop.ingest()
    embedded, upserts = shop.embedder.images_embedded, list(shop.versions.live().upserts)
    summary = shop.ingest()
    assert (summary.done, summary.unchanged) == (0, 30)
    assert shop.embedder.images_embedded == embedded
    assert shop.versions.live().upserts == upserts


def test_changed_fields_alone_never_embed(tmp_path: Path) -> None:
    shop = Shop(tmp_path, text_vectors=False)
    shop.fill_index(10)
    shop.ingest()
    vectors = {i: r.vectors for i, r in shop.records.items()}
    shop.rows[3] = {**shop.rows[3], "price": "999", "color": "Navy"}
    embedded = shop.embedder.images_embedded
    summary = shop.ingest()
    assert (summary.done, summary.embedded, summary.unchanged) == (1, 0, 9)
    assert shop.embedder.images_embedded == embedded
    assert shop.versions.live().patched == ["p3"]
    assert (shop.records["p3"].product.price, shop.records["p3"].product.colors) == (
        999.0,
        ("blue",),
    )
    assert shop.records["p3"].vectors is vectors["p3"]


def test_a_new_picture_under_the_same_name_is_embedded(shop: Shop) -> None:
    shop.fill_index(10)
    shop.ingest()
    (shop.root / "pictures/3.png").write_bytes(picture("black", number=500))
    summary = shop.ingest()
    assert (summary.done, summary.embedded, summary.unchanged) == (1, 1, 9)


def test_of_rows_with_one_id_the_first_wins_and_the_others_are_told(shop: Shop) -> None:
    shop.fill_index(20)
    shop.rows.append({**shop.product(21), "id": "p4", "name": "impostor"})
    summary = shop.ingest()
    assert summary.reasons == {"duplicate_id": 1}
    assert shop.records["p4"].product.title != "impostor"
    entry = open_ledger(shop.settings).entries()[0][0]
    assert (entry.id, entry.row, entry.stage) == ("p4", 20, "fields")
    assert "stands in line 5 already" in entry.message


def test_broken_rows_cost_themselves_only_and_are_explained(shop: Shop) -> None:
    shop.fill_index(20)
    Image.new("1", (20_000, 10_000)).save(shop.root / "pictures/huge.png")
    (shop.root / "pictures/empty.png").write_bytes(b"")
    (shop.root / "pictures/text.png").write_text("this is no picture")
    (shop.root / "pictures/half.png").write_bytes(picture(size=(300, 300))[:200])
    bad = [
        ({"image": "pictures/none.png"}, "missing"),
        ({"image": ""}, "missing"),
        ({"image": "pictures"}, "missing"),
        ({"image": "pictures/huge.png"}, "too_many_pixels"),
        ({"image": "pictures/empty.png"}, "empty"),
        ({"image": "pictures/text.png"}, "not_an_image"),
        ({"image": "pictures/half.png"}, "truncated"),
        ({"image": {"base64": "!!"}}, "not_an_image"),
        ({"price": "on request"}, "invalid_field"),
        ({"name": ""}, "invalid_field"),
    ]
    for number, (change, _) in enumerate(bad, start=100):
        shop.rows.insert(2 * (number - 100), {**shop.product(number), **change})
    shop.rows.append({**shop.product(200), "name": "🧦" * 5000})
    summary = shop.ingest()
    assert reasons(shop) == {
        f"p{number}": reason for number, (_, reason) in enumerate(bad, start=100)
    }
    assert (summary.done, summary.failed) == (21, 10)
    assert set(shop.records) == {f"p{n}" for n in range(20)} | {"p200"}
    for entry in open_ledger(shop.settings).entries()[0]:
        assert len(entry.message) > 10


def test_a_mended_row_leaves_the_ledger(shop: Shop) -> None:
    shop.fill_index(5)
    shop.rows[1] = {**shop.rows[1], "price": "?"}
    shop.rows[2] = {**shop.rows[2], "image": "none.png"}
    shop.ingest()
    assert set(reasons(shop)) == {"p1", "p2"}
    shop.rows[1] = shop.product(1)
    shop.ingest()
    assert reasons(shop) == {"p2": "missing"}
    assert set(shop.records) == {"p0", "p1", "p3", "p4"}


def test_failed_rows_alone_can_be_tried_again(shop: Shop) -> None:
    shop.fill_index(5)
    shop.rows += [{**shop.product(5), "image": "late.png"}, {**shop.product(6), "id": "p0"}]
    shop.ingest()
    (shop.root / "late.png").write_bytes(picture(number=77))
    source = open_source(str(shop.catalogue), shop.settings)
    vitrine = shop.vitrine()
    context = open_context(vitrine)
    context.ledger.add(Failure("p1", "image", "missing", "no file", source="today.csv", row=0))
    summary = fill_index(
        IngestTask(source, MAPPING, vitrine.versions.live(), only=context.ledger.rows(source.name)),
        context,
    )
    assert (summary.done, summary.unchanged, summary.reasons) == (1, 0, {"duplicate_id": 1})
    assert set(shop.records) == {f"p{n}" for n in range(6)}
    assert reasons(shop) == {"p0": "duplicate_id", "p1": "missing"}, "p1 was not tried again"


def test_a_source_without_a_mapped_column_starts_nothing(shop: Shop) -> None:
    shop.fill_index(3)
    shop.rows = [{k: v for k, v in row.items() if k != "price"} for row in shop.rows]
    with pytest.raises(
        InvalidMapping, match=r"no column 'price'.*category, color, id, image, name"
    ):
        shop.ingest()
    assert not shop.versions.indexes


def test_an_optional_column_that_only_some_rows_have_is_no_error(shop: Shop) -> None:
    shop.fill_index(3)
    shop.rows[:2] = [{k: v for k, v in row.items() if k != "price"} for row in shop.rows[:2]]
    assert shop.ingest().failed == 0
    assert shop.records["p0"].product.price is None


def test_a_short_outage_of_the_index_is_waited_out(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.pipeline.retry.PAUSES_S", (0.0, 0.0))
    shop.fill_index(5)
    shop.ingest()
    shop.rows.append(shop.product(5))
    shop.versions.live().failing = 2
    assert shop.ingest().done == 1
    shop.rows.append(shop.product(6))
    shop.versions.live().failing = 3
    with pytest.raises(IndexUnavailable):
        shop.ingest()


def test_an_embedder_that_others_keep_busy_is_asked_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.pipeline.retry.PAUSES_S", (0.0, 0.0))
    shop.fill_index(1)
    for name in ("embed_pixels", "embed_texts"):
        refusals, plain = iter(range(2)), getattr(shop.embedder, name)

        def busy_twice(what: Any, refusals: Any = refusals, plain: Any = plain) -> Any:
            if next(refusals, None) is not None:
                raise ModelBusy("the embedder is full; try again soon")
            return plain(what)

        monkeypatch.setattr(shop.embedder, name, busy_twice)
    assert shop.ingest().done == 1
    assert shop.records["p0"].text_vector is not None


def test_a_product_deleted_meanwhile_stays_deleted_and_is_told(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.fill_index(6)
    shop.ingest()
    shop.rows = [{**row, "price": "77"} for row in shop.rows]
    index = shop.versions.live()
    patch = index.patch_products

    def deleted_first(products: Any) -> None:
        index.records.pop("p2", None)
        patch(products)

    monkeypatch.setattr(index, "patch_products", deleted_first)
    summary = shop.ingest()
    assert (summary.done, summary.reasons) == (5, {"deleted_meanwhile": 1})
    assert {i for i, record in shop.records.items() if record.product.price == 77} == {
        "p0",
        "p1",
        "p3",
        "p4",
        "p5",
    }


def test_an_error_of_the_model_ends_the_run_and_every_thread(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.fill_index(200)

    def broken(_: Any) -> Any:
        raise MemoryError("no memory for the model")

    monkeypatch.setattr(shop.embedder, "embed_pixels", broken)
    before = set(threading.enumerate())
    with pytest.raises(MemoryError, match="no memory for the model"):
        shop.ingest()
    assert set(threading.enumerate()) <= before


def test_a_vector_that_is_no_number_is_a_failure(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.fill_index(3)
    embed = shop.embedder.embed_pixels

    def spoiled(pixels: Any) -> Any:
        rows = embed(pixels)
        rows[0] = np.nan
        return rows

    monkeypatch.setattr(shop.embedder, "embed_pixels", spoiled)
    assert shop.ingest().reasons == {"no_vector": 1}


def test_progress_ends_at_all_that_there_is(shop: Shop) -> None:
    shop.fill_index(50)
    shop.rows[7] = {**shop.rows[7], "image": "none.png"}
    seen: list[Progress] = []
    shop.ingest(control=RunControl(progress=seen.append))
    assert (seen[-1].done, seen[-1].failed, seen[-1].total, seen[-1].eta_s) == (49, 1, 50, 0)


def test_pictures_by_address_are_not_fetched_again_after_an_interruption(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.fill_index(60)
    pictures = {f"https://cdn.example/{n}.png": picture(number=n) for n in range(60)}
    shop.rows = [
        {**row, "image": f"https://cdn.example/{n}.png"} for n, row in enumerate(shop.rows)
    ]
    fetched: list[str] = []

    def fetch(_: PoliteFetcher, url: str, *__: object) -> FetchedPicture:
        fetched.append(url)
        return FetchedPicture(hashlib.sha256(pictures[url]).hexdigest(), pictures[url])

    monkeypatch.setattr(PoliteFetcher, "_fetch", fetch)
    calls = iter(range(10**6))
    first = shop.ingest(control=RunControl(cancelled=lambda: next(calls) > 4))
    assert first.cancelled
    again = shop.ingest()
    assert again.unchanged == first.done
    assert sorted(fetched) == sorted(pictures), "each once"
    shop.ingest()
    assert len(fetched) == 120, (
        "a complete run looks again: the picture behind an address may change"
    )
