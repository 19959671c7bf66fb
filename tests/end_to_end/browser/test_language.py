"""The search page in the language of the shop."""

from __future__ import annotations

from functools import partial

import pytest
from playwright.sync_api import Route, expect

from tests.end_to_end.browser.site import running_site

MAPPING = {
    "language": "de",
    "fields": {"pattern": {"from": "muster", "type": "keyword", "label": "Prägung"}},
}


@pytest.fixture(scope="module")
def german(tmp_path_factory):
    with running_site(tmp_path_factory.mktemp("german"), MAPPING) as site:
        yield site


def test_texts_names_and_numbers_are_those_of_the_language(open_window, german):
    window = open_window(base_url=german.url)
    window.open("/?color=red&price_max=30&q=red&sort=price")
    expect(window.page.locator("html")).to_have_attribute("lang", "de")
    expect(window.page.locator("#title")).to_have_text("„red“")
    expect(window.page.locator("#chips .chip")).to_have_text(["Preis bis 30 €", "Rot"])
    expect(window.cards.first.locator(".card__price")).to_have_text("10,00 €")
    expect(window.group("pattern").locator(".filters__name")).to_have_text("Prägung")
    expect(window.group("brand").locator(".filters__name")).to_have_text("Marke")


def test_a_suggestion_needs_no_ending_of_its_color(open_window, german):
    window = open_window(base_url=german.url)
    window.open()
    expect(window.page.locator("#suggestions")).to_contain_text("Dress in Red")


def test_what_the_service_says_of_an_answer_is_said_in_the_language(open_window, german):
    window = open_window(base_url=german.url)
    window.open("/?brand=Maker+0")
    expect(window.page.locator(".notice")).to_contain_text(
        "Marke: Kein Produkt hat „Maker 0“. Ist „Maker 00“ gemeint?"  # codespell:ignore
    )


PROBLEMS = (
    ({"status": 413, "type": "about:blank"}, "Bild ist zu groß"),  # codespell:ignore
    (
        {"status": 422, "type": "urn:vitrine:problem:invalid-image", "reason": "too_many_pixels"},
        "zu groß",
    ),
    (
        {"status": 422, "type": "urn:vitrine:problem:invalid-image", "reason": "damaged"},
        "lässt sich nicht lesen",
    ),
    ({"status": 503, "type": "about:blank"}, "gerade viel los"),
    (
        {"status": 503, "type": "urn:vitrine:problem:index-unavailable"},
        "kann gerade nicht antworten",
    ),
)


def test_what_went_wrong_is_said_in_the_language(open_window, german):
    window = open_window(base_url=german.url)
    window.open()
    for number, (problem, words) in enumerate(PROBLEMS):
        document = {**problem, "title": "In English", "detail": "in English"}
        window.expected.append(str(problem["status"]))
        window.page.route(
            "**/v1/search", partial(Route.fulfill, status=problem["status"], json=document)
        )
        window.search(f"rot {number}")
        expect(window.page.locator(".notice--error")).to_contain_text(words)
        expect(window.page.locator(".notice--error")).not_to_contain_text("English")
