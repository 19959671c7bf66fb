"""Addresses lead where they say, whichever way ids and slashes are written."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Response
from flask.testing import FlaskClient

from tests.unit.service.conftest import Shop

HARD = ("a", "a/image", "a/similar", "image", "a/image/image", "similar/", "/", "a//b", "%2F")
"""Ids that end as the addresses of pictures and of similar products do."""


@pytest.fixture
def hard(shop: Shop) -> Shop:
    """The shop, with a product of each hard id."""
    records = shop.versions.indexes["v2"].records
    pattern = next(iter(records.values()))
    for name in HARD:
        records[name] = replace(pattern, product=replace(pattern.product, id=name))
    return shop


@pytest.mark.parametrize("name", HARD)
def test_every_id_is_read_when_its_slashes_are_quoted(hard: Shop, name: str):
    quoted = name.replace("%", "%25").replace("/", "%2F")
    answer = hard.client.get(f"/v1/products/{quoted}").get_json()
    assert answer["id"] == name
    assert answer["image_url"] == f"/v1/products/{quoted}/image"
    assert hard.client.get(answer["image_url"]).content_type == "image/jpeg"
    similar = hard.client.get(f"/v1/products/{quoted}/similar").get_json()
    assert name not in [hit["id"] for hit in similar["hits"]]


@pytest.mark.parametrize("path", ["/search/v1/products/a%2fimage", "/v1/products/a%2Fimage"])
def test_below_a_prefix_ids_are_read_as_well(open_shop, path: str):
    shop = open_shop(public_url="https://shop.example/search")
    records = shop.versions.indexes["v2"].records
    pattern = records["mugs/7"]
    records["a/image"] = replace(pattern, product=replace(pattern.product, id="a/image"))
    client = FlaskClient(shop.app, Response)  # the description's paths have no prefix
    assert client.get(path).get_json()["id"] == "a/image"


def test_slashes_that_are_not_quoted_are_of_the_path(hard: Shop):
    assert hard.client.get("/v1/products/a/image").content_type == "image/jpeg"
    assert hard.client.get("/v1/products/dresses/2").get_json()["id"] == "dresses/2"
    assert hard.client.get("/v1/products/a%2Fimage/image").content_type == "image/jpeg"


@pytest.mark.parametrize("page", ["/docs", "/admin", "/try"])
def test_pages_are_shown_with_a_slash_at_the_end_too(shop: Shop, page: str):
    plain = FlaskClient(shop.app, Response)  # pages are not in the description
    with_slash = plain.get(f"{page}/")
    assert (with_slash.status_code, with_slash.get_data()) == (200, plain.get(page).get_data())
