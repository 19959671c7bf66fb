"""What is shown when there is nothing to show, while it is on its way, and when something is
wrong."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

DOWN = {
    "type": "urn:vitrine:problem:index-unavailable",
    "title": "The index is unavailable",
    "status": 503,
    "detail": "the index did not answer in time",
    "request_id": "a-request-of-the-tests",
}


_SHIFTS = """window.shifts = 0;
new PerformanceObserver(list => {
    for (const entry of list.getEntries()) window.shifts += entry.value;
}).observe({type: "layout-shift", buffered: true});"""
_LATENCY = {"offline": False, "latency": 200, "downloadThroughput": -1, "uploadThroughput": -1}


@pytest.mark.parametrize("address", ["/", "/?color=red&price_max=40"])
def test_on_a_slow_line_nothing_moves_what_is_there_already(open_window, address):
    window = open_window(viewport={"width": 390, "height": 844})
    window.page.add_init_script(_SHIFTS)
    line = window.page.context.new_cdp_session(window.page)
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", _LATENCY)
    window.open(address)
    expect(window.cards.first).to_be_visible()
    assert window.page.evaluate("shifts") < 0.05  # good is below 0.1 (web.dev/cls)


def test_filters_that_exclude_each_other_say_so_and_can_be_cleared(window):
    window.open("/?color=red&price_max=1")
    expect(window.page.locator(".notice")).to_contain_text("No matches")
    window.counts("0 products")
    expect(window.cards).to_have_count(0)
    window.page.get_by_role("button", name="Clear the filters").click()
    window.counts("90 products")
    expect(window.page.locator(".notice")).to_have_count(0)


def test_a_value_that_no_product_has_is_named_with_the_nearest_one(window):
    window.open("/?brand=Maker+0")
    notice = window.page.locator(".notice")
    expect(notice).to_contain_text("Brand: no product has “Maker 0”. Did you mean “Maker 00”?")
    notice.get_by_role("button", name="Maker 00 (7)", exact=True).click()
    expect(window.page.locator("#chips .chip")).to_have_text(["Maker 00"])
    window.counts("7 products")


def test_a_service_that_cannot_answer_is_named_with_the_request_id_and_asked_again(window):
    window.expected += ["503"]
    broken = [True]

    def answer(route):
        if broken[0]:
            route.fulfill(
                status=503, content_type="application/problem+json", body=json.dumps(DOWN)
            )
        else:
            route.continue_()

    window.page.route("**/v1/search", answer)
    window.open("/?q=red")
    notice = window.page.get_by_role("alert").filter(has_text="The shop cannot answer just now")
    expect(notice).to_contain_text("Try again in a moment.")
    expect(notice).to_contain_text("a-request-of-the-tests")
    broken[0] = False
    window.page.get_by_role("button", name="Try again").click()
    window.counts("90 products")
    expect(notice).to_have_count(0)


def test_a_service_that_is_starting_is_asked_again_when_it_says_so(window):
    window.expected += ["503"]
    refused = []

    def answer(route):
        if refused:
            route.continue_()
            return
        refused.append(route.request)
        route.fulfill(
            status=503,
            headers={"Retry-After": "1"},
            content_type="application/problem+json",
            body=json.dumps(DOWN),
        )

    window.page.route("**/v1/search", answer)
    window.page.goto("/?q=red")
    expect(window.page.locator(".notice--error")).to_be_visible()
    expect(window.cards.first).to_be_visible()
    expect(window.page.locator(".notice--error")).to_have_count(0)


def test_a_service_that_cannot_be_reached_is_told_from_one_that_refuses(window):
    window.expected += ["ERR_FAILED", "request:"]
    window.open()
    window.page.route("**/v1/search", lambda route: route.abort())
    window.search("red")
    expect(window.page.locator(".notice--error")).to_contain_text("cannot be reached")


def test_an_error_at_the_first_question_is_mended_by_trying_again(window):
    window.expected += ["503"]
    window.page.route(
        "**/v1/fields",
        lambda route: route.fulfill(
            status=503, content_type="application/problem+json", body=json.dumps(DOWN)
        ),
    )
    window.open("/?q=red&color=red")
    expect(window.page.locator(".notice--error")).to_be_visible()
    window.page.unroute("**/v1/fields")
    window.page.get_by_role("button", name="Try again").click()
    window.counts("15 products")


def test_a_further_page_that_fails_is_told_and_can_be_asked_for_again(open_window):
    window = open_window(viewport={"width": 1280, "height": 500})
    window.expected += ["503"]
    window.page.add_init_script("window.IntersectionObserver = class { observe() {} };")
    window.open()
    expect(window.cards).to_have_count(24)
    window.page.route(
        "**/v1/search",
        lambda route: route.fulfill(
            status=503, content_type="application/problem+json", body=json.dumps(DOWN)
        ),
    )
    window.page.click("#more-button")
    expect(window.page.locator("#toast")).to_contain_text("The shop cannot answer just now.")
    window.page.unroute("**/v1/search")
    window.page.click("#more-button")
    expect(window.cards).to_have_count(48)


def test_while_the_first_products_are_on_their_way_their_shape_is_shown(window):
    held, shape_seen = [], False

    def hold_back(
        route,
    ):  # the shape is there before the page asks: a question may come after the looking
        if shape_seen:
            route.continue_()
        else:
            held.append(route)

    window.page.route("**/v1/search", hold_back)
    window.page.goto("/")
    expect(window.page.locator("#grid .skeleton--picture").first).to_be_visible()
    expect(window.page.locator("#grid")).to_have_attribute("aria-busy", "true")
    shape_seen = True
    for route in held:
        route.continue_()
    expect(window.cards.first).to_be_visible()
    expect(window.page.locator("#grid .skeleton")).to_have_count(0)


def test_names_from_the_catalogue_are_text_and_never_markup(window):
    window.page.route(
        "**/v1/products/p%2F000",
        lambda route: route.fulfill(
            json={
                "id": "p/000",
                "image_url": "/v1/products/p%2F000/image",
                "images": ["/v1/products/p%2F000/image"],
                "product": {
                    "title": "<img src=x onerror=alert(1)>",
                    "price": 1,
                    "currency": "no code",
                    "color": [],
                    "colors": [],
                    "category": ["<b>Bold</b>"],
                    "description": "<script>alert(1)</script>",
                    "brand": None,
                    "in_stock": None,
                    "group_id": None,
                    "attributes": {},
                },
            }
        ),
    )
    window.open("/?show=p/000")
    expect(window.page.get_by_role("dialog").get_by_role("heading")).to_have_text(
        ["<img src=x onerror=alert(1)>", "Looks similar"]
    )
    expect(window.page.get_by_role("dialog")).to_contain_text("<script>alert(1)</script>")
