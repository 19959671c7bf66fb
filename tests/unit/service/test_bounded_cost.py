"""What one request may cost is bounded before it is built."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from service import incoming
from tests.unit.service.conftest import TOKEN, Shop, base64_of, picture

pytestmark = pytest.mark.slow

RED = {"base64": base64_of(picture("red"))}
ADMIN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    "body",
    [
        b'{"text": [' + b'{"text": "a"},' * 200_000 + b'{"text": "a"}]}',
        b"{" + b",".join(b'"key%d":1' % n for n in range(150_000)) + b"}",
        b'{"facets": [' + b'"price",' * 300_000 + b'"price"]}',
        b'{"filter": {"or": [' + b'{"price": 1},' * 100_000 + b'{"price": 1}]}}',
        b"[" * 200_000,
    ],
)
def test_json_with_too_many_values_is_refused_before_it_is_built(
    unchanged: Shop, body: bytes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(incoming.orjson, "loads", None)
    response = unchanged.client.post("/v1/search", data=body, content_type="application/json")
    assert response.status_code == 413
    assert "more than 100000 values" in response.get_json()["detail"]


def test_lines_with_too_many_values_are_refused_before_they_are_built(unchanged: Shop):
    response = unchanged.client.put(
        "/v1/admin/products",
        data=b"1\n" * 1_100_000,
        content_type="application/x-ndjson",
        headers=ADMIN,
    )
    assert response.status_code == 413


def test_a_facet_asked_for_twice_is_counted_once(unchanged: Shop):
    once = unchanged.client.post("/v1/search", json={"facets": ["color"]}).get_json()
    twice = unchanged.client.post("/v1/search", json={"facets": ["color"] * 50}).get_json()
    assert once["facets"] == twice["facets"]


@pytest.mark.parametrize(
    ("filter_", "field", "message"),
    [
        ({"color": "x" * 100_001}, "color", "longer than 100000 characters"),
        ({"color": ["x" * 1000 + str(n) for n in range(200)]}, "filter", "characters of text"),
        ({"price": list(range(1001))}, "filter", "more than 1000 conditions"),
        ({"or": [{"price": 1}] * 1001}, "filter", "more than 1000 conditions"),
    ],
)
def test_the_texts_and_values_of_a_filter_are_bounded(unchanged: Shop, filter_, field, message):
    response = unchanged.client.post("/v1/search", json={"filter": filter_})
    assert response.status_code == 422
    assert response.get_json()["errors"][0]["field"] == field
    assert message in response.get_json()["errors"][0]["message"]


def test_labels_times_templates_are_bounded(unchanged: Shop):
    body = {"image": RED, "labels": ["a", "b", "c"] * 100, "template": ["{} x", "x {}"] * 2}
    response = unchanged.client.post("/v1/classify", json=body)
    assert response.status_code == 422
    assert "1200 texts" in response.get_json()["errors"][0]["message"]


def test_the_products_that_the_objects_of_a_picture_bring_are_bounded(unchanged: Shop):
    labels = [f"label {number}" for number in range(60)]
    body = {"image": RED, "labels": labels, "search": True, "limit": 20, "threshold": 0}
    objects = unchanged.client.post("/v1/detect", json=body).get_json()["objects"]
    assert len(objects) == 60
    assert sum("products" in each for each in objects) == 500 // 20


def test_what_is_in_the_boxes_is_cut_out_and_embedded_a_few_at_a_time(
    unchanged: Shop, monkeypatch: pytest.MonkeyPatch
):
    embed, sizes = unchanged.embedder.embed_images, []
    monkeypatch.setattr(
        unchanged.embedder,
        "embed_images",
        lambda images: sizes.append(len(images)) or embed(images),
    )
    labels = [f"label {number}" for number in range(60)]
    body = {"image": RED, "labels": labels, "search": True, "limit": 5, "threshold": 0}
    objects = unchanged.client.post("/v1/detect", json=body).get_json()["objects"]
    assert all("products" in each for each in objects)
    assert len(objects) == 60
    assert max(sizes) <= 8


@pytest.mark.parametrize("size", [(1, 64_000), (64_000, 1), (8000, 8000)])
@pytest.mark.parametrize("path", ["search", "similarity", "classify", "detect"])
def test_a_picture_that_would_take_too_much_memory_is_refused(unchanged: Shop, path: str, size):
    written = io.BytesIO()
    Image.new("L", size).save(written, "PNG")
    body = {"image": {"base64": base64_of(written.getvalue())}}
    extra = {
        "similarity": {"texts": ["a"]},
        "classify": {"labels": ["a"]},
        "detect": {"labels": ["a"]},
    }
    response = unchanged.client.post(f"/v1/{path}", json={**body, **extra.get(path, {})})
    assert (response.status_code, response.get_json()["reason"]) == (422, "too_many_pixels")


def test_boxes_are_told_in_pixels_of_the_upload_though_less_is_decoded(unchanged: Shop):
    written = io.BytesIO()
    Image.new("RGB", (4000, 3200), "red").save(written, "PNG")
    body = {"image": {"base64": base64_of(written.getvalue())}, "labels": ["dress"]}
    box = unchanged.client.post("/v1/detect", json=body).get_json()["objects"][0]["box"]
    assert box == pytest.approx({"xmin": 0, "ymin": 0, "xmax": 2000, "ymax": 3200})


def test_a_category_of_very_many_levels_is_refused(unchanged: Shop):
    row = {"id": "a", "title": "A", "category": "a/" * 100 + "b"}
    response = unchanged.client.put("/v1/admin/products", json=[row], headers=ADMIN)
    assert response.status_code == 422
    assert "levels" in response.get_json()["errors"][0]["message"]
