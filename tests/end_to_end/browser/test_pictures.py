"""Pictures as queries: by file, drop and paste, alone and together with words and products."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.end_to_end.browser.stock import picture, those

REDS = set(those(lambda p: p.colors == ("red",)))


def shows_reds_first(window):
    expect(window.page.locator("#title")).to_have_text("Like your picture")
    expect(window.page.locator("#grid:not([aria-busy])")).to_be_attached()
    assert set(window.ids()[: len(REDS)]) == REDS


def test_a_chosen_file_finds_what_looks_like_it(window, red_file):
    window.open().page.set_input_files("#file", red_file)
    shows_reds_first(window)
    expect(window.page.locator("#query-parts")).to_contain_text("red thing.png")


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_picture_can_be_dropped_or_pasted_anywhere(window, way):
    window.open()
    getattr(window, way)(picture("red", shade=31))
    shows_reds_first(window)


def test_while_a_file_is_dragged_the_page_says_where_to_drop_it(window):
    window.open()
    carried = window.files(picture("red"))
    window.page.dispatch_event("main", "dragenter", {"dataTransfer": carried})
    expect(window.page.locator("#drop")).to_be_visible()
    window.page.dispatch_event("main", "dragleave", {"dataTransfer": carried})
    expect(window.page.locator("#drop")).to_be_hidden()


def test_a_dropped_file_that_is_no_picture_is_refused_with_the_reason(window):
    window.open()
    window.drop(b"hello", name="notes.txt", kind="text/plain")
    expect(window.page.locator("#toast")).to_contain_text("not a picture")
    window.counts("90 products")


def test_a_broken_picture_gets_the_service_s_own_words(window):
    window.expected += ["422"]
    window.open()
    window.drop(b"\x89PNG\r\n\x1a\nnothing more", name="broken.png")
    expect(window.page.locator(".notice--error")).to_contain_text("Invalid image")
    window.page.get_by_role("button", name="Show all products").click()
    window.counts("90 products")


def test_a_large_picture_leaves_the_browser_small(window):
    window.open()
    with window.page.expect_request(
        lambda r: r.method == "POST" and "multipart" in r.headers.get("content-type", "")
    ) as sent:
        window.drop(picture("red", size=(3000, 2000), form="PNG"))
    assert len(sent.value.post_data_buffer or b"") < 60_000
    shows_reds_first(window)


def test_words_and_picture_search_together_and_their_balance_can_be_moved(window):
    window.open()
    window.drop(picture("red", shade=31))
    shows_reds_first(window)
    window.search("blue")
    expect(window.page.locator("#title")).to_have_text("“blue” and your picture")
    slider = window.page.get_by_label("How much the words count beside the picture")
    slider.press("End")
    expect(window.cards.first).to_contain_text("Blue")
    assert "balance=1" in window.query()
    slider.press("Home")
    expect(window.cards.first).to_contain_text("Red")
    window.page.get_by_role("button", name="Remove: your picture").click()
    expect(window.page.locator("#title")).to_have_text("“blue”")


def test_a_picture_survives_a_reload_in_its_tab(window):
    window.open()
    window.drop(picture("red", shade=31), name="mine.png")
    shows_reds_first(window)
    window.page.reload()
    shows_reds_first(window)
    expect(window.page.locator("#query-parts")).to_contain_text("mine.png")


def test_the_address_of_a_picture_says_in_another_tab_that_the_picture_stayed_behind(window):
    window.open("/?picture=0123456789ab")
    expect(window.page.locator(".notice")).to_contain_text("stayed in another tab")


def test_more_pages_of_a_picture_search_come_without_repeats(window):
    window.open()
    window.drop(picture("red", shade=31))
    shows_reds_first(window)
    window.to_the_end()
    assert len(window.ids()) == len(set(window.ids())) == 90
