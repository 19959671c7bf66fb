"""Searching over HTTP: words, pictures, examples, filters, pages."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest

from tests.unit.service.checking import CheckingClient
from tests.unit.service.conftest import Shop, base64_of, picture
from vitrine.index import IndexAnswer, IndexQuery
from vitrine.results import Group


def ids(answer: dict) -> list[str]:
    return [hit["id"] for hit in answer["hits"]]


def test_words_find_what_looks_like_them(client: CheckingClient):
    answer = client.get("/v1/search?q=red").get_json()
    assert {hit["product"]["title"] for hit in answer["hits"][:2]} == {
        "red dress № 0",
        "red mug № 6",
    }
    assert answer["total"] == 12
    assert answer["plan"] == {"search": "exact", "matching": 12, "truncated_text": False}
    assert answer["index"] == {"version": "v2", "model": "fake", "backend": "brute force"}
    assert {"embed", "search", "facets", "total"} <= set(answer["timings_ms"])


def test_a_hit_shows_the_product_and_where_its_picture_is(client: CheckingClient):
    hit = client.get("/v1/search?q=red&limit=1&category=Dresses").get_json()["hits"][0]
    assert hit["id"] == "dresses/0"
    assert hit["product"] == {
        "title": "red dress № 0",
        "price": 0.0,
        "currency": "EUR",
        "color": ["red"],
        "colors": ["red"],
        "category": ["Dresses"],
        "description": None,
        "brand": None,
        "in_stock": True,
        "group_id": "g0",
        "attributes": {"pattern": ["plain"]},
        "url": None,
        "compare_at_price": None,
        "codes": [],
    }
    assert client.get(hit["image_url"]).status_code == 200
    assert "explain" not in hit


def test_without_anything_to_compare_products_are_listed(client: CheckingClient):
    answer = client.get("/v1/search?in_stock=true&price_min=40&price_max=80&sort=price").get_json()
    assert ids(answer) == ["dresses/4", "mugs/6", "mugs/8"]
    assert [hit["score"] for hit in answer["hits"]] == [None, None, None]
    assert answer["plan"]["search"] == "browse"


def test_empty_fields_of_a_form_are_as_good_as_none(client: CheckingClient):
    answer = client.get("/v1/search?q=&cursor=&facets=&collapse=&color=red").get_json()
    assert ids(answer) == ["dresses/0", "mugs/6"]
    assert answer["plan"]["search"] == "browse"


def test_a_repeated_parameter_means_any_of(client: CheckingClient):
    answer = client.get("/v1/search?color=red&color=Blue&category=Dresses").get_json()
    assert ids(answer) == ["dresses/0", "dresses/2"]


def test_the_same_filter_in_json_finds_the_same(client: CheckingClient):
    body = {
        "filter": {
            "price": {"gte": 40, "lt": 81},
            "in_stock": True,
            "not": {"color": "green"},
            "or": [{"color": "red"}, {"color": "blue"}],
        }
    }
    assert ids(client.post("/v1/search", json=body).get_json()) == ["mugs/6", "mugs/8"]


def test_facets_are_counted_by_value_or_as_a_histogram(client: CheckingClient):
    facets = client.get("/v1/search?category=Dresses&facets=color,price").get_json()["facets"]
    assert {"value": "red", "count": 1} in facets["color"]
    assert (facets["price"]["min"], facets["price"]["max"]) == (0.0, 40.0)


def test_pages_follow_each_other_without_gap_or_repeat(client: CheckingClient):
    whole = ids(client.get("/v1/search?q=green&limit=200").get_json())
    walked, cursor = [], ""
    while cursor is not None:
        answer = client.get(
            "/v1/search", query_string={"q": "green", "limit": 5, "cursor": cursor}
        ).get_json()
        walked += ids(answer)
        cursor = answer["next_cursor"]
    assert walked == whole


def test_the_products_are_listed_as_a_search_without_words_has_them(client: CheckingClient):
    parameters = "color=red&sort=-price&limit=1"
    searched = client.get(f"/v1/search?{parameters}").get_json()
    listed = client.get(f"/v1/products?{parameters}").get_json()
    assert ids(listed) == ids(searched) != []
    assert listed["total"] == searched["total"]
    more = {"color": "red", "sort": "-price", "limit": 1, "cursor": listed["next_cursor"]}
    second = client.get("/v1/products", query_string=more).get_json()
    assert len(ids(second)) == 1
    assert ids(second) != ids(listed)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda b: b,
        lambda b: "data:image/png;base64," + b,
        lambda b: b.replace("+", "-").replace("/", "_").rstrip("="),
    ],
)
def test_a_picture_in_base64_finds_what_looks_like_it(client: CheckingClient, wrap):
    answer = client.post(
        "/v1/search",
        json={"image": {"base64": wrap(base64_of(picture("blue", (62, 40))))}, "limit": 2},
    ).get_json()
    assert ids(answer)[0] == "dresses/2"
    assert answer["hits"][0]["score"] == pytest.approx(1, abs=1e-5)


def test_a_picture_in_a_form_finds_the_same_as_in_base64(client: CheckingClient):
    data = picture("blue")
    body = {"filter": {"category": "Kitchen"}, "limit": 3}
    form = {"image": (io.BytesIO(data), "photo.png"), "request": json.dumps(body)}
    by_form = client.post("/v1/search", data=form).get_json()
    by_json = client.post(
        "/v1/search", json={**body, "image": {"base64": base64_of(data)}}
    ).get_json()
    assert [(h["id"], h["score"]) for h in by_form["hits"]] == [
        (h["id"], h["score"]) for h in by_json["hits"]
    ]


def test_the_json_of_a_form_may_be_a_file_and_may_be_left_out(client: CheckingClient):
    form = {
        "image": (io.BytesIO(picture("red")), "photo.png"),
        "request": (io.BytesIO(b'{"limit": 1}'), "request.json"),
    }
    assert len(client.post("/v1/search", data=form).get_json()["hits"]) == 1
    assert (
        client.post(
            "/v1/search", data={"image": (io.BytesIO(picture("red")), "photo.png")}
        ).status_code
        == 200
    )


def test_a_mix_is_explained_part_by_part(client: CheckingClient):
    body = {
        "text": [{"text": "dress"}, {"text": "red", "weight": -0.5}],
        "image": {"base64": base64_of(picture("blue"))},
        "like": ["mugs/7"],
        "unlike": ["mugs/6"],
        "weights": {"text": 0.5, "image": 2.0},
        "explain": True,
        "limit": 3,
    }
    hit = client.post("/v1/search", json=body).get_json()["hits"][0]
    assert set(hit["explain"]) == {
        "text: dress",
        "text: red",
        "image",
        "like: mugs/7",
        "unlike: mugs/6",
    }
    assert sum(hit["explain"].values()) == pytest.approx(hit["score"], abs=1e-4)


def test_similar_products_exclude_the_product_itself_and_obey_filters(client: CheckingClient):
    answer = client.get("/v1/products/dresses/0/similar?limit=3&category=Dresses").get_json()
    assert len(answer["hits"]) == 3
    assert "dresses/0" not in ids(answer)
    assert all(hit["product"]["category"] == ["Dresses"] for hit in answer["hits"])


def test_a_product_is_shown_by_its_id_slashes_included(client: CheckingClient):
    for address in ("/v1/products/dresses/0", "/v1/products/dresses%2F0"):
        assert client.get(address).get_json()["product"]["title"] == "red dress № 0"


def test_the_fields_say_what_filters_counts_and_sorts(client: CheckingClient):
    fields = {f.pop("name"): f for f in client.get("/v1/fields").get_json()["fields"]}
    assert fields["price"] == {"label": None, "type": "money", "facet": True, "sortable": True}
    group = {"label": None, "type": "keyword", "facet": False, "sortable": False}
    assert fields["group_id"] == group


def test_the_time_of_each_stage_is_told(client: CheckingClient):
    stages = client.get("/v1/search?q=red").headers["Server-Timing"]
    assert [part.split(";")[0] for part in stages.split(", ")] == [
        "embed",
        "search",
        "facets",
        "total",
    ]


def test_a_text_that_the_model_cuts_is_said_to_be_cut(client: CheckingClient):
    assert (
        client.post("/v1/search", json={"text": "red " * 100}).get_json()["plan"]["truncated_text"]
        is True
    )


def test_an_empty_list_of_texts_browses(shop: Shop):
    before = shop.embedder.texts_embedded
    assert (
        shop.client.post("/v1/search", json={"text": [], "limit": 1}).get_json()["hits"][0]["score"]
        is None
    )
    assert shop.embedder.texts_embedded == before


def test_a_hit_of_a_collapsed_search_tells_of_its_group(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
):
    index = shop.versions.indexes["v2"]
    answered = index.search
    group = Group(3, 10.0, None, ("blue", "red"), ("a", "b", "c"))

    def collapsed(query: IndexQuery) -> IndexAnswer:
        answer = answered(query)
        assert query.collapse == "group_id"
        return replace(answer, hits=(replace(answer.hits[0], group=group), *answer.hits[1:]))

    monkeypatch.setattr(index, "search", collapsed)
    first, second = shop.client.get("/v1/search?collapse=group_id&limit=2").get_json()["hits"]
    assert first["group"] == {
        "count": 3,
        "price": {"min": 10.0, "max": None},
        "colors": ["blue", "red"],
        "ids": ["a", "b", "c"],
    }
    assert "group" not in second
