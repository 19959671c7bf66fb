"""A real browser before a real service.

Every test fails on an error in the console or a request that did not succeed.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.end_to_end.browser.site import Site, running_site
from tests.end_to_end.browser.stock import picture
from tests.end_to_end.browser.window import FLAGS, Window


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave a busy machine time enough: a browser shares the cores with everything else."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The shop that most tests visit."""
    with running_site(tmp_path_factory.mktemp("shop")) as site:
        yield site


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, once for all tests here.

    Its headless shell, which draws no window around the page, takes half the time.
    """
    executable = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if executable is None:
        pytest.fail(
            "the browser tests need Chromium: install Debian's package chromium-headless-shell, "
            "as .ci/run does",
            pytrace=False,
        )
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        yield opened
        opened.close()


def _context(browser: Browser, site: Site, **options: object) -> BrowserContext:
    window = {"base_url": site.url, "viewport": {"width": 1280, "height": 900}, **options}
    return browser.new_context(locale="en-GB", timezone_id="UTC", **window)


@pytest.fixture(scope="package")
def desktop(browser: Browser, site: Site) -> BrowserContext:
    """The windows of one visitor, who already has the styles and scripts.

    Every window still is a session of its own.
    """
    return _context(browser, site)


@pytest.fixture
def open_window(browser: Browser, site: Site, desktop: BrowserContext) -> Iterator[object]:
    """Open windows, those with options in a browser of their own.

    Afterwards none of them may have complained.
    """
    opened: list[tuple[Page | BrowserContext, Window]] = []

    def open_one(**options: object) -> Window:
        context = _context(browser, site, **options) if options else desktop
        page = context.new_page()
        opened.append((context if options else page, Window(page)))
        return opened[-1][1]

    yield open_one
    for closing, window in opened:
        closing.close()
        assert window.complaints() == []


@pytest.fixture
def window(open_window) -> Window:
    """A desktop window."""
    return open_window()


@pytest.fixture
def red_file(tmp_path: Path) -> Path:
    """A picture that is red and in no catalogue."""
    path = tmp_path / "red thing.png"
    path.write_bytes(picture("red", shade=29, size=(90, 60)))
    return path
