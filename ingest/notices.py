"""Lasting problems are logged once and then from time to time, not at every attempt."""

from __future__ import annotations

import logging
import threading
import time

__all__ = ["Notices"]

_EVERY_S = 30.0


class Notices:
    """Passes each message to a log at most every 30 seconds; safe from several threads."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._last_sent: dict[str, float] = {}
        self._lock = threading.Lock()

    def tell(self, message: str, *, level: int = logging.WARNING) -> None:
        """Log the message unless the same one was logged just now."""
        now = time.monotonic()
        with self._lock:
            self._last_sent = {
                text: at for text, at in self._last_sent.items() if now - at < _EVERY_S
            }
            if message in self._last_sent:
                return
            self._last_sent[message] = now
        self._log.log(level, "%s", message)
