"""Words: typing, sorting, paging."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.end_to_end.browser.stock import STOCK, those


def test_typing_words_shows_the_closest_products_first(window):
    window.open()
    window.counts("90 products")
    with window.page.expect_response("**/v1/search") as answer:
        window.page.locator("#words").press_sequentially("red ", delay=20)
    expect(window.page.locator("#title")).to_have_text("“red”")
    expect(window.page.locator("#grid:not([aria-busy])")).to_be_attached()
    reds = set(those(lambda p: p.colors == ("red",)))
    assert set(window.ids()[: len(reds)]) == reds
    hits = answer.value.json()["hits"]
    assert window.ids() == [hit["id"] for hit in hits]
    scores = [hit["score"] for hit in hits]
    assert scores == sorted(scores, reverse=True)


def test_the_key_that_leads_to_the_search_field_is_shown_until_the_field_is_used(window):
    window.open()
    key = window.page.locator(".search__key")
    expect(key).to_be_visible()
    expect(key).to_have_text("/")
    window.page.keyboard.press("/")
    expect(window.page.locator("#words")).to_be_focused()
    expect(key).to_be_hidden()
    window.search("red")
    window.page.locator("#words").blur()
    expect(key).to_be_hidden()


def test_every_card_shows_title_brand_and_price_and_no_number_that_only_engineers_read(window):
    window.open("/?q=red")
    card = window.cards.first
    product = next(p for p in STOCK if p.id == card.get_attribute("data-id"))
    expect(card.locator(".card__title")).to_have_text(product.title)
    expect(card.locator(".card__brand")).to_have_text(product.brand)
    expect(card.locator(".card__price")).to_have_text(f"€{product.price:.2f}")
    assert "0." not in card.inner_text()


def test_prices_show_the_digits_of_their_currency_and_a_missing_price_shows_nothing(window):
    window.open("/?sort=title")
    prices = {
        p.id: window.page.locator(f'.card[data-id="{p.id}"] .card__price')
        for p in (STOCK[5], STOCK[7], STOCK[8])
    }
    window.to_the_end()
    expect(prices["p/007"]).to_have_text("€17.50")
    expect(prices["p/008"]).to_have_text("€18.00")
    expect(prices["p/005"]).to_have_text("")
    reduced = window.page.locator('.card[data-id="p/009"]')
    expect(reduced.locator(".card__price")).to_have_text("€19.00 reduced from €25.00")
    expect(reduced.locator(".card__badge")).to_have_text("−24%")


def test_sorting_by_price_orders_the_products_and_puts_those_without_one_last(window):
    window.open("/?category=Clothing%2FDress")
    window.page.select_option("#sort", "-price")
    expect(window.cards.first).to_have_attribute("data-id", "p/077")
    window.page.select_option("#sort", "price")
    expect(window.cards.first).to_have_attribute("data-id", "p/000")
    window.to_the_end()
    dresses = sorted(
        (p for p in STOCK if p.category == ("Clothing/Dress",)),
        key=lambda p: (p.price is None, p.price or 0, p.id),
    )
    assert window.ids() == [p.id for p in dresses]


def test_what_can_be_had_comes_first_where_that_is_asked_for(window):
    window.open("/?category=Clothing%2FDress")
    expect(window.page.locator("#sort option")).to_contain_text(["Added, newest first"])
    window.page.select_option("#sort", label="In stock first")
    dresses = [p for p in STOCK if p.category == ("Clothing/Dress",)]
    sold_out = [p.id for p in dresses if not p.in_stock]
    expect(window.cards.first).to_have_attribute(
        "data-id", next(p.id for p in dresses if p.in_stock)
    )
    window.to_the_end()
    assert window.ids() == [p.id for p in dresses if p.in_stock] + sold_out
    assert window.query().endswith("sort=-in_stock,relevance")


def test_the_products_go_on_to_the_end_without_a_repeat_or_a_gap(window):
    window.open()
    expect(window.cards.first).to_be_visible()
    window.to_the_end()
    assert window.ids() == [p.id for p in STOCK]


def test_further_products_also_come_by_the_button(open_window):
    window = open_window(viewport={"width": 1280, "height": 500})
    window.page.add_init_script("window.IntersectionObserver = class { observe() {} };")
    window.open()
    expect(window.cards).to_have_count(24)
    window.page.click("#more-button")
    expect(window.cards).to_have_count(48)


def test_of_words_typed_in_haste_only_the_last_answer_is_shown(window):
    window.open()
    held = []

    def hold_back(route):
        if '"red"' in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    window.page.route("**/v1/search", hold_back)
    window.search("red")
    window.page.wait_for_function("document.getElementById('grid').hasAttribute('aria-busy')")
    window.search("blue")
    expect(window.page.locator("#title")).to_have_text("“blue”")
    assert held
    for route in held:
        route.abort()
    blues = those(lambda p: p.colors == ("blue",))
    assert window.ids()[0] in blues


def test_one_per_style_shows_each_group_once(window):
    window.open("/?category=Clothing%2FDress")
    window.counts("30 products")
    window.page.locator("#styles-label").click()
    window.counts("15 products")
    assert len(set(window.ids())) == 15
    first = window.cards.first
    expect(first.locator(".card__price")).to_have_text("from €10.00")
    expect(first.locator(".card__variants")).to_have_text("2 variants")


def test_sorting_words_by_price_keeps_to_the_products_that_are_close(window):
    bodies = []
    window.page.on(
        "request",
        lambda request: bodies.append(request.post_data_json) if request.method == "POST" else None,
    )
    window.open("/?q=red")
    found = set(those(lambda p: p.colors == ("red",)))
    close = window.page.locator("#count").inner_text()
    window.page.select_option("#sort", "price")
    expect(window.page.locator("#grid:not([aria-busy])")).to_be_attached()
    window.counts(close)
    assert window.number("color", "red") == len(found)
    assert all("candidates" in body for body in bodies)


def test_half_a_word_is_not_searched_for(window):
    searched = []
    window.open()
    window.page.on("request", lambda request: searched.append(request.post_data or ""))
    window.page.locator("#words").press_sequentially("red dre", delay=20)
    window.page.wait_for_timeout(1000)
    assert not any("red dre" in data for data in searched)
    expect(window.page.locator("#title")).to_have_text("All products")
    window.page.keyboard.press("Enter")
    expect(window.page.locator("#title")).to_have_text("“red dre”")


def test_recent_searches_come_back_while_words_are_typed(open_window):
    window = open_window(viewport={"width": 1280, "height": 900})
    window.open()
    for words in ("red dress", "blue mug", "red coat"):
        window.search(words)
        expect(window.page.locator("#title")).to_have_text(f"“{words}”")
    field = window.page.locator("#words")
    options = window.page.locator("#completions [role=option]")
    field.fill("")
    expect(options).to_have_text(["red coat", "blue mug", "red dress", "Clear recent searches"])
    field.press_sequentially("re")
    expect(options).to_have_text(["red coat", "red dress"])
    field.press("ArrowDown")
    field.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", options.nth(1).get_attribute("id"))
    field.press("Enter")
    expect(window.page.locator("#title")).to_have_text("“red dress”")
    expect(options).to_have_count(0)


def test_recent_searches_can_be_forgotten(open_window):
    window = open_window(viewport={"width": 1280, "height": 900})
    window.open()
    window.search("red")
    window.page.fill("#words", "")
    window.page.get_by_role("option", name="Clear recent searches").click()
    window.page.reload()
    window.page.focus("#words")
    expect(window.page.locator("#completions")).to_be_hidden()
    assert window.page.evaluate("localStorage.getItem('vitrine.searches')") == "[]"


def test_escape_closes_the_list_under_the_field_and_keeps_the_words(open_window):
    window = open_window(viewport={"width": 1280, "height": 900})
    window.open()
    window.search("red")
    window.page.fill("#words", "r")
    expect(window.page.locator("#completions [role=option]")).to_have_count(1)
    window.page.keyboard.press("Escape")
    expect(window.page.locator("#completions [role=option]")).to_have_count(0)
    expect(window.page.locator("#words")).to_have_value("r")
