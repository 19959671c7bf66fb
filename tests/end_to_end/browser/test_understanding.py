"""What the service understood of the words, and how close the products are, as the page tells
it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.end_to_end.browser.site import running_site
from tests.end_to_end.browser.stock import STOCK, those
from tests.end_to_end.browser.window import Window
from vitrine.learning import learn_version


class Service:
    """Answers the page's searches by the real service, with what `POST /v1/search` says beside.

    A search for all products, close or not, gets the real answer.
    """

    def __init__(self, window: Window) -> None:
        self.additions: dict[str, Any] = {}
        self.requests: list[dict[str, Any]] = []
        window.page.route("**/v1/search", self._answer)

    def _answer(self, route: Route) -> None:
        request = json.loads(route.request.post_data or "{}")
        self.requests.append(request)
        plain = {key: value for key, value in request.items() if key not in ("literal", "cutoff")}
        answer = route.fetch(post_data=json.dumps(plain)).json()
        additions = {} if "cutoff" in request else self.additions
        route.fulfill(json={**answer, **additions})


@pytest.fixture
def service(window: Window) -> Service:
    return Service(window)


UNDER_50 = {
    "text": "under 50",
    "kind": "price",
    "effect": "filter",
    "filter": {"price": {"lt": 50}},
}


def test_what_was_understood_can_be_refused_and_understood_again(window, service):
    service.additions = {"understanding": {"words": "red", "applied": [UNDER_50], "corrected": []}}
    window.open("/?q=red+under+50")
    chip = window.page.get_by_role("button", name="Search for “under 50” as words")
    expect(chip).to_have_text("under 50")
    service.additions = {}
    chip.click()
    understanding = window.page.locator("#understanding")
    expect(understanding).to_contain_text("“under 50” is searched for as it stands.")
    assert service.requests[-1]["literal"] == ["under 50"]
    assert window.query() == "?q=red+under+50&literal=under+50"
    understanding.get_by_role("button", name="Undo").click()
    expect(understanding).to_be_hidden()
    assert "literal" not in service.requests[-1]


def test_a_corrected_word_is_told_and_can_be_kept(window, service):
    corrected = [{"from": "drss", "to": "dress"}]
    service.additions = {"understanding": {"words": "dress", "applied": [], "corrected": corrected}}
    window.open("/?q=drss")
    understanding = window.page.locator("#understanding")
    expect(understanding).to_contain_text("Showing results for dress.")
    understanding.get_by_role("button", name="Search for “drss” instead").click()
    expect(window.page.locator("#grid:not([aria-busy])")).to_be_attached()
    assert service.requests[-1]["literal"] == ["drss"]


def test_other_words_are_understood_anew(window, service):
    window.open("/?q=red&literal=red&cutoff=off")
    window.search("blue")
    expect(window.page.locator("#title")).to_have_text("“blue”")
    assert window.query() == "?q=blue"


def test_less_close_products_are_shown_and_hidden_again(window, service):
    service.additions = {"total": 60, "beyond": 2340}
    window.open("/?q=red")
    window.counts("60 close matches")
    service.additions = {}
    window.page.get_by_role("button", name="Show 2,340 less close ones").click()
    window.counts("90 products")
    assert service.requests[-1]["cutoff"] == "off"
    window.page.get_by_role("button", name="Show close matches only").click()
    expect(window.page.locator("#closeness")).to_be_hidden()
    assert "cutoff" not in service.requests[-1]


def test_a_search_that_nothing_is_close_to_says_so(window, service):
    service.additions = {"hits": [], "total": 0, "beyond": 90, "next_cursor": None}
    window.open("/?q=refrigerator")
    notice = window.page.locator(".notice")
    expect(notice).to_contain_text("Nothing here looks like that")
    window.open("/?q=refrigerator&color=red&brand=")
    expect(notice).to_contain_text("No product that passes the filters comes close to it.")
    expect(window.page.locator("#chips .chip")).to_have_text(["Red"])  # an empty field is no filter
    window.open("/?q=refrigerator")
    notice.get_by_role("button", name="Show less close products (90)").click()
    window.counts("90 products")


def test_a_search_that_a_word_keeps_empty_is_offered_without_it(window):
    notes = []

    def no_two_words(route: Route) -> None:
        answer = route.fetch().json()
        if " " in json.loads(route.request.post_data or "{}").get("text", ""):
            answer |= {"hits": [], "total": 0, "notes": notes, "next_cursor": None}
        route.fulfill(json=answer)

    window.page.route("**/v1/search", no_two_words)
    window.open("/?q=Red+Fridge")
    buttons = window.page.locator(".notice__actions button")
    expect(buttons).to_have_text(["“Fridge” (90)", "“Red” (90)", "Show all products"])
    notes.append({"code": "unknown_word", "message": "", "value": "fridge"})
    window.open("/?q=Red++Fridge")
    expect(buttons).to_have_text(["“Red” (90)", "Show all products"])
    buttons.first.click()
    expect(window.page.locator("#title")).to_have_text("“Red”")
    expect(window.cards.first).to_be_visible()


def test_a_search_without_matches_tells_what_each_filter_left_out_would_show(window):
    window.open("/?color=red&price_max=1")
    notice = window.page.locator(".notice")
    expect(notice.get_by_role("button", name="Without Price up to €1 (15)")).to_be_visible()
    expect(notice.get_by_role("button", name="Without Red")).to_have_count(0)  # nor without it
    notice.get_by_role("button", name="Without Price").click()
    window.counts("15 products")


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """A shop that has learnt its words, as every ingest does."""
    with running_site(tmp_path_factory.mktemp("learned")) as site:
        versions = site.vitrine.versions
        assert learn_version(versions, versions.live(), site.vitrine.embedder) is not None
        yield site


def test_a_word_that_no_product_has_is_named_over_what_fits_the_others(open_window, learned):
    window = open_window(base_url=learned.url)
    window.open("/?q=gift+for+a+grandson")
    expect(window.cards.first).to_be_visible()
    understanding = window.page.locator("#understanding")
    expect(understanding).to_contain_text("No product mentions “grandson”.")


def test_where_nothing_is_found_the_page_offers_what_the_shop_has(open_window, learned):
    window = open_window(base_url=learned.url)
    window.open("/?q=refrigerator")
    expect(window.page.locator(".notice")).to_contain_text("No product mentions “refrigerator”.")
    expect(window.page.locator("#sorting")).to_be_hidden()
    window.page.locator(".notice").get_by_role("button", name="red dress").click()
    expect(window.page.locator("#title")).to_have_text("“red dress”")
    expect(window.cards.first).to_be_visible()


def test_a_price_among_the_words_becomes_a_filter_that_can_be_refused(open_window, learned):
    window = open_window(base_url=learned.url)
    window.open("/?q=red+dress+under+50&sort=price")
    expect(window.page.get_by_role("button", name="Search for “under 50” as words")).to_be_visible()
    prices = window.page.locator(".card__price").all_inner_texts()
    assert prices
    assert all(float(price.removeprefix("€")) < 50 for price in prices)


def test_a_misspelt_word_is_corrected_and_its_correction_undone(open_window, learned):
    window = open_window(base_url=learned.url)
    window.open("/?q=red+drses")
    understanding = window.page.locator("#understanding")
    expect(understanding).to_contain_text("Showing results for dress.")
    expect(window.cards.first).to_contain_text("Red dress")
    understanding.get_by_role("button", name="Search for “drses” instead").click()
    expect(understanding).to_contain_text("“drses” is searched for as it stands.")
    window.expected += ["ERR_FAILED", "request:"]
    window.page.route("**/v1/search", lambda route: route.abort())
    window.search("blue")
    expect(window.page.locator(".notice--error")).to_be_visible()
    expect(understanding).to_be_hidden()


def test_an_exact_title_comes_first(open_window, learned):
    window = open_window(base_url=learned.url)
    title = STOCK[86].title
    window.open()
    window.search(title)
    expect(window.page.locator("#title")).to_have_text(f"“{title}”")
    expect(window.cards.first.locator(".card__title")).to_have_text(title)


def test_words_categories_and_brands_complete_what_is_typed(open_window, learned):
    window = open_window(base_url=learned.url)
    window.open()
    field = window.page.locator("#words")
    options = window.page.locator("#completions [role=option]")
    field.press_sequentially("dre")
    expect(options.filter(has_text="dress").first).to_be_visible()
    expect(options.filter(has_text="dress").first.locator("b")).to_have_text(
        "dre", ignore_case=True
    )
    field.press("ArrowDown")
    chosen = options.first.locator(".completion__text").inner_text()
    field.press("Enter")
    expect(window.page.locator("#title")).to_contain_text(chosen)


def test_a_brand_that_is_typed_alone_becomes_a_filter(open_window, learned):
    window = open_window(base_url=learned.url)
    window.open()
    window.page.locator("#words").press_sequentially("maker")
    option = window.page.locator("#completions [role=option]", has_text="brand").first
    brand = option.locator(".completion__text").inner_text()
    option.click()
    expect(window.page.locator("#chips .chip")).to_have_text([brand], use_inner_text=True)
    expect(window.page.locator("#words")).to_have_value("")
    window.counts(f"{len(those(lambda p: p.brand == brand))} products")


def test_how_well_products_match_is_told_where_the_address_asks_for_it(open_window, learned):
    window = open_window(base_url=learned.url)
    window.open("/?q=red+dress")
    expect(window.page.locator(".match")).to_have_count(0)
    window.open("/?q=red+dress&explain=true")
    match = window.cards.first.locator(".match")
    expect(match).to_contain_text(re.compile(r"^Match \d+%$"))
    expect(match).to_have_attribute("title", re.compile("relevance 0"))
    window.cards.first.hover()
    window.cards.first.get_by_role("button", name="More like").click()
    expect(window.page.locator("#title")).to_have_text("More like this")
    assert window.query().endswith("&explain=true")
    expect(window.cards.first.locator(".match")).to_be_visible()
