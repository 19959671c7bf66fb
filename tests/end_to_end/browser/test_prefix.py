"""The pages below a path of another site: every address that they ask for begins with it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.end_to_end.browser.site import TOKEN, running_site
from tests.end_to_end.browser.stock import STOCK, picture

PREFIX = "/shop-search"


@pytest.fixture(scope="module")
def below(tmp_path_factory):
    """A shop that a proxy serves below a prefix."""
    folder = tmp_path_factory.mktemp("below")
    with running_site(folder, prefix=PREFIX, trusted_proxies="127.0.0.1") as site:
        yield site


@pytest.fixture
def window(open_window, below):
    return open_window(base_url=below.url)


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
