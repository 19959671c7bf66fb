"""Asking hosts for pictures as a good guest does: few at once, later when told, not twice."""

from __future__ import annotations

import hashlib
import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ingest.pictures.addresses import AddressBook, KnownAddress
from ingest.pictures.naming import Picture
from vitrine.errors import InvalidImage
from vitrine.images.fetch import BUSY, FetchAnswer, pause_s, refusal_of, shared_fetcher
from vitrine.settings import FetchSettings

__all__ = ["FetchedPicture", "PoliteFetcher"]

_GIVEN_UP = 3
"""Pictures that could not be had in spite of all tries before a host gets one try for each."""
_MODERATE_S = 0.02
"""Seconds between looks for a free place at a host."""


@dataclass(frozen=True, slots=True)
class FetchedPicture:
    """A picture's key (SHA-256 of its bytes, hex), and its bytes.

    `data` is None where the host says that the picture is the one that is in the image store.
    """

    key: str
    data: bytes | None


@dataclass
class _Host:
    """What is known of a host: requests under way, when it may be asked again, tries in vain."""

    under_way: int = 0
    not_before: float = 0.0
    in_vain: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class PoliteFetcher:
    """Fetches pictures for an ingest; safe to use from several threads.

    Of one host at most `fetch_per_host` are asked for at once. An answer of 429 or 5xx is asked for
    again, after what Retry-After says or a growing pause, in which no thread asks that host. What a
    host said of a picture's version goes along, so that an unchanged one is not sent again.
    """

    def __init__(
        self,
        settings: FetchSettings,
        addresses: AddressBook,
        *,
        has_picture: Callable[[str], bool],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._addresses = addresses
        self._has_picture = has_picture
        self._sleep = sleep
        self._hosts: dict[str, _Host] = {}
        self._lock = threading.Lock()

    def read(self, picture: Picture) -> FetchedPicture:
        """The picture, from wherever it is. `InvalidImage` as of `Picture.read`."""
        if picture.url is None:
            return _fetched(picture.read(self._settings))
        if not picture.url.startswith("//"):
            return self._fetch(picture.url, picture.user_agent)
        try:  # a page leaves the scheme open: "//host/a.jpg"
            return self._fetch(f"https:{picture.url}", picture.user_agent)
        except InvalidImage as error:
            if error.reason != "unreachable":
                raise
            return self._fetch(f"http:{picture.url}", picture.user_agent)

    def _fetch(self, url: str, user_agent: str | None) -> FetchedPicture:
        known = self._addresses.find(url)
        if known is not None and not self._has_picture(known.image_key):
            known = None
        answer, data = self._asked(url, known, user_agent)
        if answer.status == 304 and known is not None:
            return FetchedPicture(known.image_key, None)
        if answer.status != 200:
            raise refusal_of(url, answer)
        self._addresses.note(url, data, answer)
        return _fetched(data)

    def _asked(
        self, url: str, known: KnownAddress | None, user_agent: str | None
    ) -> tuple[FetchAnswer, bytes]:
        """The host's last answer, after as many tries as the settings allow."""
        fetcher = shared_fetcher(self._settings, user_agent=user_agent)
        host = self._host(url)
        attempts = self._settings.fetch_attempts if host.in_vain < _GIVEN_UP else 1
        for attempt in range(1, attempts + 1):
            body = io.BytesIO()
            try:
                with self._place(host):
                    answer = fetcher.get(url, body, headers=known.conditions() if known else ())
            except InvalidImage as error:
                if error.reason not in ("unreachable", "too_slow"):
                    raise
                if attempt == attempts:
                    host.in_vain += 1
                    raise
                self._pause(host, attempt, None)
                continue
            if answer.status not in BUSY:
                host.in_vain = 0
                return answer, body.getvalue()
            if attempt == attempts:
                host.in_vain += 1
                return answer, body.getvalue()
            self._pause(host, attempt, answer.retry_after_s)
        raise AssertionError("a last attempt answers or raises")

    def _host(self, url: str) -> _Host:
        name = urlsplit(url).netloc.lower()
        with self._lock:
            return self._hosts.setdefault(name, _Host())

    @contextmanager
    def _place(self, host: _Host) -> Iterator[None]:
        """One of the places at a host, when it may be asked and one is free."""
        while True:
            with host.lock:
                wait = host.not_before - time.monotonic()
                if wait <= 0 and host.under_way < self._settings.fetch_per_host:
                    host.under_way += 1
                    break
            self._sleep(max(wait, _MODERATE_S))
        try:
            yield
        finally:
            with host.lock:
                host.under_way -= 1

    def _pause(self, host: _Host, attempt: int, told_s: float | None) -> None:
        """Nobody asks the host for as long as it says, or for a pause that doubles."""
        wait = pause_s(attempt, told_s, longest_s=self._settings.fetch_wait_s)
        until = time.monotonic() + wait
        with host.lock:
            host.not_before = max(host.not_before, until)


def _fetched(data: bytes) -> FetchedPicture:
    return FetchedPicture(hashlib.sha256(data).hexdigest(), data)
