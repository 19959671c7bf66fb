"""Fetching a picture by a URL that somebody else wrote, within limits of place, time and size.

Every redirect is checked as the first address was; one deadline covers everything from the look-up
to the last byte, however slowly the bytes drip.
"""

from __future__ import annotations

import atexit
import io
import os
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache, lru_cache
from importlib.metadata import version
from typing import IO

import httpcore
import httpx

from vitrine.errors import InvalidImage
from vitrine.images.decode import ImageLimits
from vitrine.images.guarded_network import GuardedNetwork
from vitrine.settings import FetchSettings
from vitrine.storage.atomic import FULL_DISK

__all__ = ["BUSY", "FetchAnswer", "Fetcher", "fetch", "pause_s", "refusal_of", "shared_fetcher"]

_REDIRECTS = 5
_REDIRECTING = (301, 302, 303, 307, 308)
_FAILURES = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol)
_HEADERS = ((b"Accept", b"image/*,*/*;q=0.5"), (b"Accept-Encoding", b"identity"))
USER_AGENT = f"Vitrine/{version('vitrine')} (visual product search)"
"""The User-Agent, unless the settings or a mapping set another."""
BUSY = frozenset((408, 425, 429, 500, 502, 503, 504))
"""Answers after which a host may be asked again (RFC 9110, 15.5 and 15.6; RFC 6585)."""
_FIRST_PAUSE_S = 0.5
_SHOWN = 300
"""Characters of an address in a message."""


@dataclass(frozen=True, slots=True)
class FetchAnswer:
    """What a host answered: the status, what tells a later version of the body, when to come again.

    `size` is the body's, in bytes; `retry_after_s` is None where the host does not say it.
    """

    status: int
    size: int = 0
    etag: str | None = None
    last_modified: str | None = None
    retry_after_s: float | None = None
    content_type: str | None = None


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that every fetcher of this process trusts: reading them takes longer than
    all the rest of making one."""
    return httpx.create_ssl_context(trust_env=False)


class Fetcher:
    """Fetches over connections that are kept open; safe to use from several threads."""

    def __init__(
        self, *, private: bool, timeout_s: float, most_bytes: int, user_agent: str = USER_AGENT
    ) -> None:
        self._timeout_s = timeout_s
        self._most_bytes = most_bytes
        self._user_agent = user_agent.encode("ascii", "replace")
        self._network = GuardedNetwork(private)
        self._pool = httpcore.ConnectionPool(
            ssl_context=_trusted(),
            max_connections=32,
            keepalive_expiry=15,
            network_backend=self._network,
        )

    def fetch(self, url: str) -> bytes:
        """The bytes behind an http or https URL.

        Raises `InvalidImage` with reason `bad_address`, `forbidden_address`, `unreachable`,
        `too_slow` or `too_many_bytes`; the message names the address.
        """
        body = io.BytesIO()
        answer = self.get(url, body)
        if answer.status != 200:
            raise refusal_of(url, answer)
        return body.getvalue()

    def get(
        self, url: str, body: IO[bytes], *, headers: Sequence[tuple[str, str]] = ()
    ) -> FetchAnswer:
        """Ask for a URL and write what a host answers with status 200 into `body`.

        `headers` are sent besides, such as If-None-Match. Raises as `fetch` does, but answers with
        any status that the host gives; `OSError` when there is no room for `body`.
        """
        self._network.start(self._timeout_s)
        target = _parsed(url)
        try:
            for _ in range(_REDIRECTS + 1):
                answer, location = self._ask(target, body, headers)
                if location is None:
                    return answer
                target = _parsed(str(target.join(location)))
        except (httpcore.TimeoutException, TimeoutError):
            raise InvalidImage(
                "too_slow", f"{_shown(url)} was not delivered within {self._timeout_s:g} seconds"
            ) from None
        except InvalidImage as error:
            if error.reason in ("bad_address", "forbidden_address"):
                raise
            raise InvalidImage(error.reason, f"{_shown(url)}: {error.errors[0].message}") from None
        except (*_FAILURES, httpx.InvalidURL, OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno in FULL_DISK:
                raise  # of `body`: no fault of the host
            raise InvalidImage(
                "unreachable",
                f"{_shown(url)} cannot be fetched from {target.host}: {type(error).__name__}",
            ) from None
        raise InvalidImage("unreachable", f"{_shown(url)} redirects more than {_REDIRECTS} times")

    def close(self) -> None:
        """Close the kept connections."""
        self._pool.close()

    def _ask(
        self, target: httpx.URL, body: IO[bytes], further: Sequence[tuple[str, str]]
    ) -> tuple[FetchAnswer, str | None]:
        """The answer, and where a redirect points."""
        address = httpcore.URL(
            scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path
        )
        headers = [(b"Host", target.netloc), *_HEADERS, (b"User-Agent", self._user_agent)]
        headers += [(name.encode("ascii"), value.encode("latin-1")) for name, value in further]
        limits = {"timeout": {"pool": self._timeout_s}}
        with self._pool.stream("GET", address, headers=headers, extensions=limits) as response:
            received = {name.lower(): value.decode("latin-1") for name, value in response.headers}
            if response.status in _REDIRECTING and b"location" in received:
                return FetchAnswer(response.status), received[b"location"]
            size = self._copy(response, body) if response.status == 200 else 0
            return _answer(response.status, size, received), None

    def _copy(self, response: httpcore.Response, body: IO[bytes]) -> int:
        size = 0
        for part in response.iter_stream():
            size += len(part)
            if size > self._most_bytes:
                raise InvalidImage(
                    "too_many_bytes", f"there is more than {self._most_bytes / 1e6:g} MB"
                )
            body.write(part)
        return size


def _answer(status: int, size: int, headers: dict[bytes, str]) -> FetchAnswer:
    return FetchAnswer(
        status,
        size,
        etag=headers.get(b"etag"),
        last_modified=headers.get(b"last-modified"),
        retry_after_s=_seconds(headers.get(b"retry-after")),
        content_type=headers.get(b"content-type"),
    )


def _seconds(text: str | None) -> float | None:
    """Retry-After: seconds, or a date (RFC 9110, 10.2.3)."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError):
        return None


def pause_s(attempt: int, told_s: float | None, *, longest_s: float) -> float:
    """Seconds before a host is asked again: what it says, or a pause that doubles with attempts."""
    return min(longest_s, _FIRST_PAUSE_S * 2 ** (attempt - 1) if told_s is None else told_s)


def refusal_of(url: str, answer: FetchAnswer) -> InvalidImage:
    """What to say of an address that answers with another status than 200."""
    return InvalidImage("unreachable", f"{_shown(url)} answers with status {answer.status}")


def _shown(url: str) -> str:
    return f"the address {url[:_SHOWN]}"


def fetch(url: str, settings: FetchSettings) -> bytes:
    """One picture by URL under the limits of the settings; errors as of `Fetcher.fetch`."""
    return shared_fetcher(settings).fetch(url)


def shared_fetcher(settings: FetchSettings, *, user_agent: str | None = None) -> Fetcher:
    """The process's fetcher of pictures under the settings; `user_agent` is a catalogue's own."""
    return _shared(
        os.getpid(),
        settings.fetch_private,
        settings.fetch_timeout_s,
        ImageLimits.of(settings).max_bytes,
        user_agent or settings.fetch_user_agent or USER_AGENT,
    )


@lru_cache(maxsize=8)
def _shared(
    _process: int, private: bool, timeout_s: float, most_bytes: int, user_agent: str
) -> Fetcher:
    """One fetcher per process (connections must not be shared over a fork) and kind of limits."""
    fetcher = Fetcher(
        private=private, timeout_s=timeout_s, most_bytes=most_bytes, user_agent=user_agent
    )
    atexit.register(fetcher.close)
    return fetcher


def _parsed(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
        host = parsed.host  # decodes international names, which may be broken
    except (httpx.InvalidURL, ValueError, TypeError):
        raise InvalidImage("bad_address", f"{_shown(url)} is not a URL") from None
    if parsed.scheme not in ("http", "https") or not host:
        raise InvalidImage("bad_address", f"{_shown(url)} must start with http:// or https://")
    if parsed.userinfo:
        raise InvalidImage("bad_address", f"{_shown(url)} must not contain a user name or password")
    return parsed
