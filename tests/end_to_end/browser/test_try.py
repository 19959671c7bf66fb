"""The page on which a picture is put before the models."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.end_to_end.browser.stock import picture, those


def look(window, labels="red\nblue\ngreen", data=None):
    window.page.goto("/try")
    expect(window.page.locator("#labels")).not_to_have_value("")
    window.page.fill("#labels", labels)
    window.drop(data or picture("red", shade=31, size=(120, 60)))
    return window


def test_the_labels_begin_with_the_shop_s_own_categories(window):
    window.page.goto("/try")
    expect(window.page.locator("#labels")).to_have_value("coat\ndress\nmug")


def test_a_picture_gets_probabilities_and_cosines(window):
    look(window)
    bars = window.page.locator("#classify .bar")
    expect(bars).to_have_count(3)
    expect(bars.first).to_contain_text("red")
    shares = [
        float(text.removesuffix("%"))
        for text in window.page.locator("#classify .bar__value").all_inner_texts()
    ]
    assert sum(shares) == pytest.approx(100, abs=0.2)
    expect(window.page.locator("#similarity .bar__name")).to_have_text(["red", "blue", "green"])
    expect(window.page.locator("#similarity .bar--best")).to_contain_text("red")
    expect(window.page.locator("#status")).to_contain_text("The best match is red.")


def test_boxes_lie_over_the_picture_where_the_objects_are(window):
    look(window)
    box = window.page.locator(".box")
    expect(box).to_have_count(1)
    frame, found = window.page.locator("#picture img").bounding_box(), box.bounding_box()
    assert found["x"] == pytest.approx(frame["x"], abs=2)
    assert found["y"] == pytest.approx(frame["y"], abs=2)
    assert found["width"] == pytest.approx(frame["width"] / 2, abs=2)
    assert found["height"] == pytest.approx(frame["height"] / 2, abs=2)


def test_weak_objects_appear_when_the_threshold_falls(window):
    look(window)
    expect(window.page.locator(".object")).to_have_count(1)
    window.page.locator("#threshold").press("Home")
    expect(window.page.locator(".object")).to_have_count(2)
    expect(window.page.locator(".box")).to_have_count(2)


def test_search_for_this_takes_what_is_in_the_box_to_the_shop(window):
    look(window)
    window.page.get_by_role("button", name="Search for this red").last.click()
    expect(window.page.locator("#title")).to_have_text("Like your picture")
    expect(window.page.locator("#grid:not([aria-busy])")).to_be_attached()
    reds = set(those(lambda p: p.colors == ("red",)))
    assert set(window.ids()[: len(reds)]) == reds


def test_the_shop_lends_a_picture(window):
    window.page.goto("/try")
    expect(window.page.locator("#labels")).not_to_have_value("")
    window.page.click("#sample")
    expect(window.page.locator("#classify .bar")).to_have_count(3)


def test_a_template_without_a_place_is_refused_under_its_own_heading_alone(window):
    window.expected += ["422"]
    window.page.goto("/try")
    expect(window.page.locator("#labels")).not_to_have_value("")
    window.page.fill("#template", "a photo")
    window.drop(picture("red", size=(80, 80)))
    expect(window.page.locator("#classify [role=alert]")).to_contain_text("{}")
    expect(window.page.locator("#similarity .bar")).to_have_count(3)


def test_without_labels_the_page_asks_for_one(window):
    window.page.goto("/try")
    expect(window.page.locator("#labels")).not_to_have_value("")
    window.page.fill("#labels", "")
    window.drop(picture("red"))
    expect(window.page.locator("#toast")).to_contain_text("at least one label")


def test_a_file_that_the_browser_cannot_read_is_refused(window):
    window.page.goto("/try")
    expect(window.page.locator("#labels")).not_to_have_value("")
    window.drop(b"no picture", name="broken.png")
    expect(window.page.locator("#toast")).to_contain_text("cannot read that picture")
