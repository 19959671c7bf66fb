"""The address holds the search: it can be shared, reloaded, gone back from and forward to."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.end_to_end.browser.stock import those


def test_words_filters_and_sort_are_in_the_address_and_come_back_from_it(window, open_window):
    window.open()
    window.search("red")
    expect(window.page.locator("#title")).to_have_text("“red”")
    window.option("color", "red").click()
    window.counts("15 products")
    window.page.get_by_label("Price, highest, as a number").fill("60")
    window.page.keyboard.press("Enter")
    expected = those(lambda p: p.colors == ("red",) and p.price is not None and p.price <= 60)
    window.counts(f"{len(expected)} products")
    window.page.select_option("#sort", "price")
    expect(window.cards.first).to_have_attribute("data-id", expected[0])
    assert (
        window.query() == "?q=red&color=red&price_max=60&sort=price"
        or window.query() == "?q=red&price_max=60&color=red&sort=price"
    )
    shared = open_window().open(window.page.url)
    assert shared.ids() == window.ids() == expected
    expect(shared.page.locator("#words")).to_have_value("red")
    expect(shared.page.locator("#sort")).to_have_value("price")
    expect(shared.option("color", "red")).to_have_attribute("aria-pressed", "true")


def test_back_and_forward_walk_through_the_searches(window):
    window.open()
    window.search("red")
    expect(window.page.locator("#title")).to_have_text("“red”")
    window.option("category", "Home").click()
    window.counts("30 products")
    window.page.go_back()
    window.counts("90 products")
    expect(window.page.locator("#words")).to_have_value("red")
    window.page.go_back()
    expect(window.page.locator("#welcome")).to_be_visible()
    expect(window.page.locator("#words")).to_have_value("")
    window.page.go_forward()
    window.page.go_forward()
    window.counts("30 products")
    expect(window.option("category", "Home")).to_be_checked()


def test_words_that_are_still_being_typed_leave_one_step_in_the_history(window):
    window.open()
    before = window.page.evaluate("history.length")
    for word in ("r", "r e", "r e d"):
        window.page.fill("#words", f"{word} ")
        expect(window.page.locator("#title")).to_have_text(f"“{word}”")
    assert window.page.evaluate("history.length") == before + 1


def test_an_example_product_is_in_the_address(window):
    window.open("/?like=p/000")
    window.counts("89 products")
    expect(window.page.locator("#query-parts")).to_contain_text("Red dress 0")
    window.page.reload()
    window.counts("89 products")


def test_what_the_page_cannot_do_of_an_address_is_left_out_and_told(window):
    faults = {
        "price_min=cheap": "price_min: “cheap” is not a number",
        "added_min=5": "added_min: “5” is not a date",
        "added_max=soon": "added_max: “soon” is not a date",
        "sort=beauty": "sort: products cannot be sorted by “beauty”",
        "in_stock=perhaps": "in_stock: “perhaps” is neither true nor false",
        "balance=x": "balance: “x” is not a number",
        "cutoff=0.4": "cutoff: “0.4” is not allowed",
        "limit=0": "limit: the page does not use it",
        "size=XL": "size: the catalogue has no such field",
    }
    window.open(f"/?color=red&{'&'.join(faults)}")
    window.counts("15 products")
    told = window.page.locator("#left-out")
    expect(told.locator("li")).to_have_text(list(faults.values()))
    window.search("red")
    expect(told).to_be_hidden()
    assert window.query() == "?q=red&color=red"


def test_nothing_is_told_of_what_advertisements_add_to_an_address(window):
    window.open("/?color=red&utm_source=letter&gclid=1&price_min=")
    window.counts("15 products")
    expect(window.page.locator("#left-out")).to_be_hidden()


def test_a_value_that_the_catalogue_does_not_have_is_shown_as_chosen_and_can_be_taken_away(window):
    window.open("/?color=puce")
    window.counts("0 products")
    window.page.get_by_role("button", name="Remove the filter Puce").click()
    window.counts("90 products")


def test_a_value_in_another_spelling_is_chosen_in_the_row_that_lists_it(window):
    window.open("/?brand=MAKER 00&category=clothing/dress")
    window.counts("2 products")
    expect(window.option("brand", "Maker 00")).to_be_checked()
    expect(window.option("category", "Clothing/Dress")).to_be_checked()
    expect(window.option("brand", "MAKER 00")).to_have_count(0)
    window.option("brand", "Maker 00").uncheck()
    window.counts("30 products")


def test_the_title_of_the_window_tells_the_search(window):
    window.open("/?q=red")
    expect(window.page).to_have_title("“red” – Vitrine")


def test_back_returns_to_the_place_among_the_products(window):
    window.open()
    window.to_the_end()
    window.cards.nth(60).scroll_into_view_if_needed()
    window.until("history.state?.place?.products === 90")
    window.until("Math.abs(history.state.place.top - scrollY) <= 1")
    top = window.page.evaluate("scrollY")
    window.cards.nth(60).hover()
    window.cards.nth(60).get_by_title("More like this").click()
    expect(window.page.locator("#title")).to_have_text("More like this")
    window.page.go_back()
    window.counts("90 products")
    window.until(f"Math.abs(scrollY - {top}) <= 2")
    assert len(window.ids()) == 90


def test_a_reload_returns_to_the_place_among_the_products(window):
    window.open("/?q=red")
    window.to_the_end()
    window.cards.nth(50).scroll_into_view_if_needed()
    window.until("Math.abs((history.state?.place?.top ?? 0) - scrollY) <= 1")
    top = window.page.evaluate("scrollY")
    assert top > 500
    window.page.reload()
    window.until(f"Math.abs(scrollY - {top}) <= 2")


def test_a_new_search_begins_at_the_top(window):
    window.open("/?q=red")
    window.to_the_end()
    window.search("blue")
    expect(window.page.locator("#title")).to_have_text("“blue”")
    window.until("scrollY < 200")
