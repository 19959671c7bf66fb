"""What generators of clients and clients themselves meet: plain names, small answers."""

from __future__ import annotations

import gzip
import io
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.unit.service.conftest import TOKEN, Shop, picture


def spec(shop: Shop) -> dict[str, Any]:
    return shop.client.get("/openapi.json").get_json()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def inner(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from inner(each)
    elif isinstance(value, list):
        for each in value:
            yield from inner(each)


def test_operation_ids_are_plain_and_stay(shop: Shop):
    ids = [operation["operationId"] for _, _, operation in operations(spec(shop))]
    assert not [name for name, count in Counter(ids).items() if count > 1]
    published = {
        "cancel_job", "check_live", "check_ready", "classify", "delete_product", "detect",
        "discard_version", "get_job", "get_product", "get_product_image", "list_failures",
        "list_fields", "list_jobs", "list_similar", "list_versions", "patch_product",
        "publish_version", "put_products", "reindex", "retry_failures", "search", "search_by_words",
        "search_upload", "similarity",
    }  # fmt: skip
    assert published <= set(ids)


def test_no_default_is_null_and_what_may_be_left_out_takes_no_null(shop: Shop):
    document = spec(shop)
    assert not [each for each in inner(document) if each.get("default", 0) is None]
    request = document["components"]["schemas"]["SearchRequest"]
    assert "text" not in request.get("required", [])
    assert request["properties"]["cursor"]["type"] == "string"


def test_each_operation_has_one_kind_of_body(shop: Shop):
    for path, method, operation in operations(spec(shop)):
        kinds = list(operation.get("requestBody", {}).get("content", {}))
        assert len(kinds) <= 1, (path, method)
        assert ("multipart/form-data" in kinds) == path.endswith("/upload")


def test_a_picture_in_json_is_an_object_of_plain_properties(shop: Shop):
    source = spec(shop)["components"]["schemas"]["ImageSource"]
    assert set(source["properties"]) == {"base64", "url", "key"}
    assert not {"oneOf", "anyOf", "allOf"} & set(source)


def test_every_example_of_a_body_is_answered(shop: Shop):
    document, tried = spec(shop), 0
    headers = {"Authorization": f"Bearer {TOKEN}"}
    for path, method, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {})
        form = content.get("multipart/form-data")
        if form is not None:
            part = form["schema"]["properties"]["request"]["example"]
            data = {"request": json.dumps(part), "image": (io.BytesIO(picture("red")), "a.png")}
            response = shop.client.post(path, data=data)
        elif "application/json" in content and "$ref" in content["application/json"]["schema"]:
            name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
            example = document["components"]["schemas"][name].get("example")
            if example is None:
                continue
            address = path.replace("{product_id}", "mugs/7")
            response = shop.client.open(address, method=method, json=example, headers=headers)
        else:
            continue
        tried += 1
        assert response.status_code in (200, 202), (path, response.get_json())
    assert tried >= 9


def test_an_upload_is_answered_as_the_same_search_in_json(shop: Shop):
    one, other = (
        shop.client.post(path, data={"image": (io.BytesIO(picture("red")), "a.png")}).get_json()
        for path in ("/v1/search", "/v1/search/upload")
    )
    assert one["hits"] == other["hits"]


def test_large_answers_are_compressed_when_asked(shop: Shop):
    plain = shop.client.get("/openapi.json")
    packed = shop.client.get("/openapi.json", headers={"Accept-Encoding": "gzip, br"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert gzip.decompress(packed.get_data()) == plain.get_data()
    assert len(packed.get_data()) < len(plain.get_data()) / 3
    for encodings in ("", "br", "gzip;q=0", "identity"):
        answer = shop.client.get("/openapi.json", headers={"Accept-Encoding": encodings})
        assert "Content-Encoding" not in answer.headers
    small = shop.client.get("/health/live", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in small.headers


def test_fields_of_a_body_tell_their_default_in_words(shop: Shop):
    limit = spec(shop)["components"]["schemas"]["SearchRequest"]["properties"]["limit"]
    assert "default" not in limit
    assert limit["description"].endswith("(default: 24)")
