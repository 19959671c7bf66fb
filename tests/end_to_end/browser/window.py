"""A browser window as a shopper uses it."""

from __future__ import annotations

import base64
from typing import Any

from playwright.sync_api import ConsoleMessage, Locator, Page, Request, Response, expect

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

PATIENCE_MS = 60_000
"""A busy machine may take that long; on an idle one nothing waits for it."""

_FILES = """([name, type, data]) => {
    const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
    const files = new DataTransfer();
    files.items.add(new File([bytes], name, {type}));
    return files;
}"""


class Window:
    """One page and everything it complained of."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.expected: list[str] = []
        """Parts of complaints that a test provokes on purpose."""
        self._complaints: list[str] = []
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._complaints.append(f"error: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._complaints.append(f"console: {message.text}")

    def _failed(self, request: Request) -> None:
        if "ERR_ABORTED" not in str(request.failure):  # the page cancels stale requests on purpose
            self._complaints.append(f"request: {request.url} {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self._complaints.append(f"status: {response.status} {response.url}")

    def all_complaints(self) -> list[str]:
        """Those that were expected as well."""
        return [*self._complaints]

    def complaints(self) -> list[str]:
        return [
            text for text in self._complaints if not any(part in text for part in self.expected)
        ]

    # What can be seen.

    @property
    def cards(self) -> Locator:
        return self.page.locator("#grid .card[data-id]")

    def ids(self) -> list[str]:
        """The products on show, in their order."""
        return self.cards.evaluate_all("cards => cards.map(card => card.dataset.id)")

    def counts(self, words: str) -> None:
        """Wait until the line over the products says so."""
        expect(self.page.locator("#count")).to_have_text(words)

    def group(self, field: str) -> Locator:
        """The filters of a field."""
        return self.page.locator(f'[data-field="{field}"]')

    def option(self, field: str, value: str) -> Locator:
        """One value of a field's filters: a checkbox or a swatch."""
        return self.page.locator(f'[data-key="{field} {value}"]')

    def number(self, field: str, value: str) -> int:
        """The live count beside a value."""
        label = self.option(field, value).locator(
            "xpath=ancestor-or-self::*[self::label or self::button][1]"
        )
        return int(label.locator('[class$="__count"]').inner_text().replace(",", ""))

    def query(self) -> str:
        return self.page.evaluate("decodeURIComponent(location.search)")

    def until(self, expression: str) -> None:
        """Wait for a JavaScript expression to hold.

        The page's policy forbids Playwright's own way.
        """
        while not self.page.evaluate(expression):  # the test's own time limit ends it otherwise
            self.page.wait_for_timeout(50)

    # What can be done.

    def open(self, address: str = "/") -> Window:
        self.page.goto(address)
        expect(self.page.locator("#grid:not([aria-busy])")).to_be_attached()
        return self

    def search(self, words: str) -> None:
        self.page.fill("#words", words)
        self.page.press("#words", "Enter")

    def to_the_end(self) -> None:
        """Scroll until there is nothing more; the test's own time limit ends it otherwise."""
        while not self.page.locator("#end").is_visible():
            self.page.mouse.wheel(0, 20_000)
            self.page.wait_for_timeout(50)

    def files(self, data: bytes, *, name: str = "dropped.png", kind: str = "image/png") -> Any:
        """A DataTransfer with one file, as the browser hands it to a page."""
        return self.page.evaluate_handle(_FILES, [name, kind, base64.b64encode(data).decode()])

    def drop(self, data: bytes, **file: str) -> None:
        carried = self.files(data, **file)
        for event in ("dragenter", "dragover", "drop"):
            self.page.dispatch_event("main", event, {"dataTransfer": carried})

    def paste(self, data: bytes, **file: str) -> None:
        self.page.evaluate(
            "files => document.body.dispatchEvent(new ClipboardEvent('paste', "
            "{clipboardData: files, bubbles: true, cancelable: true}))",
            self.files(data, **file),
        )
