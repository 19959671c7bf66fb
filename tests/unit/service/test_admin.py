"""The admin API: who may use it, what it hands to the job engine, what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import quote

import pytest

import service.auth
from ingest.jobs.work import RemotePicture, StoredPicture
from tests.unit.service.conftest import TOKEN, Shop, base64_of, picture

BEARER = {"Authorization": f"Bearer {TOKEN}"}
ROW = {
    "id": "p1",
    "title": "Red dress",
    "price": "1.099,00",
    "color": "red",
    "image": {"base64": base64_of(picture("red"))},
}

ENDPOINTS = [
    ("PUT", "/v1/admin/products"),
    ("PATCH", "/v1/admin/products/p1"),
    ("DELETE", "/v1/admin/products/p1"),
    ("POST", "/v1/admin/reindex"),
    ("POST", "/v1/admin/ingest"),
    ("POST", "/v1/admin/catalogues?name=shop.csv"),
    ("GET", "/v1/admin/schedules"),
    ("POST", "/v1/admin/schedules"),
    ("DELETE", "/v1/admin/schedules/nightly"),
    ("POST", "/v1/admin/schedules/nightly/run"),
    ("GET", "/v1/admin/jobs"),
    ("GET", "/v1/admin/jobs/j"),
    ("POST", "/v1/admin/jobs/j/cancel"),
    ("GET", "/v1/admin/versions"),
    ("POST", "/v1/admin/versions/v1/publish"),
    ("DELETE", "/v1/admin/versions/v1"),
    ("GET", "/v1/admin/failures"),
    ("POST", "/v1/admin/failures/retry"),
]


def call(shop: Shop, method: str, path: str, **given):
    return shop.client.open(path, method=method, headers=BEARER, **given)


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
@pytest.mark.parametrize(
    "header",
    [
        None,
        "Bearer wrong",
        f"Basic {TOKEN}",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        TOKEN,
        "Bearer ü",
        "Bearer",
    ],
)
def test_without_the_token_nothing_is_done(
    unchanged: Shop, method: str, path: str, header: str | None
):
    headers = {} if header is None else {"Authorization": header}
    response = unchanged.client.open(path, method=method, headers=headers, data=b"not even read")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].lower().startswith("bearer")
    assert unchanged.jobs.asked == {}
    assert unchanged.versions.live_name == "v2"


@pytest.mark.parametrize(
    "header", [None, "Bearer x", f"Bearer {TOKEN[:-1]}y", f"Bearer {TOKEN}", f"Basic {TOKEN}"]
)
def test_the_token_is_compared_whole_in_a_time_that_tells_nothing(
    unchanged: Shop, monkeypatch: pytest.MonkeyPatch, header: str | None
):
    compared = []
    compare = service.auth.hmac.compare_digest
    monkeypatch.setattr(
        service.auth.hmac,
        "compare_digest",
        lambda given, right: compared.append(right) or compare(given, right),
    )
    unchanged.client.get(
        "/v1/admin/jobs", headers={} if header is None else {"Authorization": header}
    )
    assert compared == [TOKEN.encode()]


def test_with_no_token_configured_the_admin_api_is_off_and_says_why(open_shop):
    client = open_shop(admin_token="").client
    for method, path in ENDPOINTS:
        response = client.open(path, method=method, headers={"Authorization": "Bearer "})
        assert response.status_code == 403, (method, path)
        assert "VITRINE_ADMIN_TOKEN" in response.get_json()["detail"]


def test_every_admin_route_is_among_those_tested(unchanged: Shop):
    rules = [
        (method, rule.rule)
        for rule in unchanged.app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    ]
    assert len([r for r in rules if r[1].startswith("/v1/admin")]) == len(ENDPOINTS)


def test_products_are_queued_with_all_that_came(shop: Shop):
    response = call(shop, "PUT", "/v1/admin/products", json=[ROW])
    assert response.status_code == 202
    job_id = response.get_json()["job_id"]
    assert (
        response.get_json()["status_url"]
        == response.headers["Location"]
        == f"/v1/admin/jobs/{job_id}"
    )
    (accepted,) = shop.jobs.asked[job_id]
    product = accepted.product
    assert (product.id, product.title, product.price) == ("p1", "Red dress", 1099.0)
    assert (product.color, product.colors) == (("red",), ("red",))
    assert accepted.pictures == (picture("red"),)
    assert call(shop, "GET", response.headers["Location"]).get_json()["kind"] == "upsert"


@pytest.mark.parametrize(
    "media_type", ["application/x-ndjson", "application/ndjson", "application/jsonl"]
)
def test_products_may_come_one_a_line(shop: Shop, media_type: str):
    lines = "\n".join(json.dumps({**ROW, "id": str(n)}) for n in range(3)) + "\n\n"
    response = call(shop, "PUT", "/v1/admin/products", data=lines, content_type=media_type)
    assert response.status_code == 202
    assert [accepted.product.id for accepted in shop.jobs.asked["job-1"]] == ["0", "1", "2"]


def test_a_broken_line_is_named(unchanged: Shop):
    response = call(
        unchanged,
        "PUT",
        "/v1/admin/products",
        data='{"id": "1"}\n{',
        content_type="application/x-ndjson",
    )
    assert response.status_code == 400
    assert response.get_json()["detail"].startswith("line 2: the JSON is invalid")


@pytest.mark.parametrize(
    ("rows", "field"),
    [
        ([], ""),
        ({"id": "1"}, ""),
        (["p1"], "[0]"),
        ([ROW, {"title": "no id"}], "[1].id"),
        ([{"id": "p1"}], "[0].title"),
        ([{**ROW, "id": 5}], "[0].id"),
        ([{**ROW, "id": ""}], "[0].id"),
        ([{**ROW, "id": "x" * 513}], "[0].id"),
        ([{**ROW, "id": "a\0"}], "[0].id"),
        ([ROW, {**ROW, "colour": "red"}], "[1].colour"),  # codespell:ignore
        ([ROW, {**ROW, "price": "cheap"}], "[1].price"),
        ([{**ROW, "in_stock": "perhaps"}], "[0].in_stock"),
        ([{**ROW, "image": {"base64": "x", "url": "y"}}], "[0].image"),
        ([{**ROW, "image": 5}], "[0].image"),
        ([ROW, {**ROW, "image": {"base64": "%%%"}}], "[1].image.base64"),
    ],
)
def test_a_row_that_is_no_product_is_named(unchanged: Shop, rows: object, field: str):
    response = call(unchanged, "PUT", "/v1/admin/products", json=rows)
    assert response.status_code == 422
    assert field in [fault["field"] for fault in response.get_json()["errors"]]
    assert unchanged.jobs.asked == {}


def test_more_products_than_allowed_are_refused(open_shop):
    response = call(open_shop(max_upsert=2), "PUT", "/v1/admin/products", json=[ROW] * 3)
    assert response.status_code == 422
    assert "from 1 to 2" in response.get_json()["detail"]


def test_changes_are_queued_with_all_that_came(shop: Shop):
    changes = {"price": 5, "color": ["Navy"], "pattern": None}
    response = call(shop, "PATCH", "/v1/admin/products/dresses/0", json=changes)
    assert response.status_code == 202
    typed = {"price": 5.0, "color": ("Navy",), "pattern": None}
    assert shop.jobs.asked["job-1"] == ("dresses/0", typed)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        [],
        {"id": "2"},
        {"colour": "red"},  # codespell:ignore
        {"price": "cheap"},
        {"title": ""},
        {"title": None},
        {"image": {"url": "http://x"}},
    ],
)
def test_changes_that_cannot_be_made_are_refused(unchanged: Shop, changes: object):
    assert call(unchanged, "PATCH", "/v1/admin/products/p1", json=changes).status_code == 422
    assert unchanged.jobs.asked == {}


@pytest.mark.parametrize(
    ("written", "stored"),
    [(" x ", "x"), ("e\u0301", "\u00e9"), ("\u00a0x\u0085", "x")],
)
def test_an_address_names_the_product_that_a_row_with_the_same_id_makes(
    shop: Shop, written: str, stored: str
):
    call(shop, "PUT", "/v1/admin/products", json=[{**ROW, "id": written}])
    assert shop.jobs.asked["job-1"][0].product.id == stored
    address = f"/v1/admin/products/{quote(written)}"
    assert call(shop, "PATCH", address, json={"price": 1}).status_code == 202
    assert call(shop, "DELETE", address).status_code == 202
    assert (shop.jobs.asked["job-2"][0], shop.jobs.asked["job-3"]) == (stored, [stored])
    assert f"'{stored}'" in shop.client.get(f"/v1/products/{quote(written)}").get_json()["detail"]


@pytest.mark.parametrize("character", "\u0080\u009b\u2028\u2029\u202a\u202e\u2066\u2069\u200f")
def test_an_id_that_reads_as_another_is_refused(unchanged: Shop, character: str):
    row = {**ROW, "id": f"a{character}b", "title": f"a{character}b"}
    response = call(unchanged, "PUT", "/v1/admin/products", json=[row])
    assert response.status_code == 422
    (fault,) = response.get_json()["errors"]
    assert fault["field"] == "[0].id"
    assert f"U+{ord(character):04X}" in fault["message"]


A_KEY = "0123456789abcdef" * 4
"""The key of a picture that the image store may have."""

IMAGES = [
    "https://shop.example/front.jpg",
    {"base64": base64_of(picture("blue"))},
    {"url": "https://shop.example/back.jpg"},
    {"key": A_KEY},
]
ACCEPTED = (
    RemotePicture("https://shop.example/front.jpg"),
    picture("blue"),
    RemotePicture("https://shop.example/back.jpg"),
    StoredPicture(A_KEY),
)


def test_several_pictures_are_queued_in_their_order(shop: Shop):
    row = {**{name: value for name, value in ROW.items() if name != "image"}, "images": IMAGES}
    assert call(shop, "PUT", "/v1/admin/products", json=[row]).status_code == 202
    (accepted,) = shop.jobs.asked["job-1"]
    assert accepted.pictures == ACCEPTED
    changed = call(shop, "PATCH", "/v1/admin/products/p1", json={"images": IMAGES, "price": 5})
    assert changed.status_code == 202
    assert shop.jobs.asked["job-2"] == ("p1", {"price": 5.0}, ACCEPTED)
    alone = call(shop, "PATCH", "/v1/admin/products/p1", json={"images": IMAGES[:1]})
    assert alone.status_code == 202
    assert shop.jobs.asked["job-3"] == ("p1", {}, ACCEPTED[:1])


@pytest.mark.parametrize(
    ("images", "words"),
    [
        ([], "at least 1"),
        (None, "cannot be empty"),
        ("https://shop.example/a.jpg", "list"),
        ([5], "must be a URL"),
        ([{"key": "short"}], "images[0]"),
        ([{"base64": "%%%"}], "images[0].base64"),
        (["https://shop.example/a.jpg"] * 9, "from 1 to 8"),
    ],
)
def test_pictures_that_cannot_be_taken_are_refused(unchanged: Shop, images: object, words: str):
    changed = call(unchanged, "PATCH", "/v1/admin/products/p1", json={"images": images})
    assert changed.status_code == 422
    assert words in changed.get_data(as_text=True)
    both = call(unchanged, "PUT", "/v1/admin/products", json=[{**ROW, "images": IMAGES}])
    assert both.status_code == 422
    assert "not both" in both.get_data(as_text=True)
    assert unchanged.jobs.asked == {}


def test_a_removal_is_queued(shop: Shop):
    for number, pictures in enumerate(["", "?pictures=keep", "?pictures=remove"], start=1):
        answer = call(shop, "DELETE", f"/v1/admin/products/dresses/0{pictures}")
        assert answer.status_code == 202
        assert shop.jobs.asked[f"job-{number}"] == ["dresses/0"]
    kinds = [shop.jobs.job(f"job-{number}").kind for number in (1, 2, 3)]
    assert kinds == ["delete", "delete", "purge"]
    refused = call(shop, "DELETE", "/v1/admin/products/dresses/0?pictures=burn")
    assert refused.status_code == 422
    assert "'keep' or 'remove'" in refused.get_json()["detail"]


def test_a_second_reindex_conflicts_with_the_first_and_names_it(shop: Shop):
    first = call(shop, "POST", "/v1/admin/reindex", json={"model": "other", "verify": False})
    assert first.status_code == 202
    assert shop.jobs.asked["job-1"] == (None, "other", False)
    second = call(shop, "POST", "/v1/admin/reindex", json={})
    assert (second.status_code, second.get_json()["job_id"]) == (409, first.get_json()["job_id"])


def test_jobs_are_listed_newest_first_and_cancelled_once(shop: Shop):
    for _ in range(3):
        call(shop, "POST", "/v1/admin/failures/retry")
    jobs = call(shop, "GET", "/v1/admin/jobs?limit=2").get_json()["jobs"]
    assert [job["id"] for job in jobs] == ["job-3", "job-2"]
    assert [(job["started"], job["ended"]) for job in jobs] == [(None, None)] * 2
    assert call(shop, "POST", "/v1/admin/jobs/job-2/cancel").get_json()["state"] == "cancelled"
    assert call(shop, "POST", "/v1/admin/jobs/job-2/cancel").status_code == 409


@pytest.mark.parametrize(
    "path",
    [
        "/v1/admin/jobs/nobody",
        "/v1/admin/jobs?limit=0",
        "/v1/admin/jobs?state=x",
        "/v1/admin/failures?offset=-1",
    ],
)
def test_unknown_jobs_and_wrong_parameters_are_refused(unchanged: Shop, path: str):
    assert call(unchanged, "GET", path).status_code in (404, 422)


def test_versions_are_listed_published_and_deleted(shop: Shop):
    assert [
        (v["name"], v["state"])
        for v in call(shop, "GET", "/v1/admin/versions").get_json()["versions"]
    ] == [
        ("v1", "ready"),
        ("v2", "live"),
    ]
    assert call(shop, "POST", "/v1/admin/versions/v1/publish").get_json() == {
        "live": "v1",
        "previous": "v2",
    }
    assert call(shop, "DELETE", "/v1/admin/versions/v1").status_code == 409
    response = call(shop, "DELETE", "/v1/admin/versions/v2")
    assert (response.status_code, response.get_data()) == (204, b"")
    assert call(shop, "DELETE", "/v1/admin/versions/v2").status_code == 404
    assert call(shop, "POST", "/v1/admin/versions/v3/publish").status_code == 404


@pytest.mark.parametrize("body", ["p1", {"id": "p1"}, 5])
def test_products_that_are_no_list_are_refused(unchanged: Shop, body: object):
    response = call(unchanged, "PUT", "/v1/admin/products", json=body)
    assert (response.status_code, response.get_json()["detail"]) == (422, "must be a list")


def test_failures_are_listed_in_parts(unchanged: Shop):
    answer = call(unchanged, "GET", "/v1/admin/failures?limit=1&offset=1").get_json()
    assert (answer["failures"][0]["id"], answer["total"]) == ("p1", 3)


def test_failures_are_listed_by_reason(unchanged: Shop):
    truncated, missing = (
        call(unchanged, "GET", f"/v1/admin/failures?reason={reason}&group_by=reason").get_json()
        for reason in ("truncated", "missing")
    )
    assert [truncated["total"], missing["total"]] == [3, 0]
    assert [(g["reason"], g["count"]) for g in truncated["groups"]] == [("truncated", 3)]
    assert missing["groups"] == missing["failures"] == missing["warnings"] == []
    assert "upload the picture again" in truncated["groups"][0]["remedy"]


def test_a_failure_tells_where_and_when_it_happened(unchanged: Shop):
    failure = call(unchanged, "GET", "/v1/admin/failures").get_json()["failures"][0]
    assert (failure["source"], failure["row"], failure["at"]) == (
        "shop.csv",
        7,
        "2026-01-01T12:00:00Z",
    )
    assert failure["place"] == "row 9"
    assert "upload the picture again" in failure["remedy"]


def test_what_was_taken_but_looks_odd_is_listed_beside_the_failures(unchanged: Shop):
    warnings = call(unchanged, "GET", "/v1/admin/failures").get_json()["warnings"]
    assert [(w["id"], w["place"], w["count"]) for w in warnings] == [("p8", "row 4", 2)]


def test_the_catalogues_own_words_for_colors_count_in_products_that_are_sent(shop: Shop):
    live = shop.versions.live()
    live.info = replace(live.info, mapping={**live.info.mapping, "colors": {"blushing": "pink"}})
    body = [{"id": "new", "title": "Mug", "color": "Blushing"}]
    job_id = call(shop, "PUT", "/v1/admin/products", json=body).get_json()["job_id"]
    (accepted,) = shop.jobs.asked[job_id]
    assert accepted.product.colors == ("pink",)
