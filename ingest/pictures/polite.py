"""Fetching pictures politely: few at once, later when the host says so, never twice."""

from __future__ import annotations

import hashlib
import io
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from ingest.pictures.hosts import HostGate, HostPlaces, KnownAddress, KnownAddresses
from ingest.pictures.naming import FetchedPicture, Picture
from vitrine.errors import InvalidImage
from vitrine.images.fetch import BUSY, FetchAnswer, pause_s, refusal_of, shared_fetcher
from vitrine.settings import FetchSettings

__all__ = ["FetchedPicture", "PoliteFetcher", "place_lease_s"]

_SLOWEST = 3.0
"""A request has certainly ended after so many times its timeout; then its place falls free."""


class PoliteFetcher:
    """Fetches pictures for an ingest; safe to use from several threads.

    Of one host at most `fetch_per_host` are asked for at once. An answer of 429 or 5xx is asked for
    again, after what Retry-After says or a growing pause, in which no thread asks that host. What a
    host said of a picture's version goes along, so that an unchanged one is not sent again.
    """

    def __init__(
        self,
        settings: FetchSettings,
        addresses: KnownAddresses,
        *,
        has_picture: Callable[[str], bool],
        hosts: HostGate | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._addresses = addresses
        self._has_picture = has_picture
        self._hosts = hosts or _host_places(settings)
        self._sleep = sleep

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
        answer, data = self._fetch_with_retries(url, known, user_agent)
        if answer.status == 304 and known is not None:
            return FetchedPicture(known.image_key, None)
        if answer.status != 200:
            raise refusal_of(url, answer)
        picture = _fetched(data)
        self._addresses.note(url, KnownAddress(picture.key, answer.etag, answer.last_modified))
        return picture

    def _fetch_with_retries(
        self, url: str, known: KnownAddress | None, user_agent: str | None
    ) -> tuple[FetchAnswer, bytes]:
        """The host's last answer, after as many tries as the settings allow."""
        fetcher = shared_fetcher(self._settings, user_agent=user_agent)
        host = urlsplit(url).netloc.lower()
        attempts = self._hosts.attempts(host, self._settings.fetch_attempts)
        for attempt in range(1, attempts + 1):
            body = io.BytesIO()
            try:
                with self._place(host):
                    answer = fetcher.get(url, body, headers=known.conditions() if known else ())
            except InvalidImage as error:
                if error.reason not in ("unreachable", "too_slow"):
                    raise
                if attempt == attempts:
                    self._hosts.tell(host, answered=False)
                    raise
                self._pause(host, attempt, None)
                continue
            if answer.status not in BUSY:
                self._hosts.tell(host, answered=True)
                return answer, body.getvalue()
            if attempt == attempts:
                self._hosts.tell(host, answered=False)
                return answer, body.getvalue()
            self._pause(host, attempt, answer.retry_after_s)
        raise AssertionError("a last attempt answers or raises")

    @contextmanager
    def _place(self, host: str) -> Iterator[None]:
        """One of the places at a host, when it may be asked and one is free."""
        place = uuid.uuid4().hex
        while wait_s := self._hosts.enter(host, place):
            self._sleep(wait_s)
        try:
            yield
        finally:
            self._hosts.leave(host, place)

    def _pause(self, host: str, attempt: int, told_s: float | None) -> None:
        """Nobody asks the host for as long as it says, or for a pause that doubles."""
        self._hosts.pause(host, pause_s(attempt, told_s, longest_s=self._settings.fetch_wait_s))


def _host_places(settings: FetchSettings) -> HostPlaces:
    """Places at hosts as the settings allow them."""
    return HostPlaces(settings.fetch_per_host, lease_s=place_lease_s(settings))


def place_lease_s(settings: FetchSettings) -> float:
    """Seconds after which a request has certainly ended."""
    return _SLOWEST * settings.fetch_timeout_s


def _fetched(data: bytes) -> FetchedPicture:
    return FetchedPicture(hashlib.sha256(data).hexdigest(), data)
