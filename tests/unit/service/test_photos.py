"""A shopper's photo is sent once, and searched with by its key, whole or in parts."""

from __future__ import annotations

import io
import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.fakes import COLORS
from tests.unit.service.conftest import Shop, base64_of, picture
from vitrine.errors import NotFound
from vitrine.images.photos import Photos
from vitrine.settings import Settings
from vitrine.wiring import Vitrine

DAY = timedelta(days=1)


def kept(shop: Shop, data: bytes) -> str:
    """The key of a photo that is sent."""
    response = shop.client.post("/v1/pictures", json={"image": {"base64": base64_of(data)}})
    assert response.status_code == 200
    key: str = response.get_json()["key"]
    return key


def halves(left: str, right: str) -> bytes:
    """A photo of two colors, side by side."""
    image = Image.new("RGB", (200, 100), COLORS[left])
    image.paste(COLORS[right], (100, 0, 200, 100))
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


def search(shop: Shop, image: Any, **rest: Any) -> list[str]:
    """Colors of the hits, best first."""
    body = {"image": image, "limit": 4, "ranking": "vector", **rest}
    response = shop.client.post("/v1/search", json=body)
    assert response.status_code == 200, response.get_json()
    return [hit["product"]["color"][0] for hit in response.get_json()["hits"]]


def refused(shop: Shop, image: Any) -> tuple[str, str]:
    """The field and what is wrong with it."""
    response = shop.client.post("/v1/search", json={"image": image})
    assert response.status_code == 422
    fault = response.get_json()["errors"][0]
    return fault["field"], fault["message"]


def test_a_photo_is_searched_with_by_its_key(shop: Shop):
    assert search(shop, {"key": kept(shop, picture("red"))})[:2] == ["red", "red"]


@pytest.mark.parametrize(("detector", "here"), [("bundled", True), ("/no/such/folder", False)])
def test_things_can_be_found_where_the_detector_is_on_this_machine(
    tmp_path: Path, detector: str, here: bool
):
    settings = Settings(data_dir=tmp_path, detector=detector)
    assert Vitrine(settings).has_detector is here


def test_a_photo_has_the_key_of_its_bytes_for_a_day(shop: Shop):
    form = {"image": (io.BytesIO(picture("red")), "a.png")}
    response = shop.client.post("/v1/pictures/upload", data=form)
    assert response.status_code == 200
    assert response.get_json()["key"] == kept(shop, picture("red"))
    assert response.get_json()["objects"] is True
    expires = datetime.fromisoformat(response.get_json()["expires"])
    assert abs(expires - datetime.now(UTC) - DAY) < timedelta(minutes=5)


@pytest.mark.parametrize("key", ["0" * 64, "../../etc/passwd", "", "x"])
def test_a_key_of_no_photo_is_refused(shop: Shop, key: str):
    field, message = refused(shop, {"key": key})
    assert field == "image.key"
    assert "it has expired; send it again" in message
    if "/" not in key and key:
        response = shop.client.post(f"/v1/pictures/{key}/objects", json={})
        assert response.status_code == 404


def test_what_is_no_picture_is_not_kept(shop: Shop):
    body = {"image": {"base64": base64_of(b"no picture")}}
    assert shop.client.post("/v1/pictures", json=body).status_code == 422
    assert not list((shop.vitrine.settings.data_dir / "photos").glob("*/*"))
    assert shop.client.post("/v1/pictures", json={}).status_code == 422


def test_a_part_of_a_photo_is_what_is_looked_for(shop: Shop):
    key = kept(shop, halves("red", "blue"))
    left = {"xmin": 0, "ymin": 0, "xmax": 100, "ymax": 100}
    right = {"xmin": 100, "ymin": 0, "xmax": 200, "ymax": 100}
    assert search(shop, {"key": key, "box": left})[:2] == ["red", "red"]
    assert search(shop, {"key": key, "box": right})[:2] == ["blue", "blue"]
    encoded = base64_of(halves("red", "blue"))
    assert search(shop, {"base64": encoded, "box": right})[:2] == ["blue", "blue"]


def test_the_box_of_a_large_photo_is_in_its_own_pixels(shop: Shop):
    image = Image.open(io.BytesIO(halves("red", "blue"))).resize((2000, 1000))
    written = io.BytesIO()
    image.save(written, "JPEG", quality=95)
    box = {"xmin": 1100, "ymin": 100, "xmax": 1900, "ymax": 900}
    assert search(shop, {"key": kept(shop, written.getvalue()), "box": box})[:2] == ["blue", "blue"]


@pytest.mark.parametrize(
    "box",
    [
        {"xmin": 300, "ymin": 0, "xmax": 400, "ymax": 10},
        {"xmin": 10, "ymin": 0, "xmax": 10, "ymax": 10},
        {"xmin": -1, "ymin": 0, "xmax": 10, "ymax": 10},
        {"xmin": 0, "ymin": 0, "xmax": 10},
        [0, 0, 10, 10],
    ],
)
def test_a_box_that_shows_nothing_is_refused(shop: Shop, box: Any):
    field, _ = refused(shop, {"base64": base64_of(halves("red", "blue")), "box": box})
    assert field.startswith("image.box")


def test_several_pictures_pull_by_their_weights(shop: Shop):
    red = {"base64": base64_of(picture("red"))}
    blue = {"base64": base64_of(picture("blue"))}
    assert set(search(shop, [red, blue])) == {"red", "blue"}
    assert search(shop, [red, {**blue, "weight": 0.1}])[:2] == ["red", "red"]
    assert search(shop, [{**red, "weight": 0.1}, blue])[:2] == ["blue", "blue"]
    away = {**red, "weight": -1.0}
    assert "red" not in search(shop, [blue, away])


def test_the_mix_of_pictures_is_the_weighted_sum_of_their_vectors(shop: Shop):
    rows = [
        shop.embedder.embed_images([Image.open(io.BytesIO(picture(color)))])[0]
        for color in ("red", "blue")
    ]
    mixed = 2.0 * rows[0] + 0.5 * rows[1]
    mixed /= np.linalg.norm(mixed)
    images = [
        {"base64": base64_of(picture("red")), "weight": 2.0},
        {"base64": base64_of(picture("blue")), "weight": 0.5},
    ]
    body = {"image": images, "limit": 12, "ranking": "vector"}
    for hit in shop.client.post("/v1/search", json=body).get_json()["hits"]:
        record = shop.versions.indexes["v2"].records[hit["id"]]
        assert hit["score"] == pytest.approx(float(record.vector @ mixed), abs=1e-5)


def test_several_files_of_a_form_are_searched_together(shop: Shop):
    form = {
        "image": [(io.BytesIO(picture(color)), f"{color}.png") for color in ("red", "blue")],
        "request": json.dumps({"limit": 4, "ranking": "vector"}),
    }
    response = shop.client.post("/v1/search", data=form)
    hits = response.get_json()["hits"]
    assert {hit["product"]["color"][0] for hit in hits} == {"red", "blue"}


def test_too_many_pictures_are_refused(shop: Shop):
    red = {"base64": base64_of(picture("red"))}
    field, message = refused(shop, [red] * 5)
    assert (field, message) == ("image", "is given more than 4 times")
    assert refused(shop, [])[0] == "image"
    batch = {"searches": [{"image": [red] * 4}] * 9}
    response = shop.client.post("/v1/search/batch", json=batch)
    assert response.status_code == 422
    assert "36 pictures, at most 32" in response.get_data(as_text=True)
    assert refused(shop, [red, {"base64": "%%%"}])[0] == "image[1].base64"


def test_a_further_page_belongs_to_the_same_pictures(shop: Shop):
    red = {"base64": base64_of(picture("red"))}
    blue = {"base64": base64_of(picture("blue")), "weight": 0.5}
    body = {"image": [red, blue], "limit": 3, "ranking": "vector"}
    cursor = shop.client.post("/v1/search", json=body).get_json()["next_cursor"]
    assert shop.client.post("/v1/search", json={**body, "cursor": cursor}).status_code == 200
    other = {**body, "image": [red, {**blue, "weight": 0.6}], "cursor": cursor}
    assert shop.client.post("/v1/search", json=other).status_code == 422


def test_the_things_in_a_photo_are_boxes_in_its_own_pixels(shop: Shop):
    response = shop.client.post(
        f"/v1/pictures/{kept(shop, halves('red', 'blue'))}/objects", json={}
    )
    assert response.status_code == 200
    assert response.get_json()["objects"] == [
        {"score": 0.5, "box": {"xmin": 0.0, "ymin": 0.0, "xmax": 100.0, "ymax": 100.0}}
    ]


def test_photos_go_when_their_time_is_over(tmp_path: Path):
    photos = Photos(tmp_path, hours=1, most_bytes=10**6)
    key = photos.put(b"a photo").key
    assert photos.get(key) == b"a photo"
    (file,) = tmp_path.glob("*/*")
    os.utime(file, (time.time() - 3601,) * 2)
    with pytest.raises(NotFound):
        photos.get(key)
    Photos(tmp_path, hours=1, most_bytes=10**6).put(b"another")
    assert [path.read_bytes() for path in tmp_path.glob("*/*")] == [b"another"]


def test_sending_a_photo_again_makes_it_young(tmp_path: Path):
    photos = Photos(tmp_path, hours=1, most_bytes=10**6)
    key = photos.put(b"a photo").key
    (file,) = tmp_path.glob("*/*")
    os.utime(file, (time.time() - 3601,) * 2)
    photos.put(b"a photo")
    assert photos.get(key) == b"a photo"


def test_the_oldest_photos_go_where_all_are_too_large(tmp_path: Path):
    photos = Photos(tmp_path, hours=1, most_bytes=100_000)
    keys = []
    for number in range(40):
        keys.append(photos.put(bytes([number]) * 10_000).key)
        (file,) = tmp_path.glob(f"*/{keys[-1]}")
        os.utime(file, (time.time() - 100 + number,) * 2)
    total = sum(path.stat().st_size for path in tmp_path.glob("*/*"))
    assert total <= 100_000 * (1 + 1 / 16) + 10_000
    assert photos.get(keys[-1]) == bytes([39]) * 10_000
    with pytest.raises(NotFound):
        photos.get(keys[0])
