"""The pages below a path of another site, behind a real nginx.

Both conventions of proxies: the prefix is taken off the path and told in a header, or it stays
there and the service knows its public address. Every request of a page begins with the prefix.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.end_to_end.browser.site import TOKEN, Site, running_site
from tests.end_to_end.browser.stock import STOCK, picture
from tests.end_to_end.browser.window import Window
from tests.nginx_below import PREFIX, nginx_below
from tests.redis_server import free_port


@pytest.fixture(scope="module", params=["prefix taken off", "prefix kept"])
def below(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of an nginx that serves a shop below a prefix."""
    folder, port = tmp_path_factory.mktemp("below"), free_port()
    prefix_is_kept = request.param == "prefix kept"
    settings = {"trusted_proxies": "127.0.0.1"}
    if prefix_is_kept:
        settings = {"public_url": f"http://127.0.0.1:{port}{PREFIX}"}
    with (
        running_site(folder / "data", **settings) as site,
        nginx_below(folder, _port(site), port=port, rest="" if prefix_is_kept else "/") as address,
    ):
        yield address


def _port(site: Site) -> int:
    port = urlsplit(site.url).port
    assert port is not None
    return port


@pytest.fixture
def window(open_window, below: str) -> Iterator[Window]:
    """A window whose requests are all looked at."""
    window = open_window(base_url=below)
    urls: list[str] = []
    window.page.on("request", lambda request: urls.append(request.url))
    yield window
    own = [url for url in urls if not url.startswith(("data:", "blob:"))]
    assert own
    assert [url for url in own if not url.startswith(f"{below}{PREFIX}/")] == []


def test_products_are_searched_filtered_opened_and_shown_with_their_pictures(window):
    window.open(f"{PREFIX}/?q=red")
    window.option("color", "red").click()
    window.counts("15 products")
    expect(window.page).to_have_url(
        f"{window.page.url.partition(PREFIX)[0]}{PREFIX}/?q=red&color=red"
    )
    image = window.cards.first.locator("img")
    window.until("document.querySelector('#grid img').naturalWidth > 0")
    assert image.evaluate("image => new URL(image.currentSrc).pathname").startswith(PREFIX)
    window.cards.first.locator(".card__link").click()
    detail = window.page.get_by_role("dialog")
    expect(detail.locator(".similar .tile")).to_have_count(12)
    assert detail.locator(".tile").first.get_attribute("href").startswith(f"{PREFIX}/product/")


def test_the_short_address_of_a_product_opens_it(window):
    window.open(f"{PREFIX}/product/p%2F003")
    heading = window.page.get_by_role("dialog").get_by_role("heading", name=STOCK[3].title)
    expect(heading).to_be_visible()


def test_the_other_pages_are_reached_and_work(window):
    window.open(f"{PREFIX}/")
    links = window.page.locator("#pages a").evaluate_all("all => all.map(a => a.pathname)")
    assert links == [f"{PREFIX}/", f"{PREFIX}/try", f"{PREFIX}/docs", f"{PREFIX}/admin"]
    window.page.goto(f"{PREFIX}/try")
    expect(window.page.locator("#labels")).not_to_have_value("")
    window.drop(picture("red", shade=31, size=(120, 60)))
    window.page.get_by_role("button", name="Search for this coat").last.click()
    expect(window.page.locator("#title")).to_have_text("Like your picture")
    window.page.goto(f"{PREFIX}/admin")
    window.page.fill("#token", TOKEN)
    window.page.keyboard.press("Enter")
    expect(window.page.locator("#versions tbody tr").first).to_be_visible()


def test_a_picture_is_sent_and_more_products_are_fetched(window: Window, red_file: Path):
    window.open(f"{PREFIX}/")
    window.page.set_input_files("#file", red_file)
    expect(window.page.locator("#title")).to_have_text("Like your picture")
    window.page.goto(f"{PREFIX}/?sort=price")
    window.to_the_end()
    assert len(window.ids()) == len(STOCK)


def test_requests_are_tried_on_the_page_of_the_api(window: Window):
    window.page.goto(f"{PREFIX}/docs")
    block = window.page.locator(".opblock-get", has_text="/v1/search").first
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    with window.page.expect_response(f"**{PREFIX}/v1/search*") as answered:
        block.get_by_role("button", name="Execute").click()
    assert answered.value.status == 200
    expect(block.locator(".live-responses-table tbody .response-col_status")).to_have_text("200")


def test_the_operators_page_starts_work_and_follows_it(window: Window):
    window.page.goto(f"{PREFIX}/admin")
    window.page.fill("#token", TOKEN)
    window.page.keyboard.press("Enter")
    window.page.fill("#reindex [name=source]", "products.parquet")
    window.page.get_by_role("button", name="Start").click()
    expect(window.page.locator("#jobs tbody tr").first).to_contain_text("reindex")
