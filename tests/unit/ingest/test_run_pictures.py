"""Pictures of a run: fields never wait for them, and each is read and embedded once."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.pictures import Picture
from ingest.pictures.polite import FetchedPicture, PoliteFetcher
from tests.unit.ingest.catalogue import MAPPING, Shop, picture
from vitrine.errors import InvalidImage

ADDRESS = "https://shop.example/{}.png"


class Host:
    """A shop's picture host; counts what it is asked for, and answers what it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.requests: Counter[str] = Counter()
        self.down: set[str] = set()
        read = PoliteFetcher.read

        def fetch(fetcher: PoliteFetcher, asked: Picture) -> FetchedPicture:
            if asked.url is None:
                return read(fetcher, asked)
            self.requests[asked.url] += 1
            if asked.url in self.down:
                raise InvalidImage("unreachable", f"{asked.url} answered 429")
            data = picture(number=int(asked.url.split("/")[-1].split(".")[0]))
            return FetchedPicture(hashlib.sha256(data).hexdigest(), data)

        monkeypatch.setattr(PoliteFetcher, "read", fetch)


def shown(product_id: str, number: int, price: str) -> dict[str, str]:
    """A product that shows the host's picture of that number."""
    address = ADDRESS.format(number)
    row = {"id": product_id, "name": "Shirt", "image": address, "price": price}
    return {**row, "color": "red", "category": "Shirts"}


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(monkeypatch)


def embedded(shop: Shop) -> int:
    return shop.embedder.images_embedded


def test_a_picture_shared_by_five_sizes_is_fetched_once_and_embedded_once(shop: Shop, host: Host):
    shop.rows = [
        shown(f"p{number}-{size}", number, "1") for size in range(5) for number in range(30)
    ]
    summary = shop.ingest()
    assert (summary.done, summary.failed) == (150, 0)
    assert summary.embedded == 30
    assert set(host.requests.values()) == {1}
    assert len(host.requests) == 30
    assert {record.image_key for record in shop.records.values()} == {
        shop.records[f"p{number}-4"].image_key for number in range(30)
    }


def test_the_same_bytes_in_several_files_are_embedded_once(shop: Shop):
    shop.fill_index(12)
    for number in range(12):
        (shop.root / f"pictures/{number}.png").write_bytes(picture(number=number % 3))
    summary = shop.ingest()
    assert (summary.done, summary.embedded) == (12, 3)


def test_a_changed_price_is_live_although_the_picture_cannot_be_had(shop: Shop, host: Host):
    shop.rows = [shown(f"p{n}", n, str(n)) for n in range(60)]
    shop.ingest()
    before = {name: record.image_key for name, record in shop.records.items()}
    host.down = {ADDRESS.format(n) for n in range(4, 60)}
    shop.rows = [{**row, "price": str(100 + n)} for n, row in enumerate(shop.rows)]
    summary = shop.ingest()
    assert len(shop.records) == 60
    assert [shop.records[f"p{n}"].product.price for n in range(60)] == [100 + n for n in range(60)]
    assert {name: record.image_key for name, record in shop.records.items()} == before
    assert (summary.done, summary.failed, dict(summary.reasons)) == (4, 56, {"unreachable": 56})
    host.down = set()
    mended = shop.ingest()
    assert (mended.done, mended.unchanged, mended.failed) == (0, 60, 0)


def test_a_new_product_whose_picture_cannot_be_had_waits_for_the_next_run(shop: Shop, host: Host):
    shop.rows = [shown("a", 1, "1")]
    host.down = {ADDRESS.format(1)}
    summary = shop.ingest()
    assert (summary.done, summary.failed, summary.incomplete) == (0, 1, 0)
    host.down = set()
    assert shop.ingest().done == 1


def test_an_address_that_failed_is_not_asked_again_for_the_next_product(shop: Shop, host: Host):
    host.down = {ADDRESS.format(1)}
    shop.rows = [shown(str(n), 1, "1") for n in range(9)]
    summary = shop.ingest()
    assert (summary.failed, host.requests[ADDRESS.format(1)]) == (9, 1)


def test_a_product_is_carried_over_with_its_old_picture_into_a_version_built_anew(
    shop: Shop, host: Host
):
    shop.rows = [shown(f"p{n}", n, str(n)) for n in range(10)]
    shop.ingest()
    before, made = dict(shop.records), embedded(shop)
    host.down = {ADDRESS.format(n) for n in (3, 4)}
    shop.rows = [{**row, "price": "7"} for row in shop.rows]
    richer = MAPPING.model_copy(update={"language": "de"})
    summary = shop.ingest(richer, replace=True)
    assert (summary.published, summary.done, summary.failed) == (True, 8, 2)
    assert set(shop.records) == set(before)
    assert {record.product.price for record in shop.records.values()} == {7}
    assert shop.records["p3"].image_key == before["p3"].image_key
    assert embedded(shop) == made


def test_a_row_without_any_picture_still_brings_its_fields(shop: Shop):
    shop.fill_index(3)
    shop.ingest()
    shop.rows[1] = {**shop.rows[1], "image": "", "price": "99"}
    summary = shop.ingest()
    assert (summary.failed, dict(summary.reasons)) == (1, {"missing": 1})
    assert shop.records["p1"].product.price == 99


def test_a_picture_that_the_model_fails_at_leaves_every_product_that_shows_it(
    shop: Shop, host: Host, monkeypatch: pytest.MonkeyPatch
):
    shop.rows = [shown(str(n), 1, "1") for n in range(4)]
    real = shop.embedder.embed_pixels
    monkeypatch.setattr(shop.embedder, "embed_pixels", lambda pixels: real(pixels) * float("nan"))
    summary = shop.ingest()
    assert (summary.done, dict(summary.reasons)) == (0, {"no_vector": 4})


def gallery(shop: Shop, product_id: str, numbers: list[int], price: str = "1") -> dict[str, object]:
    """A product with several pictures in files of its own."""
    for number in numbers:
        (shop.root / f"pictures/{number}.png").write_bytes(picture(number=number))
    names = [f"pictures/{number}.png" for number in numbers]
    row = {"id": product_id, "name": "Shirt", "image": names, "price": price}
    return {**row, "color": "red", "category": "Shirts"}


def keys(*numbers: int) -> tuple[str, ...]:
    return tuple(hashlib.sha256(picture(number=number)).hexdigest() for number in numbers)


def test_a_product_has_all_its_pictures_in_their_order(shop: Shop):
    shop.rows = [gallery(shop, "a", [1, 2, 3]), gallery(shop, "b", [3, 4])]
    summary = shop.ingest()
    assert (summary.done, summary.embedded) == (2, 4)
    assert shop.records["a"].image_keys == keys(1, 2, 3)
    assert shop.records["b"].image_keys == keys(3, 4)
    for product_id in "ab":
        record = shop.records[product_id]
        expected = [shop.records["a"].vectors[n] for n in range(3)] if product_id == "a" else None
        assert record.vectors.shape[0] == len(record.image_keys)
        assert expected is None or (record.vectors == expected).all()
    assert (shop.records["a"].vectors[2] == shop.records["b"].vectors[0]).all()
    again = shop.ingest()
    assert (again.unchanged, again.embedded) == (2, 0)


def test_of_a_hundred_products_with_four_pictures_one_changed_picture_is_embedded(shop: Shop):
    shop.rows = [
        gallery(shop, f"p{n}", [4 * n, 4 * n + 1, 4 * n + 2, 4 * n + 3]) for n in range(100)
    ]
    first = shop.ingest()
    assert (first.done, first.embedded) == (100, 400)
    made = embedded(shop)
    (shop.root / "pictures/202.png").write_bytes(picture(number=999))
    summary = shop.ingest()
    assert (summary.done, summary.unchanged, summary.embedded) == (1, 99, 1)
    assert embedded(shop) == made + 1
    assert shop.records["p50"].image_keys == keys(200, 201, 999, 203)


def test_a_picture_more_or_less_costs_only_itself(shop: Shop):
    shop.rows = [gallery(shop, "a", [1, 2])]
    shop.ingest()
    before = shop.records["a"].vectors
    shop.rows = [gallery(shop, "a", [2, 5, 1])]
    summary = shop.ingest()
    assert (summary.done, summary.embedded) == (1, 1)
    assert shop.records["a"].image_keys == keys(2, 5, 1)
    assert (shop.records["a"].vectors[[2, 0]] == before).all()
    shop.rows = [gallery(shop, "a", [5])]
    summary = shop.ingest()
    assert (summary.done, summary.embedded, shop.records["a"].image_keys) == (1, 0, keys(5))


def test_of_several_pictures_a_broken_one_is_left_out_and_told(shop: Shop):
    shop.rows = [gallery(shop, "a", [1, 2, 3])]
    (shop.root / "pictures/2.png").write_bytes(b"no picture")
    summary = shop.ingest()
    assert (summary.done, summary.failed, dict(summary.reasons)) == (0, 1, {"not_an_image": 1})
    assert summary.incomplete == 1
    assert shop.records["a"].image_keys == keys(1, 3)


def test_while_one_of_its_pictures_cannot_be_had_a_product_keeps_all_it_has(shop: Shop, host: Host):
    def row(*numbers: int, price: str) -> dict[str, object]:
        shown_row: dict[str, object] = dict(shown("a", 1, price))
        return shown_row | {"image": [ADDRESS.format(number) for number in numbers]}

    shop.rows = [row(1, 2, price="1")]
    shop.ingest()
    host.down = {ADDRESS.format(2)}
    assert shop.ingest().failed == 1
    assert shop.records["a"].image_keys == keys(1, 2)
    shop.rows = [row(3, 2, price="9")]
    summary = shop.ingest()
    assert (summary.failed, shop.records["a"].product.price) == (1, 9)
    assert summary.incomplete == 1
    assert shop.records["a"].image_keys == keys(1, 2)
    host.down = set()
    shop.ingest()
    assert shop.records["a"].image_keys == keys(3, 2)


def test_no_more_pictures_are_taken_than_the_setting_allows(tmp_path: Path):
    shop = Shop(tmp_path, max_images=2)
    shop.rows = [gallery(shop, "a", [1, 2, 3])]
    shop.ingest()
    assert shop.records["a"].image_keys == keys(1, 2)


def test_a_version_that_keeps_one_picture_gets_the_first(shop: Shop):
    shop.rows = [gallery(shop, "b", [4])]
    shop.ingest()
    live = shop.versions.live()
    live.info = replace(live.info, max_images=1)
    shop.rows = [gallery(shop, "a", [1, 2, 3])]
    shop.ingest()
    assert shop.records["a"].image_keys == keys(1)
