"""What comes in wrong goes out as a problem document that names the field, what is wrong and
what is allowed."""

from __future__ import annotations

import gzip
import io
import json

import pytest

from service.page_texts import texts_of
from tests.unit.service.checking import CheckingClient
from tests.unit.service.conftest import Shop, base64_of, picture
from vitrine.cursors import Cursor
from vitrine.index import PageToken

JSON = "application/json"


def faults(response) -> dict[str, str]:
    return {fault["field"]: fault["message"] for fault in response.get_json().get("errors", [])}


@pytest.mark.parametrize(
    ("query", "field", "said"),
    [
        ("colour=red", "colour", "allowed are the fields id, title, price"),  # codespell:ignore
        ("price=cheap", "price", "must be a number"),
        ("price_min=nan", "price_min", "must be a number"),
        ("price_max=1_000", "price_max", "must be a number"),
        (
            "price_min=50&price_max=10",
            "price",
            "the lower bound 50.0 is above the upper bound 10.0",
        ),
        ("in_stock=perhaps", "in_stock", "must be true or false"),
        ("added_min=yesterday", "added_min", "is not a time"),
        ("limit=0", "limit", "at least 1"),
        ("limit=1000000000", "limit", "from 1 to 200"),
        ("limit=" + "9" * 5000, "limit", "integer"),
        ("limit=5&limit=6", "limit", "more than once"),
        ("limit=many", "limit", "integer"),
        ("candidates=1000000000", "candidates", "from 1 to 10000"),
        ("q=%20", "text", "is empty"),
        ("q=a%00b", "q", "NUL"),
        ("color=a%00b", "color", "NUL"),
        ("sort=shape", "sort", "allowed: relevance, title, -title, price, -price"),
        ("facets=title", "facets", "cannot be counted"),
        ("facets=shape", "facets", "there is no field"),
        ("collapse=title", "collapse", "must be a keyword field"),
        ("q=red&min_score=2", "min_score", "at most 1"),
        ("q=red&min_score=nan", "min_score", "finite"),
        ("min_score=0.5", "min_score", "needs a text"),
        ("q=red&cursor=%F0%9F%91%97", "cursor", "is damaged"),
        ("q=red&cursor=AAAA", "cursor", "is damaged"),
        ("explain=perhaps", "explain", "boolean: true or false"),
        ("limit=1_0", "limit", "must be a number, written such as 1000"),
        ("candidates=1_000", "candidates", "must be a number"),
        ("q=red&min_score=0_1", "min_score", "must be a number"),
        ("q=red&cutoff=2", "cutoff", "must be auto, off, or a number from 0 to 1"),
        ("q=red&cutoff=high", "cutoff", "must be auto, off, or a number from 0 to 1"),
        ("ranking=best", "ranking", "must be 'auto', 'vector' or 'words'"),
        ("page=2", "page", "besides sort, limit, cursor, facets"),
        ("query=red", "query", "q, understand, literal, allowed are the fields id, title"),
        ("own_group=true", "own_group", "unknown; besides sort"),
    ],
)
def test_a_wrong_parameter_is_named_with_what_is_allowed(
    client: CheckingClient, query: str, field: str, said: str
):
    response = client.get(f"/v1/search?{query}")
    assert response.status_code == 422
    assert said in faults(response)[field]


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        ({"txet": "red"}, "txet", "allowed are text, image, like"),
        ({"text": 5}, "text", "must be a text, or a list"),
        (
            {"text": [{"text": "a", "weigth": 1}]},  # codespell:ignore
            "text[0].weigth",  # codespell:ignore
            "allowed are text, weight",
        ),  # codespell:ignore
        ({"text": [{"text": "a", "weight": "much"}]}, "text[0].weight", "number"),
        ({"text": [{"text": "a", "weight": 1e300}]}, "text[0].weight", "at most 100"),
        ({"text": "x" * 100_000}, "text", "longer than 10000 characters"),
        ({"text": [{"text": "a"}] * 17}, "text", "more than 16"),
        ({"text": "a\0b"}, "text", "NUL"),
        ({"like": "mugs/7"}, "like", "list"),
        ({"like": ["nobody"]}, "like", "there is no product 'nobody'"),
        ({"like": ["mugs/7"], "unlike": ["mugs/7"]}, "unlike", "like names as well"),
        ({"like": [str(n) for n in range(101)]}, "like", "more than 100"),
        (
            {"like": ["mugs/7"], "weights": {"colour": 1}},  # codespell:ignore
            "weights.colour",  # codespell:ignore
            "allowed are text, image",
        ),
        ({"limit": "5"}, "limit", "must be an integer, at least 1"),
        ({"limit": True}, "limit", "integer"),
        ({"limit": 10**30}, "limit", "integer"),
        ({"limit": 10**9}, "limit", "from 1 to 200"),
        ({"limit": 0}, "limit", "at least 1"),
        ({"explain": "yes"}, "explain", "boolean"),
        (
            {"filter": {"colour": "red"}},  # codespell:ignore
            "colour",  # codespell:ignore
            "the catalogue has id, title, price",
        ),
        ({"filter": {"price": {"gte": 50, "lt": 10}}}, "price", "is above the upper bound"),
        ({"filter": {"price": {"near": 50}}}, "price", "allowed on a money field: in, gt"),
        ({"filter": {"price": "cheap"}}, "price", "must be a number, not 'cheap'"),
        ({"filter": {"price": None}}, "price", "must be a number, not null"),
        ({"filter": {"price": True}}, "price", "must be a number, not true"),
        ({"filter": {"color": False}}, "color", "must be text, not false"),
        ({"filter": {"in_stock": None}}, "in_stock", "must be true or false, not null"),
        ({"filter": {"price": {"lt": "1e999"}}}, "price", "must be a number"),
        ({"filter": {"color": []}}, "color", "the list is empty"),
        ({"filter": {"color": "a\0"}}, "color", "NUL"),
        ({"filter": {"or": []}}, "or", "at least one"),
        ({"filter": []}, "filter", "object"),
        ({"filter": {"price": [[[[[1]]]]]}}, "price", "must be a number"),
        ({"filter": {"id": [str(n) for n in range(1001)]}}, "filter", "more than 1000"),
        ({"ranking": "best"}, "ranking", "must be 'auto', 'vector' or 'words'"),
        ({"cutoff": "high"}, "cutoff", "must be auto, off, or a number from 0 to 1"),
        ({"cutoff": 3}, "cutoff", "must be auto, off, or a number from 0 to 1"),
        ({"cutoff": None}, "cutoff", "must be auto, off, or a number from 0 to 1"),
        ({"image": {}}, "image", "either base64 or url"),
        ({"image": {"base64": "aaaa", "url": "http://x"}}, "image", "either base64 or url"),
        ({"image": "photo.jpg"}, "image", "object"),
        ({"image": {"base64": "!!!"}}, "image.base64", "is not base64"),
        ({"image": {"base64": "data:image/png,abc"}}, "image.base64", ";base64,"),
        ({"image": {"base64": ""}}, "image", "empty"),
        ({"image": {"base64": base64_of(b"no picture at all")}}, "image", "not a picture"),
        (
            {"image": {"base64": base64_of(picture("red", (100, 100))[:150])}},
            "image",
            "the file is incomplete",
        ),
        ({"image": {"url": "http://127.0.0.1/x.png"}}, "image.url", "VITRINE_FETCH_URLS"),
    ],
)
def test_a_wrong_field_is_named_with_what_is_allowed(
    client: CheckingClient, body: dict, field: str, said: str
):
    response = client.post("/v1/search", json=body)
    assert response.status_code == 422
    assert said in faults(response)[field]


def test_each_fault_is_told_once(client: CheckingClient):
    for response in (
        client.get("/v1/search?q=red&cutoff=2"),
        client.post("/v1/search", json={"cutoff": []}),
    ):
        assert [fault["field"] for fault in response.get_json()["errors"]] == ["cutoff"]


@pytest.mark.parametrize("sort", [None, 1, True, {}, ["price", 1]])
def test_a_wrong_sort_is_told_without_the_machinery_of_its_types(
    client: CheckingClient, sort: object
):
    response = client.post("/v1/search", json={"sort": sort})
    assert response.status_code == 422
    assert set(faults(response)) <= {"sort", "sort[1]"}


@pytest.mark.parametrize(
    ("path", "field", "said"),
    [
        ("/v1/facets/color?page=2", "page", "unknown; besides q, limit, allowed are the fields id"),
        ("/v1/products/mugs/7/similar?page=2", "page", "own_group, allowed are the fields id"),
        ("/v1/suggest?q=re&page=2", "page", "unknown; allowed are q, limit"),
        ("/v1/suggest", "q", "is missing"),
        ("/v1/suggest?q=re&limit=1000", "limit", "at most 50"),
        ("/v1/products?page=2", "page", "allowed are the fields id"),
        ("/v1/products/mugs/7?page=2", "page", "there are no parameters here"),
        ("/v1/fields?page=2", "page", "there are no parameters here"),
    ],
)
def test_a_wrong_parameter_of_other_addresses_is_named_with_what_is_allowed(
    client: CheckingClient, path: str, field: str, said: str
):
    response = client.get(path)
    assert response.status_code == 422
    assert said in faults(response)[field]


@pytest.mark.parametrize("facets", ["color,pattern", "color, pattern", " color ,, pattern,"])
def test_names_may_have_blanks_around_them(client: CheckingClient, facets: str):
    answer = client.get("/v1/search", query_string={"facets": facets}).get_json()
    assert [*answer["facets"]] == ["color", "pattern"]


def test_what_is_left_empty_is_as_if_it_were_left_out(client: CheckingClient):
    whole = client.get("/v1/search").get_json()
    for answer in (
        client.get("/v1/search?q=&collapse=&cursor=&facets=%20&literal="),
        client.post("/v1/search", json={"collapse": "", "cursor": "", "facets": []}),
    ):
        assert answer.get_json()["hits"] == whole["hits"]


def test_a_method_that_an_address_does_not_take_is_told_with_those_that_it_takes(
    client: CheckingClient,
):
    response = client.put("/v1/search")
    assert response.status_code == 405
    assert response.get_json()["detail"] == "PUT is not allowed here; allowed are GET, HEAD, POST"
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


def test_a_form_of_too_many_parts_is_told_how_many_it_may_have(client: CheckingClient):
    parts = {f"part{number}": "x" for number in range(20)}
    response = client.post("/v1/search", data=parts, content_type="multipart/form-data")
    assert response.status_code == 413
    assert "a form 16 parts" in response.get_json()["detail"]


def test_an_address_that_leads_nowhere_says_where_the_others_are_listed(client: CheckingClient):
    response = client.get("/v1/nothing")
    assert response.status_code == 404
    assert response.get_json()["detail"] == "there is nothing at this address; see /docs"


def nested(depth: int) -> dict:
    inner: dict = {"color": "red"}
    for _ in range(depth):
        inner = {"not": inner}
    return {"filter": inner}


def test_filters_may_be_nested_eight_deep_and_no_deeper(client: CheckingClient):
    assert client.post("/v1/search", json=nested(8)).status_code == 200
    response = client.post("/v1/search", json=nested(9))
    assert response.status_code == 422
    assert "deeper than 8" in faults(response)["filter"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty document"),
        (b"{", "line 1, column 2"),
        (b'{"text": "red"} and more', "invalid"),
        (b'{"min_score": NaN}', "invalid"),
        (b'{"min_score": Infinity}', "invalid"),
        (b'{"text": "\xff\xfe"}', "invalid"),
        (b'{"text": "\\ud800"}', "invalid"),
        (b"[" * 100_000, "invalid"),
        (json.dumps(nested(500)).encode(), "deeper than 32"),
        (b'{"a":' + b"[" * 900 + b"]" * 900 + b"}", "deeper than 32"),
    ],
)
def test_broken_json_is_a_bad_request_that_says_where(
    client: CheckingClient, body: bytes, said: str
):
    response = client.post("/v1/search", data=body, content_type=JSON)
    assert response.status_code == 400
    assert said in response.get_json()["detail"]


@pytest.mark.parametrize("body", [b"[]", b"5", b"null", b'"text"', b"true"])
def test_json_that_is_no_object_is_refused(client: CheckingClient, body: bytes):
    response = client.post("/v1/search", data=body, content_type=JSON)
    assert response.status_code == 422
    assert response.get_json()["detail"] == "must be an object as in SearchRequest"


def test_what_belongs_into_the_body_is_not_ignored_in_the_address(client: CheckingClient):
    response = client.post("/v1/search?limit=1", json={"text": "red"})
    assert response.status_code == 422
    assert faults(response) == {"limit": "unknown; there are no parameters here"}


def test_a_compressed_body_is_refused_by_its_encoding(client: CheckingClient):
    for body in (gzip.compress(b"{}"), b"{}"):
        response = client.post(
            "/v1/search", data=body, content_type=JSON, headers={"Content-Encoding": "gzip"}
        )
        assert response.status_code == 415
        assert "'gzip' is not supported" in response.get_json()["detail"]


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/xml"]
)
def test_another_media_type_is_415(client: CheckingClient, content_type: str | None):
    response = client.post("/v1/search", data=b"x=1", content_type=content_type)
    assert response.status_code == 415
    assert "application/json" in response.get_json()["detail"]


def part(color: str = "red") -> tuple[io.BytesIO, str]:
    return io.BytesIO(picture(color)), f"{color}.png"


@pytest.mark.parametrize(
    ("form", "status", "field"),
    [
        ({"image": [part() for _ in range(5)]}, 422, "image"),
        (
            {
                "image": part(),
                "request": json.dumps({"image": {"base64": base64_of(picture("red"))}}),
            },
            422,
            "image",
        ),
        ({"image": "not a file"}, 422, "image"),
        ({"photo": part()}, 422, "photo"),
        ({"image": part(), "text": "red"}, 422, "text"),
        ({"image": (io.BytesIO(b""), "empty.png")}, 422, "image"),
        ({"image": (io.BytesIO(b"hello"), "photo.png")}, 422, "image"),
        ({"image": part(), "request": ["{}", "{}"]}, 422, "request"),
        ({"image": part(), "request": '{"limit": 0}'}, 422, "limit"),
        ({"image": part(), "request": "{"}, 400, None),
    ],
)
def test_a_wrong_form_is_refused(
    client: CheckingClient, form: dict, status: int, field: str | None
):
    response = client.post("/v1/search", data=form, content_type="multipart/form-data")
    assert response.status_code == status
    assert field is None or field in faults(response)


def test_an_image_is_refused_with_the_code_of_its_fault(client: CheckingClient):
    response = client.post(
        "/v1/search", json={"image": {"base64": base64_of(b"%PDF-1.7 not a picture")}}
    )
    assert response.get_json()["type"] == "urn:vitrine:problem:invalid-image"
    assert response.get_json()["reason"] == "format_not_allowed"


def test_a_cursor_of_another_query_is_refused(client: CheckingClient):
    cursor = client.get("/v1/search?q=red&limit=2").get_json()["next_cursor"]
    response = client.get("/v1/search", query_string={"q": "blue", "limit": 2, "cursor": cursor})
    assert response.status_code == 422
    assert response.get_json()["type"] == "urn:vitrine:problem:invalid-cursor"
    assert "another query" in faults(response)["cursor"]


def test_a_cursor_of_a_version_that_is_gone_is_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    signer = shop.vitrine.signer.for_use("cursors")
    monkeypatch.setattr("vitrine.cursors.query_digest", lambda _: "digest")
    cursor = Cursor("v0", "digest", PageToken(0, None, (0.5, "mugs/7"), 12), None).encode(signer)
    response = shop.client.get("/v1/search", query_string={"cursor": cursor})
    assert response.status_code == 422
    assert "has expired" in faults(response)["cursor"]


def test_a_body_beyond_the_limit_is_413_whether_or_not_it_tells_its_length(open_shop):
    client = open_shop(max_body_mb=0.01).client
    body = json.dumps({"text": "x" * 20_000}).encode()
    assert client.post("/v1/search", data=body, content_type=JSON).status_code == 413
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    assert (
        client.post(
            "/v1/search",
            input_stream=io.BytesIO(body),
            content_type=JSON,
            environ_overrides=chunked,
        ).status_code
        == 413
    )
    form = {"image": (io.BytesIO(bytes(20_000)), "photo.png")}
    assert client.post("/v1/search", data=form).status_code == 413


def test_a_large_json_part_of_a_form_is_allowed_up_to_the_limit_of_the_body(client: CheckingClient):
    body = json.dumps({"image": {"base64": base64_of(picture("red"))}}) + " " * 600_000
    form = f'--x\r\nContent-Disposition: form-data; name="request"\r\n\r\n{body}\r\n--x--\r\n'
    assert (
        client.post(
            "/v1/search", data=form, content_type="multipart/form-data; boundary=x"
        ).status_code
        == 200
    )


def test_an_address_that_is_not_utf8_is_a_bad_request(client: CheckingClient):
    assert client.get("/v1/search?q=%ff").status_code == 400
    assert (
        client.get(
            "/v1/products/x", environ_overrides={"PATH_INFO": "/v1/products/\xff"}
        ).status_code
        == 400
    )


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/?q=%ff", 400, "the address is not UTF-8"),
        ("/try/nothing", 404, "there is nothing at this address"),
    ],
)
def test_a_browser_is_told_what_is_wrong_with_an_address_in_a_page(
    shop: Shop, address: str, status: int, words: str
):
    accepted = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language": "de"}
    page = shop.client.get(address, headers=accepted)
    assert (page.status_code, page.mimetype) == (status, "text/html")
    assert str(texts_of("de")["problem.refused"]) in page.text
    assert words in page.text
    assert shop.client.get(address).mimetype == "application/problem+json"


def test_an_unknown_address_and_a_wrong_method_are_problem_documents(client: CheckingClient):
    assert client.get("/v1/nothing").status_code == 404
    response = client.delete("/v1/search")
    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


def test_an_unknown_product_is_404_everywhere(client: CheckingClient):
    for address in (
        "/v1/products/nobody",
        "/v1/products/nobody/similar",
        "/v1/products/nobody/image",
    ):
        response = client.get(address)
        assert response.status_code == 404
        assert "nobody" in response.get_json()["detail"]


def test_what_was_sent_is_quoted_only_in_part(client: CheckingClient):
    response = client.post("/v1/search", json={"filter": {"price": "9" * 100_000}})
    assert len(response.get_data()) < 3_000
