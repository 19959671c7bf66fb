"""Pages of other sites call the API from a browser: those of the named origins may, no other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.end_to_end.browser.site import TOKEN, Site, running_site
from tests.end_to_end.browser.window import Window

CALLS = {
    "GET": "fetch(`${shop}/v1/search?q=red&limit=3`)",
    "JSON": """fetch(`${shop}/v1/search`, {
        method: "POST",
        headers: {"Content-Type": "application/json", "X-Request-ID": "of-the-storefront"},
        body: JSON.stringify({text: "red", limit: 3}),
    })""",
    "upload": """fetch(`${shop}/v1/search/upload`, {method: "POST", body: await form()})""",
}
"""What a storefront does; JSON and its header need the browser's leave first (a preflight)."""
CALL = """async shop => {
    const form = async () => {
        const canvas = new OffscreenCanvas(40, 30);
        canvas.getContext("2d").fillStyle = "red";
        canvas.getContext("2d").fillRect(0, 0, 40, 30);
        const form = new FormData();
        form.append("image", await canvas.convertToBlob(), "red.png");
        form.append("request", JSON.stringify({limit: 3}));
        return form;
    };
    try {
        const response = await %s;
        const answer = await response.json();
        return {
            status: response.status,
            color: answer.hits?.[0].product.colors[0],
            request: response.headers.get("X-Request-ID"),
            detail: answer.detail,
        };
    } catch (error) {
        return {refused: String(error)};
    }
}"""


class Storefront(BaseHTTPRequestHandler):
    """Another site: one empty page, whatever its address."""

    def do_GET(self) -> None:
        page = b"<!doctype html><title>Storefront</title><link rel=icon href=data:,>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def storefront() -> Iterator[str]:
    """The origin of another site."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Storefront) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def friend() -> Iterator[str]:
    with storefront() as origin:
        yield origin


@pytest.fixture(scope="module")
def stranger() -> Iterator[str]:
    with storefront() as origin:
        yield origin


@pytest.fixture(scope="module")
def shop(friend: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A shop whose API pages of the friend may call."""
    folder = tmp_path_factory.mktemp("open")
    origins = f"https://shop.example, {friend}"
    with running_site(folder, cors_origins=origins, frame_ancestors=friend) as site:
        yield site


def call(window: Window, shop: Site, code: str) -> dict[str, Any]:
    """What a call from the window's page comes to."""
    return window.page.evaluate(CALL % code, shop.url)


@pytest.mark.parametrize("name", CALLS)
def test_pages_of_a_named_origin_get_their_answers(
    open_window, shop: Site, friend: str, name: str
) -> None:
    window = open_window(base_url=friend)
    window.page.goto("/")
    answer = call(window, shop, CALLS[name])
    assert (answer["status"], answer["color"]) == (200, "red")
    assert answer["request"], "the page cannot read the request's id"
    if name == "JSON":
        assert answer["request"] == "of-the-storefront"


@pytest.mark.parametrize("name", CALLS)
def test_pages_of_any_other_origin_get_none(
    open_window, shop: Site, stranger: str, name: str
) -> None:
    window = open_window(base_url=stranger)
    window.expected += ["blocked by CORS policy", "net::ERR_FAILED"]
    window.page.goto("/")
    assert call(window, shop, CALLS[name]) == {"refused": "TypeError: Failed to fetch"}
    assert any("blocked by CORS policy" in text for text in window.all_complaints())


def test_a_page_of_a_named_origin_can_read_why_it_was_refused(
    open_window, shop: Site, friend: str
) -> None:
    window = open_window(base_url=friend)
    window.expected += ["422"]
    window.page.goto("/")
    answer = call(window, shop, "fetch(`${shop}/v1/search?limit=0`)")
    assert (answer["status"], answer["detail"]) == (422, "limit: must be at least 1")


def test_nobody_calls_the_admin_api_from_another_origin(
    open_window, shop: Site, friend: str
) -> None:
    window = open_window(base_url=friend)
    window.expected += ["blocked by CORS policy", "net::ERR_FAILED", "401", "404", "405"]
    window.page.goto("/")
    with_token = f'{{headers: {{Authorization: "Bearer {TOKEN}"}}}}'
    for code in (
        f"fetch(`${{shop}}/v1/admin/jobs`, {with_token})",
        "fetch(`${shop}/metrics`)",
        "fetch(`${shop}/v1/admin/products/p`, {method: 'DELETE'})",
    ):
        assert "refused" in call(window, shop, code)


def test_where_no_origin_is_named_no_other_page_gets_an_answer(
    open_window, site: Site, friend: str
) -> None:
    window = open_window(base_url=friend)
    window.expected += ["blocked by CORS policy", "net::ERR_FAILED", "405"]
    window.page.goto("/")
    for code in CALLS.values():
        assert "refused" in call(window, site, code)


def test_the_search_page_may_be_framed_by_a_named_origin_and_by_no_other(
    open_window, shop: Site, friend: str, stranger: str
) -> None:
    for origin, shown in ((friend, True), (stranger, False)):
        window = open_window(base_url=origin)
        window.expected += ["frame-ancestors", "ERR_BLOCKED_BY_RESPONSE"]
        window.page.goto("/")
        window.page.evaluate(
            """shop => new Promise(done => {
                const frame = document.createElement("iframe");
                frame.onload = done;
                frame.src = shop;
                document.body.append(frame);
            })""",
            shop.url,
        )
        cards = window.page.frame_locator("iframe").locator("#grid .card[data-id]")
        if shown:
            expect(cards.first).to_be_visible()
        else:
            expect(cards).to_have_count(0)
            assert any("frame-ancestors" in text for text in window.all_complaints())
