"""Without a mouse, on a phone, in the dark, without motion."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}

_CONTRAST = """() => {
    const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
    const rgba = color => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const linear = value => value / 255 <= 0.03928
        ? value / 255 / 12.92
        : ((value / 255 + 0.055) / 1.055) ** 2.4;
    const light = ([red, green, blue]) =>
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
    const ground = element => {
        const color = rgba(getComputedStyle(element).backgroundColor);
        return color[3] === 255 ? color : ground(element.parentElement);
    };
    const says = element =>
        [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    const seen = element => element.checkVisibility() && !element.closest(".unseen, .skip, option");
    const texts = [...document.querySelectorAll("body *")].filter(e => seen(e) && says(e));
    return texts.map(e => {
        const lights = [light(rgba(getComputedStyle(e).color)), light(ground(e))];
        const [more, less] = lights.sort((a, b) => b - a);
        return [(more + 0.05) / (less + 0.05), e.className, e.textContent.trim().slice(0, 30)];
    }).filter(([ratio]) => ratio < 4.5);
}"""
"""Texts whose contrast with their ground is below that of WCAG 2.2, 1.4.3 (AA)."""


def test_the_whole_shop_can_be_used_with_the_keyboard_alone(window):
    window.open()
    window.page.keyboard.press("Tab")
    expect(window.page.locator(".skip")).to_be_focused()
    window.page.keyboard.press("/")
    expect(window.page.locator("#words")).to_be_focused()
    window.page.keyboard.type("red")
    window.page.keyboard.press("Enter")
    expect(window.page.locator("#title")).to_have_text("“red”")
    window.option("category", "Home").focus()
    window.page.keyboard.press("Space")
    window.counts("30 products")
    expect(window.option("category", "Home")).to_be_focused()
    window.option("color", "red").focus()
    window.page.keyboard.press("Enter")
    window.counts("5 products")
    expect(window.option("color", "red")).to_be_focused()
    window.cards.first.locator(".card__link").focus()
    window.page.keyboard.press("Enter")
    expect(window.page.get_by_role("dialog")).to_be_visible()
    window.page.keyboard.press("Escape")
    expect(window.page.get_by_role("dialog")).to_be_hidden()
    expect(window.cards.first.locator(".card__link")).to_be_focused()


def test_after_the_skip_link_the_products_are_next(window):
    window.open()
    window.page.keyboard.press("Tab")
    window.page.keyboard.press("Enter")
    window.page.keyboard.press("Tab")
    assert window.page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_a_filter_taken_away_by_keyboard_does_not_lose_the_place(window):
    window.open("/?color=red&category=Home")
    window.page.get_by_role("button", name="Remove the filter Red").focus()
    window.page.keyboard.press("Enter")
    window.counts("30 products")
    assert window.page.evaluate("document.activeElement !== document.body")


def test_the_focus_is_visible_wherever_it_goes(window):
    window.open("/?color=red")
    for _ in range(25):
        window.page.keyboard.press("Tab")
        seen = window.page.evaluate(
            """() => {
                const shows = e => {
                    const s = getComputedStyle(e);
                    return s.outlineStyle !== "none" || s.boxShadow !== "none";
                };
                const at = document.activeElement;
                const near = [at, at.parentElement, at.nextElementSibling];
                return near.some(e => e && shows(e)) || at.matches("input[type=range]") ||
                    at.closest(".skip") !== null;
            }"""
        )
        assert seen, window.page.evaluate("document.activeElement.outerHTML.slice(0, 200)")


def test_the_number_of_products_is_announced(window):
    window.open()
    count = window.page.locator("#count")
    expect(count).to_have_attribute("role", "status")
    expect(count).to_have_attribute("aria-live", "polite")


def test_every_control_has_a_name(window):
    window.open("/?q=red&color=red")
    nameless = window.page.evaluate(
        """() => {
            const named = e =>
                e.getAttribute("aria-label") || e.textContent.trim() ||
                e.labels?.[0]?.textContent.trim();
            const kinds = "button, input, select, a[href]";
            const controls = [...document.querySelectorAll(kinds)].filter(e => e.checkVisibility());
            return controls.filter(e => !named(e)).map(e => e.outerHTML);
        }"""
    )
    assert nameless == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(open_window, scheme):
    window = open_window(color_scheme=scheme, reduced_motion="reduce")
    for address in ("/", "/?q=red&color=red", "/?color=red&price_max=1"):
        window.open(address)
        assert window.page.evaluate(_CONTRAST) == []
    for address, ready in (("/try", "#sample"), ("/admin", "#sign-in")):
        window.page.goto(address)
        expect(window.page.locator(ready)).to_be_visible()
        assert window.page.evaluate(_CONTRAST) == []


def test_the_page_follows_the_system_into_the_dark_and_the_button_overrules_it(open_window):
    window = open_window(color_scheme="dark")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    window.open()
    dark = window.page.evaluate(ground)
    window.page.click("#theme")
    expect(window.page.locator("#theme")).to_have_attribute("aria-pressed", "false")
    light = window.page.evaluate(ground)
    assert light != dark
    window.page.reload()
    expect(window.cards.first).to_be_visible()
    assert window.page.evaluate(ground) == light


def test_on_a_phone_the_filters_come_in_a_drawer_and_nothing_sticks_out(open_window):
    window = open_window(**PHONE)
    window.open("/?q=red")
    assert window.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert len({round(window.cards.nth(n).bounding_box()["x"]) for n in range(4)}) == 2
    expect(window.page.locator("#filters")).to_be_hidden()
    window.page.tap("#open-filters")
    expect(window.page.locator("#drawer")).to_be_visible()
    window.option("color", "red").tap()
    expect(window.page.locator("#show-results")).to_have_text("Show 15 products")
    window.page.tap("#show-results")
    expect(window.page.locator("#drawer")).to_be_hidden()
    window.counts("15 products")
    expect(window.page.locator("#filters-badge")).to_have_text("1")
    assert window.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_on_a_phone_a_finger_hits_every_control(open_window):
    window = open_window(**PHONE)
    window.open("/?color=red&color=blue")
    window.page.tap("#open-filters")
    expect(window.page.locator("#drawer")).to_be_visible()
    small = window.page.evaluate(
        """() => {
            const hit = "#drawer button, #drawer .option, #drawer .toggle, .top button, " +
                ".heading button, .heading select";
            const controls = [...document.querySelectorAll(hit)]
                .filter(e => e.checkVisibility() && !e.matches(".plain"));
            const small = controls.filter(e => e.getBoundingClientRect().height < 40);
            return small.map(e => e.outerHTML);
        }"""
    )
    assert small == []


def test_the_drawer_s_filters_move_beside_the_products_when_the_window_grows(open_window):
    window = open_window(viewport={"width": 700, "height": 900})
    window.open()
    window.page.click("#open-filters")
    expect(window.page.locator("#drawer")).to_be_visible()
    window.page.set_viewport_size({"width": 1280, "height": 900})
    expect(window.page.locator("#drawer")).to_be_hidden()
    expect(window.page.locator("#aside #filters")).to_be_visible()


def test_nothing_moves_for_who_asked_for_no_motion(open_window):
    window = open_window(reduced_motion="reduce")
    window.open()
    assert (
        window.page.locator(".card__picture img").first.evaluate(
            "e => parseFloat(getComputedStyle(e).transitionDuration)"
        )
        <= 0.001
    )


@pytest.mark.parametrize("address", ["/", "/?q=red", "/?color=puce", "/try", "/admin"])
def test_every_page_has_one_main_heading(window, address):
    window.page.goto(address)
    expect(window.page.get_by_role("heading", level=1)).to_have_count(1)


def test_the_handles_of_a_range_are_large_enough_to_be_hit(window):
    window.open()
    handle = (
        window.group("price")
        .locator(".range")
        .evaluate(
            "e => parseFloat(getComputedStyle(e).getPropertyValue('--handle')) * "
            "parseFloat(getComputedStyle(document.documentElement).fontSize)"
        )
    )
    assert handle >= 24  # WCAG 2.2, 2.5.8


def test_where_the_system_chooses_the_colors_swatches_and_switches_can_still_be_seen(open_window):
    window = open_window(forced_colors="active")
    window.open()
    style = "(e, name) => getComputedStyle(e)[name]"
    red = window.option("color", "red").locator(".swatch__dot")
    assert red.evaluate(style, "backgroundColor") == "rgb(207, 43, 43)"
    track = window.page.locator("#styles-label .switch__track")
    assert track.evaluate(style, "borderTopStyle") == "solid"
    assert (
        window.group("price")
        .locator(".range__bar--in")
        .first.evaluate(
            "e => getComputedStyle(e).backgroundColor !== "
            "getComputedStyle(document.body).backgroundColor"
        )
    )


def test_the_wheel_over_the_filters_moves_the_page_on(window):
    window.open()
    window.page.mouse.move(150, 500)
    for _ in range(20):
        window.page.mouse.wheel(0, 400)
        window.page.wait_for_timeout(30)
    assert window.page.evaluate("scrollY") > 800


def test_on_a_phone_one_product_of_each_style_can_be_chosen(open_window):
    window = open_window(**PHONE)
    window.open("/?category=Clothing%2FDress")
    window.counts("30 products")
    window.page.tap("#open-filters")
    window.page.tap("#styles-label")
    window.counts("15 products")


def test_on_a_phone_the_way_out_of_a_product_stays_in_sight(open_window):
    window = open_window(**PHONE)
    window.open("/?show=p/000")
    close = window.page.get_by_role("button", name="Close", exact=True)
    expect(window.page.locator(".similar")).to_be_attached()
    window.page.locator("#detail").evaluate("e => e.scrollTo(0, e.scrollHeight)")
    expect(close).to_be_in_viewport()


def test_every_page_leads_to_the_others(window):
    window.open()
    window.page.get_by_role("button", name="All pages").click()
    links = window.page.locator("#pages a")
    expect(links).to_have_text(["Shop", "Try the models", "API documentation", "Admin"])
    addresses = links.evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert addresses == ["/", "/try", "/docs", "/admin"]
    links.nth(1).click()
    expect(window.page.locator("#sample")).to_be_visible()


def test_text_that_runs_from_right_to_left_is_set_so(window):
    window.open()
    window.page.fill("#words", "فستان أحمر")
    assert window.page.locator("#words").evaluate("e => e.matches(':dir(rtl)')")
