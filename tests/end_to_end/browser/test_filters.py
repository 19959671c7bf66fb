"""Filters: each narrows the products, and the counts tell beforehand to how many."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.end_to_end.browser.site import running_site
from tests.end_to_end.browser.stock import STOCK, those

_ORDER = """async values => {
    const module = document.querySelector("link[href$='/js/filters/sizes.js']").href;
    const {inOrder} = await import(module);
    return [...inOrder(new Map(values.map(value => [value, 1]))).keys()];
}"""


def test_a_price_without_products_to_choose_from_can_only_be_cleared(window):
    window.open("/?brand=nobody&price_max=20")
    price = window.group("price")
    expect(price.get_by_role("button", name="Clear Price")).to_be_visible()
    expect(price.locator("input[type=range]").first).to_be_hidden()
    window.page.get_by_role("button", name="Remove the filter Nobody").click()
    expect(price.locator("input[type=range]").first).to_be_visible()


def test_a_range_of_prices_is_set_in_one_currency(window):
    def of_two_currencies(route):
        answer = route.fetch().json()
        if "currency" in answer["facets"]:
            values = [{"value": "EUR", "count": 60}, {"value": "USD", "count": 30}]
            answer["facets"]["currency"] = values
        route.fulfill(json=answer)

    window.page.route("**/v1/search", of_two_currencies)
    window.open()
    price = window.group("price")
    expect(price.get_by_text("Prices are in several currencies.")).to_be_visible()
    expect(price.locator("input[type=range]").first).to_be_hidden()
    price.get_by_role("button", name="EUR (60)").click()
    expect(price.locator(".range__sign").first).to_have_text("€")
    expect(price.get_by_text("Prices are in several currencies.")).to_be_hidden()
    expect(price.locator("input[type=range]").first).to_be_visible()
    assert window.query() == "?currency=EUR"


def test_an_only_category_shows_those_in_it(window):
    window.open()
    expect(window.option("category", "Clothing/Dress")).to_be_hidden()
    window.open("/?price_max=15")
    expect(window.option("category", "Clothing/Dress")).to_be_visible()


def test_sizes_stand_in_their_own_order(window):
    window.open()
    for values, expected in (
        ("M XXL S xl XXS L XS", "XXS XS S M L xl XXL"),
        ("3XL L XL 2XL 4XL", "L XL 2XL 3XL 4XL"),
        ("10 9 38,5 38", "9 10 38 38,5"),
        ("34 M 32 S", "S M 32 34"),
        ("wool L S", "wool L S"),  # no list of sizes
    ):
        assert window.page.evaluate(_ORDER, values.split()) == expected.split()


def test_the_filters_are_the_catalogue_s_own_fields(window):
    window.open()
    fields = window.page.locator("[data-field]").evaluate_all(
        "groups => groups.map(group => group.dataset.field)"
    )
    assert fields == ["category", "price", "color", "in_stock", "sale", "brand", "pattern", "added"]


@pytest.mark.parametrize(
    ("field", "value", "fits"),
    [
        ("color", "red", lambda p: p.colors == ("red",)),
        ("category", "Clothing", lambda p: p.category[0].startswith("Clothing/")),
        ("category", "Home", lambda p: p.category[0].startswith("Home/")),
        ("pattern", "plain", lambda p: p.attributes["pattern"] == ("plain",)),
        ("brand", "Maker 00", lambda p: p.brand == "Maker 00"),
    ],
)
def test_choosing_a_value_shows_as_many_products_as_its_count_said(window, field, value, fits):
    window.open()
    expected = those(fits)
    assert window.number(field, value) == len(expected)
    window.option(field, value).click()
    window.counts(f"{len(expected)} products")
    assert window.ids() == expected[:24]


def test_another_value_of_the_same_field_widens_the_choice(window):
    window.open()
    window.option("color", "red").click()
    window.counts("15 products")
    assert window.number("color", "blue") == 15
    window.option("color", "blue").click()
    window.counts("30 products")
    expect(window.option("color", "red")).to_have_attribute("aria-pressed", "true")
    window.option("color", "red").click()
    window.counts("15 products")
    assert set(window.ids()) == set(those(lambda p: p.colors == ("blue",)))


def test_a_value_of_another_field_narrows_it_and_the_counts_follow(window):
    window.open()
    window.option("color", "red").click()
    window.counts("15 products")
    dresses = those(lambda p: p.colors == ("red",) and p.category == ("Clothing/Dress",))
    window.page.get_by_role("button", name="Categories in Clothing").click()
    assert window.number("category", "Clothing/Dress") == len(dresses)
    window.option("category", "Clothing/Dress").click()
    window.counts(f"{len(dresses)} products")
    expect(window.option("color", "green")).to_contain_text("5")
    greens = those(lambda p: p.colors == ("green",) and p.category == ("Clothing/Dress",))
    assert window.number("color", "green") == len(greens)


def test_in_the_tree_a_leaf_narrows_its_branch_and_a_branch_takes_in_its_leaves(window):
    window.open()
    window.option("category", "Clothing").click()
    window.counts("60 products")
    window.option("category", "Clothing/Coat").click()
    window.counts("30 products")
    assert "category=Clothing/Coat" in window.query()
    window.option("category", "Clothing").click()
    window.counts("60 products")
    assert window.query() == "?category=Clothing"


def test_the_switch_shows_only_what_is_in_stock(window):
    window.open()
    window.group("in_stock").locator("label").first.click()
    window.counts(f"{len(those(lambda p: bool(p.in_stock)))} products")
    expect(window.page.locator(".card--sold-out")).to_have_count(0)


def test_both_handles_of_the_price_can_be_moved_and_the_histogram_marks_the_span(window):
    window.open()
    bars = window.group("price").locator(".range__bar")
    assert bars.count() > 3
    high = window.page.get_by_label("Price, highest", exact=True)
    for _ in range(30):
        high.press("ArrowLeft")
    expect(window.page.locator("#chips")).to_contain_text("Price up to €")
    most = float(window.page.get_by_label("Price, highest, as a number").input_value())
    assert most < 99
    window.counts(f"{len(those(lambda p: p.price is not None and p.price <= most))} products")
    assert 0 < window.group("price").locator(".range__bar--in").count() < bars.count()
    low = window.page.get_by_label("Price, lowest", exact=True)
    for _ in range(10):
        low.press("ArrowRight")
    least = float(window.page.get_by_label("Price, lowest, as a number").input_value())
    window.counts(
        f"{len(those(lambda p: p.price is not None and least <= p.price <= most))} products"
    )


def test_a_handle_is_dragged_with_the_mouse(window):
    window.open()
    track = window.group("price").locator(".range__track").bounding_box()
    middle = track["y"] + track["height"] / 2
    window.page.mouse.move(track["x"] + 8, middle)
    window.page.mouse.down()
    window.page.mouse.move(track["x"] + track["width"] / 2, middle, steps=8)
    window.page.mouse.up()
    expect(window.page.locator("#chips")).to_contain_text("Price from €")
    least = float(window.page.get_by_label("Price, lowest, as a number").input_value())
    assert 40 <= least <= 70
    window.counts(f"{len(those(lambda p: p.price is not None and p.price >= least))} products")


def test_a_price_can_be_typed_and_bounds_the_wrong_way_round_are_understood(window):
    window.open()
    window.page.get_by_label("Price, lowest, as a number").fill("50")
    window.page.keyboard.press("Enter")
    window.counts(f"{len(those(lambda p: p.price is not None and p.price >= 50))} products")
    window.page.get_by_label("Price, highest, as a number").fill("20")
    window.page.keyboard.press("Enter")
    window.counts(f"{len(those(lambda p: p.price is not None and 20 <= p.price <= 50))} products")
    assert "price_min=20" in window.query()
    assert "price_max=50" in window.query()


def test_a_long_list_is_cut_opened_and_searched(window):
    window.open()
    brands = window.group("brand")
    expect(brands.locator(".option")).to_have_count(7)
    brands.get_by_role("button", name="Show all 14").click()
    expect(brands.locator(".option")).to_have_count(14)
    brands.get_by_label("Find in Brand").fill("13")
    expect(brands.locator(".option")).to_have_count(1)
    brands.locator(".option input").check()
    window.counts(f"{len(those(lambda p: p.brand == 'Maker 13'))} products")
    brands.get_by_label("Find in Brand").fill("nobody")
    expect(brands).to_contain_text("No matches")


def test_chips_take_single_filters_away_and_clear_all_takes_all(window):
    window.open("/?color=red&color=blue&price_max=60&category=Home")
    chips = window.page.locator("#chips .chip")
    expect(chips).to_have_text(["Price up to €60", "Red", "Blue", "Home"], use_inner_text=True)
    window.page.get_by_role("button", name="Remove the filter Blue").click()
    expected = those(
        lambda p: (
            p.colors == ("red",)
            and p.price is not None
            and p.price <= 60
            and p.category[0].startswith("Home/")
        )
    )
    window.counts(f"{len(expected)} products")
    assert window.ids() == expected
    window.page.get_by_role("button", name="Clear all").click()
    window.counts(f"{len(STOCK)} products")
    expect(window.page.locator("#chips")).to_be_hidden()


def test_a_filter_narrows_words_as_well(window):
    window.open("/?q=red")
    window.option("category", "Home").click()
    homes = set(those(lambda p: p.category[0].startswith("Home/")))
    window.counts(f"{len(homes)} products")
    assert set(window.ids()) <= homes
    assert window.cards.first.inner_text().startswith("Maker")
    expect(window.cards.first).to_contain_text("Red mug")


def test_the_counts_beside_words_tell_how_many_products_a_choice_will_show(window):
    window.open("/?q=red")
    for field, value in (("color", "blue"), ("category", "Home"), ("pattern", "striped")):
        expected = window.number(field, value)
        window.option(field, value).click()
        window.counts(f"{expected} products")
        window.page.go_back()
        window.counts("90 products")


@pytest.fixture(scope="module")
def short_lists(tmp_path_factory):
    """A shop whose answers list four values of a field."""
    with running_site(tmp_path_factory.mktemp("short"), facet_values=4) as site:
        yield site


def test_a_value_that_the_answer_does_not_list_is_found_by_the_service(open_window, short_lists):
    window = open_window(base_url=short_lists.url)
    window.open("/?color=red")
    brands = window.group("brand")
    expect(brands.locator(".option")).to_have_count(4)
    find = brands.get_by_label("Find in Brand")
    find.fill("mäker 1")
    expect(brands.locator(".option")).to_have_count(2)  # of the red ones
    expected = those(lambda p: p.colors == ("red",) and p.brand == "Maker 12")
    assert window.number("brand", "Maker 12") == len(expected)
    window.option("brand", "Maker 12").click()
    window.counts(f"{len(expected)} products")
    expect(window.option("brand", "Maker 12")).to_be_checked()
    find.fill("nobody")
    expect(brands).to_contain_text("No matches")


def test_beside_words_the_service_counts_what_a_choice_will_show(open_window, short_lists):
    window = open_window(base_url=short_lists.url)
    window.open("/?q=red&category=Home")
    window.group("brand").get_by_label("Find in Brand").fill("13")
    expected = those(lambda p: p.category[0].startswith("Home/") and p.brand == "Maker 13")
    expect(window.option("brand", "Maker 13")).to_be_visible()
    assert window.number("brand", "Maker 13") == len(expected)
    window.option("brand", "Maker 13").click()
    window.counts(f"{len(expected)} products")
