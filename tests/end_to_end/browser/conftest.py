"""A real browser before a real service; every test fails on an error in the console or a request that did not succeed."""

from __future__ import annotations

import io
import logging
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from werkzeug.serving import make_server

from service import create_app
from tests.end_to_end.browser.stock import SCHEMA, STOCK, picture
from tests.end_to_end.browser.window import FLAGS, Window
from tests.fakes import FakeEmbedder
from tests.unit.service.job_engine import FakeJobs
from vitrine.embedding import Detection
from vitrine.products import Record
from vitrine.settings import Settings
from vitrine.wiring import Vitrine

TOKEN = "a-token-of-the-tests"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave a busy machine time enough: a browser shares the cores with everything else."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(300))


class CornerDetector:
    """Finds the first label in the left upper quarter, strongly, and the last in the right lower one, weakly."""

    name = "corner detector"

    def detect(self, image: Image.Image, labels: list[str], *, threshold: float) -> list[Detection]:
        width, height = image.size
        objects = [
            Detection(labels[0], 0.8, (0.0, 0.0, width / 2, height / 2)),
            Detection(labels[-1], 0.05, (width / 2, height / 2, float(width), float(height))),
        ]
        return [detection for detection in objects if detection.score >= threshold]


@dataclass(frozen=True)
class Site:
    """The running service: where it is, and what stands behind it."""

    url: str
    vitrine: Vitrine
    jobs: FakeJobs


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The service over the embedded backend, on a free port of this machine."""
    embedder = FakeEmbedder()
    settings = Settings(data_dir=tmp_path_factory.mktemp("shop"), admin_token=TOKEN, model="fake")
    vitrine = Vitrine(settings, embedder=lambda _: embedder, detector=CornerDetector())
    _stock(vitrine, embedder)
    jobs = FakeJobs(vitrine.versions)
    server = make_server("127.0.0.1", 0, create_app(vitrine, admin=jobs), threaded=True)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    thread = threading.Thread(target=server.serve_forever, name="site")
    thread.start()
    yield Site(f"http://127.0.0.1:{server.port}", vitrine, jobs)
    server.shutdown()
    thread.join()
    server.server_close()
    vitrine.close()


def _stock(vitrine: Vitrine, embedder: FakeEmbedder) -> None:
    info = embedder.info
    index = vitrine.versions.create(
        model="fake",
        fingerprint=info.fingerprint,
        dimension=info.dimension,
        schema=SCHEMA,
        mapping={},
    )
    pictures = [picture(p.colors[0], shade=number) for number, p in enumerate(STOCK)]
    vectors = embedder.embed_images([Image.open(io.BytesIO(data)) for data in pictures])
    index.upsert(
        [
            Record.of_picture(p, vector, vitrine.images.put(data))
            for p, vector, data in zip(STOCK, vectors, pictures, strict=True)
        ]
    )
    vitrine.versions.complete(index.info.name)
    vitrine.versions.publish(index.info.name)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, once for all tests here; its headless shell, which draws no window around the page, takes half the time."""
    executable = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if executable is None:
        pytest.fail(
            "the browser tests need Chromium: install Debian's package chromium-headless-shell, as .ci/run does",
            pytrace=False,
        )
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        yield opened
        opened.close()


def _context(browser: Browser, site: Site, **options: object) -> BrowserContext:
    window = {"viewport": {"width": 1280, "height": 900}, **options}
    return browser.new_context(base_url=site.url, locale="en-GB", timezone_id="UTC", **window)


@pytest.fixture(scope="package")
def desktop(browser: Browser, site: Site) -> BrowserContext:
    """The windows of one visitor, who already has the styles and scripts; every window still is a session of its own."""
    return _context(browser, site)


@pytest.fixture
def open_window(browser: Browser, site: Site, desktop: BrowserContext) -> Iterator[object]:
    """Open windows, those with options in a browser of their own; afterwards none of them may have complained."""
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
