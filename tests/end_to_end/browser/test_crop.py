"""A part of a shopper's picture is chosen, searched for, and given up again."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.end_to_end.browser.stock import those
from tests.end_to_end.browser.window import Window
from tests.fakes import COLORS

WIDTH, HEIGHT = 400, 200


def half_red_half_blue() -> bytes:
    image = Image.new("RGB", (WIDTH, HEIGHT), COLORS["red"])
    image.paste(COLORS["blue"], (WIDTH // 2, 0, WIDTH, HEIGHT))
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


def open_crop(window: Window) -> None:
    window.open()
    window.drop(half_red_half_blue())
    window.page.get_by_role("button", name="Crop").click()
    expect(window.page.locator("#crop")).to_be_visible()


def box(window: Window) -> list[int]:
    """The part that the address asks for."""
    expect(window.page).to_have_url(re.compile("box="))
    return [int(edge) for edge in window.query().partition("box=")[2].split(",")]


def shows_first(window: Window, color: str) -> None:
    expect(window.cards.first).to_contain_text(color.title())
    expect(window.page.locator("#grid:not([aria-busy])")).to_be_attached()
    ids = set(those(lambda product: product.colors == (color,)))
    assert set(window.ids()[: len(ids)]) == ids


def press(window: Window, name: str, key: str, times: int = 1) -> None:
    for _ in range(times):
        window.page.get_by_role("button", name=name).press(key)


def search(window: Window) -> None:
    window.page.get_by_role("button", name="Search this part").click()


def test_a_part_is_chosen_by_arrow_keys_kept_in_the_address_and_given_up(window):
    open_crop(window)
    place = window.page.locator("#crop-place")
    press(window, "Frame", "ArrowRight")  # the whole picture has nowhere to go
    expect(place).to_have_text("0 to 100 % across, 0 to 100 % down")
    press(window, "Top right corner", "Shift+ArrowLeft", times=5)
    expect(place).to_have_text("0 to 50 % across, 0 to 100 % down")
    search(window)
    shows_first(window, "red")
    assert box(window) == [0, 0, WIDTH // 2, HEIGHT]
    window.page.reload()
    shows_first(window, "red")
    window.page.get_by_role("button", name="Crop").click()
    press(window, "Frame", "Shift+ArrowRight", times=9)  # up to the edge and no further
    search(window)
    shows_first(window, "blue")
    assert box(window) == [WIDTH // 2, 0, WIDTH, HEIGHT]
    window.page.go_back()
    shows_first(window, "red")
    window.page.get_by_role("button", name="Crop").click()
    window.page.get_by_role("button", name="Whole picture").click()
    search(window)
    expect(window.page).to_have_url(re.compile(r"picture=\w+$"))


def test_leaving_the_dialog_changes_nothing_and_gives_the_focus_back(window):
    open_crop(window)
    press(window, "Top right corner", "Shift+ArrowLeft")
    window.page.keyboard.press("Escape")
    expect(window.page.locator("#crop")).to_be_hidden()
    assert "box" not in window.query()
    expect(window.page.get_by_role("button", name="Crop")).to_be_focused()


def test_a_frame_is_drawn_moved_and_resized_by_mouse(window):
    open_crop(window)
    at = window.page.locator(".crop__picture").bounding_box()
    mouse = window.page.mouse

    def drag(start: tuple[float, float], end: tuple[float, float]) -> None:
        mouse.move(at["x"] + start[0] * at["width"], at["y"] + start[1] * at["height"])
        mouse.down()
        mouse.move(at["x"] + end[0] * at["width"], at["y"] + end[1] * at["height"], steps=3)
        mouse.up()

    place = window.page.locator("#crop-place")
    drag((0.8, 0.9), (0.6, 0.5))
    expect(place).to_have_text("60 to 80 % across, 50 to 90 % down")
    drag((0.7, 0.7), (0.5, 0.3))
    expect(place).to_have_text("40 to 60 % across, 10 to 50 % down")
    drag((0.6, 0.5), (0.9, 1.5))
    expect(place).to_have_text("40 to 90 % across, 10 to 100 % down")


def test_a_frame_is_drawn_by_finger_on_a_narrow_phone(open_window):
    window = open_window(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    open_crop(window)
    assert window.page.evaluate("document.documentElement.scrollWidth") == 360
    at = window.page.locator(".crop__picture").bounding_box()
    fingers = window.page.context.new_cdp_session(window.page)
    steps = [("touchStart", 0.55), ("touchMove", 0.7), ("touchMove", 0.95), ("touchEnd", None)]
    for kind, share in steps:
        point = share and {"x": at["x"] + share * at["width"], "y": at["y"] + share * at["height"]}
        fingers.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point] if point else []}
        )
    expect(window.page.locator("#crop-place")).to_have_text("55 to 95 % across, 55 to 95 % down")
    search(window)
    shows_first(window, "blue")


def test_an_object_that_was_found_is_a_part_to_choose(window):
    open_crop(window)
    window.page.get_by_role("button", name="Object 1").click()
    search(window)
    shows_first(window, "red")
    assert box(window) == [0, 0, WIDTH // 2, HEIGHT // 2]


def test_a_small_frame_at_the_edge_never_leaves_the_picture(window):
    window.open()
    resized = """async ([frame, corner, by]) => {
        const module = document.querySelector("link[href$='/js/picture/frame.js']").href;
        return (await import(module)).resized(frame, corner, by);
    }"""
    for frame, corner, way in (
        ({"left": 0, "top": 0, "right": 0.02, "bottom": 0.02}, "nw", -0.1),
        ({"left": 0.98, "top": 0.98, "right": 1, "bottom": 1}, "se", 0.1),
    ):
        assert window.page.evaluate(resized, [frame, corner, {"x": way, "y": way}]) == frame


@pytest.mark.parametrize("kept", ["never", "no longer"])
def test_a_part_of_a_picture_that_the_service_does_not_keep_is_sent_as_a_file(window, kept):
    window.expected += ["503", "422"]
    answer = {"status": 503, "json": {}} if kept == "never" else {"json": {"key": "0" * 64}}
    window.page.route("**/v1/pictures/upload", lambda route: route.fulfill(**answer))
    open_crop(window)
    press(window, "Top left corner", "Shift+ArrowRight", times=6)
    search(window)
    shows_first(window, "blue")
