"""Pictures of products: scaled, cached, and not sent twice."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from PIL import Image

from tests.unit.service.checking import CheckingClient
from tests.unit.service.conftest import Shop, base64_of, picture

ADDRESS = "/v1/products/dresses/2/image"


def opened(response) -> Image.Image:
    assert response.content_type == "image/jpeg"
    return Image.open(io.BytesIO(response.get_data()))


def test_a_thumbnail_fits_the_next_size_that_is_kept(shop: Shop):
    large = shop.vitrine.images.put(picture("blue", (300, 150)))
    records = shop.versions.indexes["v2"].records
    records["dresses/2"] = replace(records["dresses/2"], image_keys=(large,))
    assert opened(shop.client.get(f"{ADDRESS}?size=60")).size == (64, 32)
    assert opened(shop.client.get(f"{ADDRESS}?size=160")).size == (160, 80)
    assert opened(shop.client.get(ADDRESS)).size == (300, 150)


def test_a_picture_is_never_made_larger_than_it_is(client: CheckingClient):
    assert opened(client.get(f"{ADDRESS}?size=2000")).size == (62, 40)


def test_a_thumbnail_shows_the_product(client: CheckingClient):
    red, green, blue = opened(client.get(f"{ADDRESS}?size=64")).getpixel((10, 10))
    assert blue > 150 > red
    assert blue > 150 > green


@pytest.mark.parametrize("size", ["0", "15", "4097", "-1", "large", "1e3", "9" * 5000])
def test_other_sizes_are_refused(client: CheckingClient, size: str):
    response = client.get(f"{ADDRESS}?size={size}")
    assert response.status_code == 422
    assert response.get_json()["errors"][0]["field"] == "size"


def test_parameters_that_only_get_past_caches_change_nothing(client: CheckingClient):
    plain = client.get(f"{ADDRESS}?size=64")
    odd = client.get(f"{ADDRESS}?size=64&v=3&utm_source=mail")
    assert (odd.status_code, odd.get_data()) == (200, plain.get_data())
    assert odd.headers["ETag"] == plain.headers["ETag"]


def test_what_the_client_has_is_not_sent_again(client: CheckingClient):
    first = client.get(f"{ADDRESS}?size=64")
    again = client.get(f"{ADDRESS}?size=64", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.get_data()) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    weakened = f'"else", W/{first.headers["ETag"]}'
    assert client.get(f"{ADDRESS}?size=64", headers={"If-None-Match": weakened}).status_code == 304
    other = client.get(f"{ADDRESS}?size=65", headers={"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200


def test_a_browser_may_keep_a_picture_for_a_while(client: CheckingClient):
    assert client.get(ADDRESS).headers["Cache-Control"] == "public, max-age=300"


def test_a_thumbnail_is_made_once(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    first = shop.client.get(f"{ADDRESS}?size=64").get_data()
    monkeypatch.setattr(shop.vitrine.images, "get", lambda key: pytest.fail("read again"))
    assert shop.client.get(f"{ADDRESS}?size=64").get_data() == first


def test_a_new_picture_of_a_product_has_another_tag(shop: Shop):
    first = shop.client.get(ADDRESS).headers["ETag"]
    records = shop.versions.indexes["v2"].records
    records["dresses/2"] = replace(records["dresses/2"], image_keys=records["mugs/7"].image_keys)
    assert shop.client.get(ADDRESS, headers={"If-None-Match": first}).status_code == 200


@pytest.fixture
def several(shop: Shop) -> Shop:
    """A shop in which one product has a blue, a red and a green picture."""
    keys = tuple(shop.vitrine.images.put(picture(c, (50, 50))) for c in ("blue", "red", "green"))
    records = shop.versions.indexes["v2"].records
    records["dresses/2"] = replace(
        records["dresses/2"],
        image_keys=keys,
        vectors=shop.embedder.embed_images(
            [Image.open(io.BytesIO(shop.vitrine.images.get(key))) for key in keys]
        ),
    )
    return shop


def main_color(response) -> str:
    pixel = dict(zip(("red", "green", "blue"), opened(response).getpixel((10, 10)), strict=True))
    return max(pixel, key=lambda name: pixel[name])


def test_each_picture_of_a_product_has_its_address(several: Shop):
    stored = several.client.get("/v1/products/dresses/2").get_json()
    assert stored["image_url"] == stored["images"][0] == "/v1/products/dresses%2F2/image"
    assert stored["images"][1:] == [f"{stored['image_url']}?n={n}" for n in (1, 2)]
    shown = [several.client.get(url) for url in stored["images"]]
    assert [main_color(response) for response in shown] == ["blue", "red", "green"]
    assert len({response.headers["ETag"] for response in shown}) == 3
    assert main_color(several.client.get(f"{ADDRESS}?size=64&n=2")) == "green"


def test_a_picture_that_a_product_does_not_have_is_not_found(several: Shop):
    response = several.client.get(f"{ADDRESS}?n=3")
    assert response.status_code == 404
    assert "the last is 2" in response.get_json()["detail"]
    assert several.client.get(f"{ADDRESS}?n=-1").status_code == 422
    assert several.client.get(f"{ADDRESS}?n=64").status_code == 422


@pytest.mark.parametrize(("color", "number"), [("blue", 0), ("red", 1), ("green", 2)])
def test_a_hit_names_and_shows_the_picture_that_matched(several: Shop, color: str, number: int):
    body = {"image": {"base64": base64_of(picture(color, (50, 50)))}, "limit": 50}
    hits = several.client.post("/v1/search", json=body).get_json()["hits"]
    (hit,) = [hit for hit in hits if hit["id"] == "dresses/2"]
    assert hit["matched_image"] == number
    assert hit["image_url"] == hit["images"][number]
    assert main_color(several.client.get(hit["image_url"])) == color


def test_a_hit_that_was_not_compared_shows_its_main_picture(several: Shop):
    (hit,) = several.client.get("/v1/search?id=dresses/2").get_json()["hits"]
    assert (hit["matched_image"], len(hit["images"])) == (None, 3)
    assert hit["image_url"] == hit["images"][0]


def test_a_kept_picture_that_is_gone_or_broken_is_told(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shop.vitrine.images, "get", lambda key: b"broken")
    assert shop.client.get(f"{ADDRESS}?size=100").status_code == 503


class OnePicture(BaseHTTPRequestHandler):
    """Answers every address with a blue picture."""

    def do_GET(self) -> None:  # the base class's name
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.end_headers()
        self.wfile.write(picture("blue"))

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), OnePicture) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/photo.png"
        server.shutdown()
        thread.join()


def test_a_picture_by_url_is_fetched_where_the_settings_allow_it(open_shop, address: str):
    body = {"image": {"url": address}, "limit": 1}
    found = (
        open_shop(fetch_urls=True, fetch_private=True)
        .client.post("/v1/search", json=body)
        .get_json()
    )
    assert found["hits"][0]["product"]["color"] == ["blue"]
    private = open_shop(fetch_urls=True).client.post("/v1/search", json=body)
    assert (private.status_code, private.get_json()["reason"]) == (422, "forbidden_address")
    refused = open_shop().client.post("/v1/search", json=body)
    assert (refused.status_code, refused.get_json()["reason"]) == (422, "urls_not_allowed")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://x/y",
        "http://",
        "nonsense",
        "http://127.0.0.1:0/x",
        "http://[::1",
    ],
)
def test_other_addresses_are_refused(open_shop, url: str):
    response = open_shop(fetch_urls=True, fetch_private=True).client.post(
        "/v1/search", json={"image": {"url": url}}
    )
    assert response.status_code == 422
    assert response.get_json()["type"] == "urn:vitrine:problem:invalid-image"
