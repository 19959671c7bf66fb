"""Pictures as queries: by file, drop and paste, alone and together with words and products."""

from __future__ import annotations

import base64
import io

import pillow_heif
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.end_to_end.browser.stock import picture, those

REDS = set(those(lambda p: p.colors == ("red",)))


def heic(color: str) -> bytes:
    """A plain picture as phones write them."""
    data = io.BytesIO()
    pillow_heif.from_pillow(Image.open(io.BytesIO(picture(color, shade=31)))).save(data)
    return data.getvalue()


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


def test_of_several_pictures_the_first_is_used_and_that_is_said(window):
    window.open()
    carried = window.page.evaluate_handle(
        """async data => {
            const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
            const files = new DataTransfer();
            for (const name of ["first.png", "second.png"])
                files.items.add(new File([bytes], name, {type: "image/png"}));
            return files;
        }""",
        base64.b64encode(picture("red", shade=31)).decode(),
    )
    window.page.dispatch_event("main", "drop", {"dataTransfer": carried})
    expect(window.page.locator("#toast")).to_contain_text("“first.png” is used")
    shows_reds_first(window)


def test_a_picture_of_a_phone_is_taken_although_the_system_knows_no_type_for_it(window):
    window.open()
    window.drop(heic("red"), name="IMG_0001.HEIC", kind="")
    shows_reds_first(window)
    expect(window.page.locator(".query-part .no-picture")).to_be_visible()


def test_a_broken_picture_gets_the_service_s_own_words(window):
    window.expected += ["422"]
    window.open()
    window.drop(b"\x89PNG\r\n\x1a\nnothing more", name="broken.png")
    expect(window.page.locator(".notice--error")).to_contain_text("This picture cannot be read")
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


_NOISE = """async side => {
    const module = document.querySelector("link[href$='/js/picture/upload.js']").href;
    const {shrink} = await import(module);
    const canvas = new OffscreenCanvas(side * 2, side);
    const context = canvas.getContext("2d");
    const image = context.createImageData(canvas.width, canvas.height);
    let state = 7;  // a linear congruential generator (Numerical Recipes)
    const next = () => (state = (state * 1664525 + 1013904223) >>> 0) >>> 24;
    for (let at = 0; at < image.data.length; at += 1) image.data[at] = at % 4 === 3 ? 255 : next();
    context.putImageData(image, 0, 0);
    return (await shrink(await canvas.convertToBlob(), side)).size;
}"""
"""How large a picture of nothing but noise leaves the browser, which is as hard to compress as
any."""


def test_a_picture_that_is_hard_to_compress_stays_below_a_megabyte(window):
    window.page.goto("/try")
    expect(window.page.locator("#labels")).not_to_have_value("")
    assert 200_000 < window.page.evaluate(_NOISE, 1280) < 950_000


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


def test_more_pages_of_a_picture_search_come_without_repeats_and_without_the_picture(window):
    uploads: list[str] = []

    def note(request):
        if "multipart" in request.headers.get("content-type", ""):
            uploads.append(request.url)

    window.page.on("request", note)
    window.open()
    window.drop(picture("red", shade=31))
    shows_reds_first(window)
    window.to_the_end()
    assert len(window.ids()) == len(set(window.ids())) == 90
    window.option("color", "red").click()
    window.counts(f"{len(REDS)} products")
    assert [url.rpartition("/v1/")[2] for url in uploads] == ["pictures/upload"]


def test_a_picture_that_the_service_no_longer_keeps_is_sent_with_the_search(window):
    window.expected += ["422"]
    window.page.route("**/v1/pictures/upload", lambda route: route.fulfill(json={"key": "0" * 64}))
    window.open()
    window.drop(picture("red", shade=31))
    shows_reds_first(window)


def test_a_service_that_cannot_keep_pictures_is_searched_with_them_all_the_same(window):
    window.expected += ["503"]
    window.page.route("**/v1/pictures/upload", lambda route: route.fulfill(status=503, json={}))
    window.open()
    window.drop(picture("red", shade=31))
    shows_reds_first(window)
