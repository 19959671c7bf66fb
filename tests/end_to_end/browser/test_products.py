"""Single products: their page, what resembles them, and pictures that are missing."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.end_to_end.browser.stock import LIKE_THE_LAST, SEVERAL, STOCK, those


def test_more_like_this_shows_what_resembles_a_product_without_itself(window):
    window.open("/?color=red")
    card = window.cards.first
    chosen = card.get_attribute("data-id")
    card.hover()
    card.get_by_title("More like this").click()
    expect(window.page.locator("#query-parts")).to_contain_text("Looks like")
    window.page.get_by_role("button", name="Clear all").click()
    window.counts("89 products")
    reds = set(those(lambda p: p.colors == ("red",))) - {chosen}
    assert set(window.ids()[: len(reds)]) == reds


def test_less_like_this_pushes_a_product_and_its_kind_away(window):
    window.open("/?q=red+blue")
    first = window.cards.first
    color = "Red" if "Red" in first.inner_text() else "Blue"
    first.hover()
    first.get_by_title("Less like this").click()
    expect(window.page.locator("#query-parts")).to_contain_text("Not like")
    expect(window.cards.first).to_contain_text("Blue" if color == "Red" else "Red")


def test_while_browsing_there_is_nothing_to_be_less_like(window):
    window.open()
    expect(window.page.get_by_title("Less like this")).to_have_count(0)


def test_a_product_opens_with_its_facts_its_variants_and_what_resembles_it(window):
    window.open("/?color=red")
    window.cards.first.locator(".card__link").click()
    detail = window.page.get_by_role("dialog")
    product = STOCK[0]
    expect(detail.get_by_role("heading", name=product.title)).to_be_visible()
    for words in (
        "Clothing / Dress",
        "€10",
        "A red thing.",
        product.brand,
        "Plain",
        "Out of stock",
        "15 Jan 2026",
    ):
        expect(detail).to_contain_text(words, ignore_case=True)
    expect(detail.locator(".variants .tile")).to_have_count(1)
    expect(detail.locator(".similar .tile")).to_have_count(12)
    hrefs = detail.locator(".similar .tile").evaluate_all(
        "tiles => tiles.map(tile => tile.getAttribute('href'))"
    )
    assert "/product/p%2F000" not in hrefs
    window.page.keyboard.press("Escape")
    expect(detail).to_be_hidden()
    expect(window.page).to_have_url(re.compile(r"/\?color=red$"))


def test_one_product_leads_to_the_next_and_back(window):
    window.open("/?show=p/000")
    detail = window.page.get_by_role("dialog")
    detail.locator(".variants .tile").click()
    expect(detail.get_by_role("heading", name=STOCK[1].title)).to_be_visible()
    window.page.go_back()
    expect(detail.get_by_role("heading", name=STOCK[0].title)).to_be_visible()


def test_closing_goes_back_to_the_products_however_many_were_looked_at(window):
    window.open()
    before = window.page.evaluate("history.length")
    window.cards.first.locator(".card__link").click()
    detail = window.page.get_by_role("dialog")
    detail.locator(".variants .tile").click()
    expect(detail.get_by_role("heading", name=STOCK[1].title)).to_be_visible()
    detail.get_by_role("button", name="Close").click()
    expect(window.page).to_have_url(re.compile(r"/$"))
    window.page.go_forward()
    expect(detail.get_by_role("heading", name=STOCK[0].title)).to_be_visible()
    assert window.page.evaluate("history.length") == before + 2


def test_the_short_address_of_a_product_opens_it(window):
    window.open("/product/p%2F003")
    expect(
        window.page.get_by_role("dialog").get_by_role("heading", name=STOCK[3].title)
    ).to_be_visible()


def test_a_product_that_is_gone_says_so(window):
    window.expected += ["404"]
    window.open("/?show=no-such-thing")
    expect(window.page.get_by_role("dialog")).to_contain_text("no longer in the shop")


def test_a_picture_that_cannot_be_loaded_leaves_a_card_that_says_so(window):
    window.expected += ["404"]
    window.page.route("**/v1/products/*/image*", lambda route: route.fulfill(status=404))
    window.open()
    expect(window.cards.first).to_contain_text("No picture")
    expect(window.cards.first).to_contain_text(STOCK[0].title)


def test_pictures_below_the_window_are_not_loaded_yet(open_window):
    window = open_window(viewport={"width": 1280, "height": 700})
    window.open()
    images = window.page.locator("#grid img")
    assert images.evaluate_all("images => images.slice(8).every(image => image.loading === 'lazy')")
    assert images.evaluate_all(
        "images => images.every(image => image.getAttribute('width') && "
        "image.getAttribute('height'))"
    )


def test_colors_and_numbers_are_as_the_shop_and_the_visitor_write_them(window):
    def translated(route):
        answer = route.fetch().json()
        for product in [hit["product"] for hit in answer["hits"]]:
            product["color"] = ["Rot"]
        route.fulfill(json=answer)

    def weighed(route):
        answer = route.fetch().json()
        answer["product"]["attributes"]["weight"] = 12345.5
        route.fulfill(json=answer)

    window.page.route("**/v1/search", translated)
    window.page.route(re.compile(r"/v1/products/p(/|%2F)\d+$"), weighed)
    window.open()
    expect(window.page.locator("#suggestions")).to_contain_text("rot dress")
    window.cards.first.click()
    facts = window.page.get_by_role("dialog").locator(".facts")
    expect(facts).to_contain_text("12,345.5")


def test_what_does_not_hold_of_a_product_is_not_listed(window):
    window.open("/?show=p/001")
    detail = window.page.get_by_role("dialog")
    expect(detail.locator("dt", has_text="Pattern")).to_be_visible()
    expect(detail.locator("dt", has_text="Sale")).to_have_count(0)
    window.open("/?show=p/000")
    expect(detail.locator("dt", has_text="Sale")).to_be_visible()


def test_an_opened_product_shows_its_whole_picture_and_enlarges_it(window):
    window.open("/?show=p/000")
    view = window.page.locator(".zoom__view")
    image = view.locator("img")
    assert image.evaluate("e => getComputedStyle(e).objectFit") == "contain"
    before = image.bounding_box()["width"]
    zoom = window.page.get_by_role("button", name="Zoom")
    zoom.click()
    expect(zoom).to_have_attribute("aria-pressed", "true")
    assert image.bounding_box()["width"] > 2 * before
    assert view.evaluate("e => e.scrollWidth > e.clientWidth && e.scrollLeft > 0")
    expect(image).to_have_attribute("src", re.compile("size=4096"))
    image.click()
    expect(zoom).to_have_attribute("aria-pressed", "false")
    assert image.bounding_box()["width"] == before


def shows(window, number):
    """Wait until a product's dialog shows the picture of this number, standing still."""
    where = "(e => e.scrollLeft / e.clientWidth)(document.querySelector('.gallery__track'))"
    window.until(f"Math.abs({where} - {number}) < 0.01")


def out_of_reach(window):
    """Which pictures take neither focus nor clicks."""
    return window.page.locator(".gallery .zoom").evaluate_all("all => all.map(e => e.inert)")


def test_a_product_shows_all_its_pictures_by_click_and_by_key(window):
    window.open(f"/?show={SEVERAL}")
    thumbnails = window.page.locator(".gallery__thumbnail")
    expect(thumbnails).to_have_count(3)
    images = window.page.locator(".zoom__image")
    assert images.evaluate_all("all => all.every(e => getComputedStyle(e).objectFit === 'contain')")
    thumbnails.nth(2).click()
    expect(thumbnails.nth(2)).to_have_attribute("aria-current", "true")
    shows(window, 2)
    assert out_of_reach(window) == [True, True, False]
    thumbnails.nth(2).press("ArrowLeft")
    expect(thumbnails.nth(1)).to_be_focused()
    expect(thumbnails.nth(1)).to_have_attribute("aria-current", "true")
    shows(window, 1)
    thumbnails.nth(1).press("ArrowRight")
    thumbnails.nth(2).press("ArrowRight")
    shows(window, 2)


def test_a_swipe_moves_to_the_next_picture(window):
    window.open(f"/?show={SEVERAL}")
    track = window.page.locator(".gallery__track")
    track.evaluate("e => e.scrollTo({left: e.clientWidth, behavior: 'instant'})")
    current = window.page.locator(".gallery__thumbnail[aria-current='true']")
    expect(current).to_have_accessible_name("Picture 2 of 3")
    assert out_of_reach(window) == [True, False, True]


def test_the_picture_that_matched_is_on_the_card_and_shown_first(window):
    window.open(f"/?like={LIKE_THE_LAST}")
    expect(window.cards.first).to_have_attribute("data-id", SEVERAL)
    expect(window.cards.first.locator("img")).to_have_attribute("src", re.compile(r"n=2&size="))
    window.cards.first.locator(".card__link").click()
    current = window.page.locator(".gallery__thumbnail[aria-current='true']")
    expect(current).to_have_accessible_name("Picture 3 of 3")
    shows(window, 2)


def test_the_focus_stays_in_the_dialog_when_its_product_comes_and_changes(window):
    window.open()
    window.cards.first.locator(".card__link").focus()
    window.page.keyboard.press("Enter")
    detail = window.page.get_by_role("dialog")
    expect(detail.locator(".similar")).to_be_visible()
    inside = "document.querySelector('#detail').contains(document.activeElement)"
    assert window.page.evaluate(inside)
    detail.locator(".variants .tile").focus()
    window.page.keyboard.press("Enter")
    expect(detail.get_by_role("heading", name=STOCK[1].title)).to_be_focused()


def test_browsers_choose_among_sizes_of_a_picture(open_window):
    window = open_window(viewport={"width": 390, "height": 844}, device_scale_factor=3)
    window.open()
    image = window.cards.first.locator("img")
    expect(image).to_have_js_property("complete", True)
    chosen = image.evaluate("image => Number(new URL(image.currentSrc).searchParams.get('size'))")
    width = image.evaluate("image => image.getBoundingClientRect().width")
    assert chosen * 0.75 >= width * 3 or chosen == 1280


def test_a_product_dragged_onto_the_search_field_becomes_part_of_the_query(window):
    window.open("/?q=blue")
    card = window.cards.first
    chosen = card.get_attribute("data-id")
    card.locator(".card__link").drag_to(window.page.locator("#words"))
    expect(window.page.locator("#query-parts")).to_contain_text("Looks like")
    assert window.query() == f"?q=blue&like={chosen}"


def test_an_example_that_is_gone_can_be_removed_from_the_query(window):
    window.expected += ["404", "422"]
    window.open("/?like=no-such-product")
    expect(window.page.locator(".notice--error")).to_be_visible()
    window.page.get_by_role("button", name="Remove: looks like No longer in the shop").click()
    window.counts("90 products")


def test_a_product_leads_to_its_page_in_the_shop_where_the_catalogue_knows_it(window):
    window.open("/?show=p/009")
    link = window.page.get_by_role("dialog").get_by_role("link", name="View in the shop")
    expect(link).to_have_attribute("href", "https://shop.example/things/9")
    window.open("/?show=p/000")
    expect(window.page.locator("#detail .facts")).to_be_visible()
    expect(link).to_have_count(0)


def test_a_reduced_price_is_shown_beside_the_one_before(window):
    window.open("/?show=p/009")
    price = window.page.locator(".detail__price")
    expect(price).to_contain_text("€19.00 reduced from €25.00")
    expect(price.locator("s")).to_have_text("€25.00")
    expect(window.group("compare_at_price")).to_have_count(0)
