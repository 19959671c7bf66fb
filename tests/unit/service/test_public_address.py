"""Every address that the service writes is the one that its clients know; nobody else has a say."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from service.public_address import TrustedProxies
from tests.unit.service.conftest import TOKEN, Shop
from vitrine.settings import Settings

PUBLIC = "https://shop.example/shop-search"
PROXY = {"REMOTE_ADDR": "10.0.0.9"}
ADMIN = {"Authorization": f"Bearer {TOKEN}"}


def forwarded(prefix: str = "/shop-search") -> dict[str, str]:
    return {
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "shop.example",
        "X-Forwarded-Prefix": prefix,
    }


@pytest.mark.parametrize("prefix", ["", "/shop-search"])
def test_under_a_public_url_every_address_is_whole(open_shop, prefix: str):
    client = FlaskClient(open_shop(public_url=f"{PUBLIC}/").app)
    hit = client.get(f"{prefix}/v1/search?limit=1").get_json()["hits"][0]
    assert hit["image_url"].startswith(f"{PUBLIC}/v1/products/")
    queued = client.delete(f"{prefix}/v1/admin/products/x", headers=ADMIN)
    assert queued.headers["Location"].startswith(f"{PUBLIC}/v1/admin/jobs/")
    assert queued.get_json()["status_url"] == queued.headers["Location"]
    assert client.get(f"{prefix}/openapi.json").get_json()["servers"] == [{"url": PUBLIC}]


@pytest.mark.parametrize("kept", ["", "/shop-search"])
def test_a_trusted_proxy_may_name_the_prefix_by_either_convention(open_shop, kept: str):
    client = FlaskClient(open_shop(trusted_proxies="10.0.0.0/24").app)
    page = client.get(f"{kept}/", headers=forwarded(), environ_base=PROXY)
    assert 'data-root="/shop-search/"' in page.get_data(as_text=True)
    assert 'href="/assets' not in page.get_data(as_text=True)
    answer = client.get(f"{kept}/v1/search?limit=1", headers=forwarded(), environ_base=PROXY)
    assert answer.get_json()["hits"][0]["image_url"].startswith("/shop-search/v1/products/")
    moved = client.get(f"{kept}/product/mugs%2F7", headers=forwarded(), environ_base=PROXY)
    assert moved.headers["Location"].startswith("/shop-search/?show=")


def test_what_a_client_says_of_itself_counts_for_nothing(open_shop):
    shop = open_shop(trusted_proxies="10.0.0.0/24")
    for headers in (forwarded(), {"SCRIPT_NAME": "/x"}, {"Forwarded": "for=1.2.3.4;proto=https"}):
        answer = shop.client.get("/v1/search?limit=1", headers=headers)
        assert answer.get_json()["hits"][0]["image_url"].startswith("/v1/products/")
    assert shop.client.get("/shop-search/v1/search", headers=forwarded()).status_code == 404


@pytest.mark.parametrize("prefix", ["//evil.example", "/a b", "/<script>", "shop", "/a/../b?"])
def test_a_prefix_that_is_no_path_is_left_out(open_shop, prefix: str):
    client = open_shop(trusted_proxies="10.0.0.9").client
    answer = client.get("/v1/search?limit=1", headers=forwarded(prefix), environ_base=PROXY)
    assert answer.get_json()["hits"][0]["image_url"].startswith("/v1/products/")


@pytest.mark.parametrize(
    ("peer", "way", "client"),
    [
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7, nonsense", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "2001:db8::7", "2001:db8::7"),
    ],
)
def test_the_client_is_the_last_address_that_is_no_trusted_proxys(peer, way, client):
    assert TrustedProxies.of("10.0.0.0/8").client(peer, way) == client


def test_addresses_are_compared_by_what_they_are():
    proxies = TrustedProxies.of("127.0.0.1, ::1, 10.0.0.0/8")
    assert proxies.trust("::ffff:10.1.2.3")
    assert proxies.trust("::1")
    assert not proxies.trust("11.0.0.1")
    assert not proxies.trust("")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("public_url", "shop.example/search"),
        ("public_url", "https://shop.example/v1/x"),
        ("public_url", "https://shop.example/a?b"),
        ("public_url", "https://user@shop.example/"),
        ("trusted_proxies", "10.0.0.0/40"),
        ("trusted_proxies", "proxy.example"),
        ("cors_origins", "shop.example"),
        ("cors_origins", "https://shop.example/path"),
        ("frame_ancestors", "'none'; script-src *"),
    ],
)
def test_a_wrong_address_is_refused_at_the_start(name: str, value: str):
    with pytest.raises(ValueError, match=name):
        Settings(**{name: value})


ORIGIN = {"Origin": "https://shop.example"}
PREFLIGHT = {
    **ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type",
}


def test_an_origin_that_is_named_may_call_the_api(open_shop):
    client = FlaskClient(open_shop(cors_origins="https://other.example, https://shop.example").app)
    asked = client.options("/v1/search", headers=PREFLIGHT)
    assert asked.status_code == 204
    assert asked.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert "POST" in asked.headers["Access-Control-Allow-Methods"]
    assert "Content-Type" in asked.headers["Access-Control-Allow-Headers"]
    for answer in (
        client.get("/v1/search?limit=1", headers=ORIGIN),
        client.post("/v1/search", json={}, headers=ORIGIN),
        client.get("/v1/search?limit=0", headers=ORIGIN),
    ):
        assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"
        assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize("origins", ["", "https://other.example"])
def test_no_other_origin_may(open_shop, origins: str):
    shop = open_shop(cors_origins=origins)
    answer = shop.client.get("/v1/search?limit=1", headers=ORIGIN)
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]


def test_the_admin_api_is_open_to_no_origin(open_shop):
    shop = open_shop(cors_origins="*")
    assert "Access-Control-Allow-Origin" in shop.client.get("/v1/fields", headers=ORIGIN).headers
    answer = shop.client.get("/v1/admin/jobs", headers={**ORIGIN, **ADMIN})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_who_may_show_the_pages_in_a_frame_is_told(open_shop, shop: Shop):
    closed = shop.client.get("/").headers
    assert closed["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in closed["Content-Security-Policy"]
    opened = open_shop(frame_ancestors="https://shop.example").client.get("/").headers
    assert "X-Frame-Options" not in opened
    assert "frame-ancestors 'self' https://shop.example" in opened["Content-Security-Policy"]


def test_the_log_names_the_real_client(open_shop, caplog: pytest.LogCaptureFixture):
    shop = open_shop(trusted_proxies="10.0.0.0/24")
    shop.client.get("/v1/fields")  # the first of a session reads the API's document
    with caplog.at_level("INFO", logger="service.access"):
        caplog.clear()
        shop.client.get("/v1/fields", headers=forwarded(), environ_base=PROXY)
        shop.client.get("/v1/fields", headers=forwarded(), environ_base={"REMOTE_ADDR": "11.0.0.1"})
    assert [record.client for record in caplog.records] == ["203.0.113.7", "11.0.0.1"]
