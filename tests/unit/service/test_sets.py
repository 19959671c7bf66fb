"""Sets of products: own variants, examples, values of a field, several searches at once."""

from __future__ import annotations

import pytest

from tests.unit.service.checking import CheckingClient
from tests.unit.service.conftest import Shop


def ids(answer: dict) -> list[str]:
    return [hit["id"] for hit in answer["hits"]]


def test_similar_products_leave_out_the_products_own_group(client: CheckingClient):
    answer = client.get("/v1/products/dresses/0/similar").get_json()
    assert len(answer["hits"]) == 10
    assert not {"dresses/0", "mugs/6"} & set(ids(answer))  # both are of group g0


def test_similar_products_hold_the_own_group_where_it_is_asked_for(client: CheckingClient):
    answer = client.get("/v1/products/dresses/0/similar?own_group=true").get_json()
    assert len(answer["hits"]) == 11
    assert "mugs/6" in ids(answer)
    assert "dresses/0" not in ids(answer)


def test_similar_products_stay_without_the_own_group_on_every_page(client: CheckingClient):
    address, pages = "/v1/products/dresses/0/similar?limit=4", []
    cursor = ""
    while cursor is not None:
        answer = client.get(address + (f"&cursor={cursor}" if cursor else "")).get_json()
        pages += ids(answer)
        cursor = answer["next_cursor"]
    assert len(pages) == len(set(pages)) == 10
    assert not {"dresses/0", "mugs/6"} & set(pages)


def test_examples_are_no_hits_of_their_own_search_unless_asked_for(client: CheckingClient):
    body = {"like": ["dresses/0", "dresses/1"]}
    assert not set(ids(client.post("/v1/search", json=body).get_json())) & set(body["like"])
    body_with = {**body, "include_examples": True}
    assert set(body["like"]) <= set(ids(client.post("/v1/search", json=body_with).get_json()))


def test_the_values_of_a_field_are_searched_by_part_whatever_case_and_accents(
    client: CheckingClient,
):
    answer = client.get("/v1/facets/category?q=MÜG").get_json()
    assert answer == {"values": [{"value": "Kitchen/Mugs", "count": 6}], "cut": False}


def test_the_values_of_a_field_count_under_the_filter(client: CheckingClient):
    answer = client.get("/v1/facets/color?q=e&price_max=10").get_json()
    assert {v["value"]: v["count"] for v in answer["values"]} == {"red": 1, "green": 1}


def test_more_values_than_are_listed_are_told(client: CheckingClient):
    answer = client.get("/v1/facets/color?limit=2").get_json()
    assert (len(answer["values"]), answer["cut"]) == (2, True)


def test_values_of_a_field_that_has_ranges_are_refused(client: CheckingClient):
    response = client.get("/v1/facets/price")
    assert response.status_code == 422
    assert "by ranges" in response.get_data(as_text=True)


def test_values_of_a_field_that_does_not_exist_name_those_that_do(client: CheckingClient):
    response = client.get("/v1/facets/shape")
    assert response.status_code == 422
    assert "the catalogue has" in response.get_data(as_text=True)


def test_a_batch_answers_as_its_searches_do_one_by_one_and_embeds_once(open_shop):
    shop: Shop = open_shop(embedding_cache=0)
    searches = [{"text": "red dress"}, {"text": "blue mug", "limit": 3}, {"sort": "price"}]
    before = shop.embedder.texts_embedded
    answers = shop.client.post("/v1/search/batch", json={"searches": searches}).get_json()
    assert shop.embedder.texts_embedded == before + 2
    singles = [shop.client.post("/v1/search", json=body).get_json() for body in searches]
    assert [ids(a) for a in answers["answers"]] == [ids(a) for a in singles]


def test_a_fault_in_a_batch_names_the_search_and_the_field(client: CheckingClient):
    searches = [{"text": "red"}, {"text": "red", "filter": {"shape": "round"}}]
    response = client.post("/v1/search/batch", json={"searches": searches})
    assert response.status_code == 422
    assert response.get_json()["errors"][0]["field"] == "searches[1].shape"


def test_a_batch_beyond_the_limit_is_refused(open_shop):
    shop: Shop = open_shop(max_batch=2)
    response = shop.client.post("/v1/search/batch", json={"searches": [{}, {}, {}]})
    assert response.status_code == 422
    assert "at most 2" in response.get_data(as_text=True)


def test_a_catalogue_that_has_learnt_no_words_suggests_nothing(client: CheckingClient):
    assert client.get("/v1/suggest?q=dr").get_json() == {"suggestions": []}


def test_suggestions_need_something_typed(client: CheckingClient):
    response = client.get("/v1/suggest?limit=3")
    assert response.status_code == 422
    assert response.get_json()["errors"][0]["field"] == "q"


@pytest.mark.parametrize("keys", ["-in_stock,price", ["-in_stock", "price"]])
def test_several_sort_keys_order_in_turn(client: CheckingClient, keys: str | list[str]):
    body = {"sort": keys, "limit": 200}
    answer = client.post("/v1/search", json=body).get_json()
    products = [hit["product"] for hit in answer["hits"]]
    known = [p for p in products if None not in (p.get("in_stock"), p.get("price"))]
    order = [(not product["in_stock"], product["price"]) for product in known]
    assert order == sorted(order)
    assert len({in_stock for in_stock, _ in order}) == 2
    if isinstance(keys, str):
        by_address = client.get(f"/v1/search?sort={keys}&limit=200").get_json()
        assert ids(by_address) == ids(answer)


@pytest.mark.parametrize(
    ("sort", "message"),
    [("price,-price", "'price' more than once"), ("price,shape", "cannot sort by 'shape'")],
)
def test_a_sort_that_makes_no_order_is_refused(client: CheckingClient, sort: str, message: str):
    answer = client.get(f"/v1/search?sort={sort}")
    assert answer.status_code == 422
    assert message in answer.get_json()["errors"][0]["message"]


def test_a_filter_value_that_no_product_has_is_told(client: CheckingClient):
    answer = client.get("/v1/search?category=Kitchen%20%3E%20Mugz").get_json()
    assert answer["total"] == 0
    assert answer["notes"] == [
        {
            "code": "unknown_value",
            "message": "no product has category 'Kitchen > Mugz'; the nearest is 'Kitchen/Mugs'",
            "field": "category",
            "value": "Kitchen > Mugz",
            "nearest": "Kitchen/Mugs",
        }
    ]
    assert client.get("/v1/search?category=KITCHEN%20%3E%20mugs").get_json()["total"] == 6
