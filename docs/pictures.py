"""Takes the README's pictures of the page from a running demo: `python docs/pictures.py
http://127.0.0.1:8000`."""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).parent
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
STEP = 3
"""Of the tones that are kept: a photograph in all of them takes twice the space, and the
difference is not seen."""

SHOTS: dict[str, tuple[str, dict[str, Any]]] = {
    "page.png": (
        "/?q=red+dress+under+6000+without+stripes",
        {"viewport": {"width": 1200, "height": 750}},
    ),
    "page-dark.png": (
        "/?q=blue+sofa",
        {"viewport": {"width": 1200, "height": 750}, "color_scheme": "dark"},
    ),
    "page-phone.png": (
        "/?q=green+mug",
        {
            "viewport": {"width": 390, "height": 780},
            "device_scale_factor": 1.5,
            "is_mobile": True,
            "has_touch": True,
        },
    ),
}
"""File -> address and window."""


def main(url: str) -> None:
    """Write every picture beside this file."""
    with sync_playwright() as playwright:
        executable = shutil.which("chromium-headless-shell") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        for name, (address, window) in SHOTS.items():
            picture = take(browser, url + address, window)
            picture.point([min(255, round(tone / STEP) * STEP) for tone in range(256)] * 3).save(
                HERE / name, optimize=True
            )
            print(f"{HERE / name}: {(HERE / name).stat().st_size // 1000} kB")
        browser.close()


def take(browser: Browser, url: str, window: dict[str, Any]) -> Image.Image:
    """The window once all pictures in it are there."""
    page = browser.new_page(base_url=url, reduced_motion="reduce", **window)
    page.goto(url)
    page.wait_for_selector("#grid:not([aria-busy]) .card[data-id]")
    page.wait_for_load_state("networkidle")
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    page.close()
    return shot


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1].rstrip("/"))
